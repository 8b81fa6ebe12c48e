import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { loopback } from '../../support/ports.js';
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
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());

describe('before the answer', () => {
  test.concurrent('an announcement is heard, keys reach it, and its reliable ringing is confirmed: 1, 1, 4, 2', async ({
    scope,
  }) => {
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: answering.ringsReliably(), rtpPort: peer.port });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    phone.call('sendDTMF', '7');
    await peer.packets.find('the key', ({ payloadType, payload }) => payloadType === 100 && payload[0] === 7);
    await phone.waitStatus(2);
    phone.startSending(frames);
    const from = peer.packets.all.length;
    await peer.packets.find('audio', ({ payloadType }) => payloadType !== 100, { from });
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
    expect((await sipp.received(/^INVITE/)).text).toMatch(/^Supported: .*100rel/m);
  });

  test.concurrent('two phones of one number are told apart: the one that answers is heard', async ({ scope }) => {
    const [first, second] = [await RtpPeer.open(scope), await RtpPeer.open(scope)];
    const scenario = answering.forks({ port: first.port }, { port: second.port });
    const sipp = await Sipp.start(scope, { scenario });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    await phone.waitStreams();
    await phone.send(frames.slice(0, 10));
    await first.waitPackets(1);
    await phone.waitStatus(2);
    phone.startSending(frames, { timestamp: 5_000 });
    await second.waitPackets(1);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 1, 2, 3, 0]);
  });

  test.concurrent('a caller that insists gets a ringing that is repeated until its PRACK', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), calling.insistsOnReliability());
    await phone.waitIncoming();
    await sipp.received(/^SIP\/2\.0 200[\s\S]*PRACK/);
    phone.accept();
    await phone.waitStatus(2);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('a caller that insists on what we do not know gets 420', async ({ scope }) => {
    const phone = await connect(scope);
    await (await callFrom(scope, await phone.register(), calling.insistsOnUnknown())).done();
    expect(phone.calls).toEqual([]);
  });

  test.concurrent('a caller without an offer gets ours, and its answer comes in the ACK', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), calling.offersNothing(), { rtpPort: peer.port });
    await phone.acceptAndConnect();
    await phone.send(frames);
    await peer.waitPackets(5);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([4, 2, 3, 0]);
  });

  test.concurrent('a caller that never says what it takes is hung up on', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), calling.answersNothing());
    await phone.waitIncoming();
    phone.accept();
    expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/no audio/) });
    await sipp.done();
    expect(phone.statuses).toEqual([0]);
  });
});

describe('session timers', () => {
  test.concurrent('a caller that wants refreshes every minute is told the least: 422', async ({ scope }) => {
    const phone = await connect(scope);
    await (await callFrom(scope, await phone.register(), calling.refreshesTooOften())).done();
    expect(phone.calls).toEqual([]);
  });

  test.concurrent.for([
    ['300', 'Session-Expires: *300;refresher=uac'],
    ['300;refresher=uac', 'Session-Expires: *300;refresher=uac'],
    ['300;refresher=uas', 'Session-Expires: *300;refresher=uas'],
  ] as const)('a caller that asks for %s is told who refreshes', async ([asked, told], { scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), calling.wantsTimer(asked, told));
    await phone.waitIncoming();
    phone.accept();
    await phone.waitStatus(2);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    // One header of a kind.
    const { text } = await sipp.received(/^SIP\/2\.0 200/);
    expect(text.match(/^Session-Expires/gim)).toHaveLength(1);
  });

  test.concurrent('a callee that wants a longer interval gets it', async ({ scope }) => {
    const { hangUp } = await inCall(scope, gateway(), answering.wantsInterval(3_600));
    await hangUp();
  });
});

describe('a call that is sent somewhere else', () => {
  test.concurrent('is followed, the address with the highest q first', async ({ scope }) => {
    const busy = await Sipp.start(scope, { scenario: callee.refuses('486 Busy Here') });
    const free = await Sipp.start(scope, { scenario: callee.answers() });
    const contacts = [`<${free.uri('free')}>;q=0.4`, `"Busy, Bob" <${busy.uri('busy')}>;q=0.8`];
    const first = await Sipp.start(scope, { scenario: answering.redirects(...contacts) });
    const phone = await connect(scope);
    await phone.dialAndConnect(first.uri());
    await Promise.all([first.done(), busy.done()]);
    phone.hangup();
    await phone.waitStatus(0);
    await free.done();
    const [one, other] = [await first.received(/^INVITE/), await free.received(/^INVITE/)];
    const callId = ({ text }: { text: string }) => /^Call-ID: *(\S+)/im.exec(text)?.[1];
    expect(callId(other)).toBe(callId(one));
    expect(other.text).toMatch(/^INVITE sip:free@/);
  });

  test.concurrent('to itself, or to what nobody may dial, has failed', async ({ scope }) => {
    const phone = await connect(scope);
    for (const contact of ['<sip:sipp@[local_ip]:[local_port]>', '<mailto:bob@example.com>', '<sips:bob@192.0.2.1>']) {
      const sipp = await Sipp.start(scope, { scenario: answering.redirects(contact) });
      phone.dial(sipp.uri());
      expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 302 });
      await sipp.done();
    }
  });

  test.concurrent('again and again is given up after five times', async ({ scope }) => {
    let next = `sip:nobody@${loopback}:9`;
    const hops: Sipp[] = [];
    for (let hop = 0; hop < 7; hop++) {
      const sipp = await Sipp.start(scope, { scenario: answering.redirects(`<${next}>`) });
      hops.unshift(sipp);
      next = sipp.uri(`hop${hop}`);
    }
    const phone = await connect(scope);
    phone.dial(next);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 302 });
    await Promise.all(hops.slice(0, 6).map((sipp) => sipp.done()));
    expect(await hops[6]?.messages()).toEqual([]);
  });
});
