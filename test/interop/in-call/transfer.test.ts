import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { freePort, loopback } from '../../support/ports.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { answering, calling } from '../../support/sipp-in-call.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { callFrom } from '../phone/support/callers.js';
import { inCall } from './support.js';

const gateway = useGateway();
const frames = (await encodeSpeex(await speak('One, two, three.'))).slice(0, 40);
const calls = (scope: Scope, scenario: string, rtpPort?: number) => inCall(scope, gateway(), scenario, rtpPort);
const transferred = 'Sono.Call.Transferred';

describe('the client passes the call on', () => {
  test.concurrent('the far end calls the other: told, BYE, 0', async ({ scope }) => {
    const to = 'sip:carol@192.0.2.9';
    const { sipp, phone } = await calls(scope, answering.isTransferred(to, '200 OK'));
    phone.call('transfer', to);
    expect(await phone.waitPush(transferred)).toMatchObject({ uri: to });
    expect(await phone.waitStatus(0)).toMatchObject({ reason: `transferred to ${to}` });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
    const { text } = await sipp.received(/^REFER/);
    expect(text).toMatch(/^Referred-By: <sip:/m);
    expect(text).toMatch(/^Contact: /m);
  });

  test.concurrent('the other does not answer: told why, and the call goes on', async ({ scope }) => {
    const to = 'sip:carol@192.0.2.9';
    const { phone, hangUp } = await calls(scope, answering.isTransferred(to, '486 Busy Here'));
    phone.call('transfer', to);
    expect(await phone.waitPush('Sono.Call.TransferFailed')).toMatchObject({ reason: '486 Busy Here' });
    await hangUp();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent('the far end does not want to: told why, and the call goes on', async ({ scope }) => {
    const { phone, hangUp } = await calls(scope, answering.refusesTransfer());
    phone.call('transfer', 'sip:carol@192.0.2.9');
    expect(await phone.waitPush('Sono.Call.TransferFailed')).toMatchObject({ reason: '603 Decline' });
    await hangUp();
  });

  test.concurrent('to nowhere, or outside a call: an error', async ({ scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    for (const to of ['sip:carol@192.0.2.9', 'no address', 7]) {
      expect(await phone.request('transfer', to)).toMatchObject({ info: { code: 'Sono.Call.Failed' } });
    }
  });
});

describe('the far end passes the call on', () => {
  test.concurrent('the other answers: the client is heard there, the first is told and hung up on', async ({
    scope,
  }) => {
    const peer = await RtpPeer.open(scope);
    const other = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const { sipp, phone } = await calls(scope, answering.transfers(other.uri(), 200));
    expect(await phone.waitPush(transferred)).toMatchObject({ uri: other.uri() });
    await sipp.done();
    await phone.send(frames);
    await peer.waitPackets(5);
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
    expect((await other.received(/^INVITE/)).text).toMatch(/^Referred-By: /m);
  });

  test.concurrent('the other is busy: the first is told, and the call goes on', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const other = await Sipp.start(scope, { scenario: callee.refuses('486 Busy Here') });
    const { sipp, phone, hangUp } = await calls(scope, answering.transfers(other.uri(), 486), peer.port);
    await sipp.received(/^NOTIFY[\s\S]*486/);
    await phone.send(frames);
    await peer.waitPackets(5);
    await hangUp();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent('and hangs up at once: the call stands and falls with the other', async ({ scope }) => {
    const other = await Sipp.start(scope, { scenario: callee.answersLate(500) });
    const { sipp, phone } = await calls(scope, answering.transfersBlindly(other.uri()));
    await sipp.done();
    expect(await phone.waitPush(transferred)).toMatchObject({ uri: other.uri() });
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent('and hangs up at once, and nobody is there: 0', async ({ scope }) => {
    const other = await Sipp.start(scope, { scenario: callee.refuses('404 Not Found', 500) });
    const { sipp, phone } = await calls(scope, answering.transfersBlindly(other.uri()));
    expect(await phone.waitStatus(0)).toMatchObject({ reason: 'Not Found' });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
  });

  test.concurrent('the client hangs up while the other rings: CANCEL there, BYE here', async ({ scope }) => {
    const other = await Sipp.start(scope, { scenario: callee.rings() });
    const { phone } = await calls(scope, answering.transfers(other.uri(), 487));
    await other.sent(/^SIP\/2\.0 180/);
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent.for([
    ['mailto:bob@example.com', 403, 'is no SIP address'],
    ['sip:bob@192.0.2.1:99999', 403, 'may not be dialled'],
    ['sip:bob@192.0.2.1;method=BYE', 400, 'is no call'],
  ] as const)('to %s: %i, for it %s', async ([to, status], { scope }) => {
    const { sipp, hangUp } = await calls(scope, answering.transfersNowhere(to, status));
    await sipp.received(new RegExp(`^SIP/2\\.0 ${status}`));
    await hangUp();
  });
});

describe('somebody takes over the far end (Replaces)', () => {
  /** The dialog of a call as its far end names it. */
  async function replacesOf(sipp: Sipp): Promise<string> {
    const { text } = await sipp.received(/^ACK/);
    const [callId, to, from] = [/^Call-ID: *(\S+)/im, /^To:.*;tag=(\S+)/im, /^From:.*;tag=(\S+)/im].map(
      (pattern) => pattern.exec(text)?.[1],
    );
    // For the one who reads it, to-tag is its own: the gateway's.
    return `${callId};to-tag=${from};from-tag=${to}`;
  }

  test.concurrent('is answered at once, the first is hung up on, the client is heard by the second', async ({
    scope,
  }) => {
    const peer = await RtpPeer.open(scope);
    const { sipp, phone } = await calls(scope, callee.answers());
    const to = `sip:anybody@${loopback}:${gateway().sipPort}`;
    const second = await callFrom(scope, to, calling.takesOver(await replacesOf(sipp)), { rtpPort: peer.port });
    expect(await phone.waitPush(transferred)).toMatchObject({ uri: second.uri() });
    await sipp.done();
    await phone.send(frames);
    await peer.waitPackets(5);
    phone.hangup();
    await phone.waitStatus(0);
    await second.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent.for([
    ['a call that is not here', 'nobody@nowhere;to-tag=1;from-tag=2', 481],
    ['nothing that could be read', 'nobody@nowhere', 400],
  ] as const)('%s: refused', async ([, replaces, status], { scope }) => {
    const to = `sip:anybody@${loopback}:${gateway().sipPort}`;
    await (await callFrom(scope, to, calling.takesOverNothing(replaces, status))).done();
  });
});

test.concurrent('a port where nobody is does not end the call that is to be passed on there', async ({ scope }) => {
  const to = `sip:nobody@${loopback}:${await freePort()}`;
  const { phone, hangUp, sipp } = await calls(scope, answering.transfers(to, 503));
  await sipp.received(/^NOTIFY[\s\S]*503/);
  await hangUp();
  expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
});
