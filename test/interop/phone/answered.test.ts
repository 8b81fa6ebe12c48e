import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { caller } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { callFrom, flowOf } from './support/callers.js';
import { goOn } from './support/go-on.js';

/** SIPp calls an RTMP phone, which takes the call. */
const gateway = useGateway();
const frames = await encodeSpeex(await speak('One, two, three.'));
const hexOf = (messages: readonly Uint8Array[]) => messages.map((message) => Buffer.from(message).toString('hex'));
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());

// Slow, and therefore first: the answer is repeated for 64 * T1 = 32 s before it is given up (RFC 3261 section 13.3.1.4).
test.concurrent('an answer that is never confirmed is repeated, and after 32 s comes a BYE and 0', async ({
  scope,
}) => {
  const phone = await connect(scope);
  const sipp = await callFrom(scope, await phone.register(), caller.neverConfirms());
  await phone.waitIncoming();
  phone.accept();
  const answer = await sipp.received(/^SIP\/2\.0 200/);
  const bye = await sipp.received(/^BYE/, 45_000);
  await sipp.done();
  await phone.waitStatus(0);
  expect(bye.at - answer.at).toBeGreaterThan(30_000);
  expect(phone.statuses).toEqual([4, 2, 0]);
  const answers = (await sipp.flow()).filter((line) => line === '> 200');
  expect(answers.length).toBeGreaterThanOrEqual(8);
}, 70_000);

test.concurrent('both hear every frame, under the payload type of the caller; the caller hangs up: 4, 2, 0', async ({
  scope,
}) => {
  const payloadType = 121;
  const peer = await RtpPeer.open(scope);
  peer.echoAs = payloadType;
  const phone = await connect(scope);
  const uri = await phone.register();
  const sipp = await callFrom(scope, uri, caller.hangsUpWhenTold({ payloadType }), { rtpPort: peer.port });
  const incoming = await phone.acceptAndConnect();
  await phone.send(frames);
  const packets = await peer.waitPackets(frames.length);
  const audio = await phone.waitAudio(frames.length);
  await goOn(sipp);
  await phone.waitStatus(0);
  await sipp.done();

  expect(incoming).toMatchObject({ uri: uri.slice('sip:'.length).split('@')[0], from: sipp.uri() });
  expect(phone.statuses).toEqual([4, 2, 0]);
  expect(packets.map(({ payload }) => payload.toString('hex'))).toEqual(
    hexOf(frames.map((frame) => frame.subarray(1))),
  );
  expect(packets.every((packet) => packet.payloadType === payloadType)).toBe(true);
  expect(audio.map(({ hex }) => hex)).toEqual(hexOf(frames));
  expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 180', '> 200', '< ACK', '> INFO', '< BYE', '> 200']);
  const { text } = await sipp.received(/^SIP\/2\.0 200/);
  expect(text).toMatch(/^m=audio \d+ RTP\/AVP 121\r?$/m);
  expect(text).toMatch(/^a=rtpmap:121 speex\/16000(?:\/1)?\r?$/im);
});

test.concurrent('the phone hangs up: 4, 2, 3, 0, and BYE to the caller', async ({ scope }) => {
  const peer = await RtpPeer.open(scope);
  const phone = await connect(scope);
  const sipp = await callFrom(scope, await phone.register(), caller.isHungUpOn(), { rtpPort: peer.port });
  await phone.acceptAndConnect();
  await phone.send(frames.slice(0, 10));
  await peer.waitPackets(10);
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  expect(phone.statuses).toEqual([4, 2, 3, 0]);
  expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 180', '> 200', '< ACK', '> BYE', '< 200']);
});

test.concurrent('the phone vanishes: BYE within a second', async ({ scope }) => {
  const peer = await RtpPeer.open(scope);
  const phone = await connect(scope);
  const sipp = await callFrom(scope, await phone.register(), caller.isHungUpOn(), { rtpPort: peer.port });
  await phone.acceptAndConnect();
  phone.startSending(frames);
  await peer.waitPackets(10);
  await phone.vanish();
  const gone = Date.now();
  const bye = await sipp.received(/^BYE/);
  // SIPp's own clock: when it was written down, not when it was looked at.
  expect(bye.at - gone).toBeLessThan(1000);
  await sipp.done();
});

describe('over TCP', () => {
  test.concurrent('the caller hangs up: 4, 2, 0', async ({ scope }) => {
    const phone = await connect(scope);
    const uri = await phone.register();
    const sipp = await callFrom(scope, uri, caller.talks({ payloadType: 117, ms: 1 }), { transport: 'tcp' });
    await phone.waitIncoming();
    phone.accept();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([4, 2, 0]);
  });

  test.concurrent('both hear every frame, the phone hangs up: 4, 2, 3, 0', async ({ scope }) => {
    const phone = await connect(scope);
    // Without an RtpPeer, SIPp itself sends back what it hears.
    const sipp = await callFrom(scope, await phone.register(), caller.isHungUpOn(), { transport: 'tcp' });
    await phone.acceptAndConnect();
    await phone.send(frames);
    const audio = await phone.waitAudio(frames.length);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([4, 2, 3, 0]);
    expect(audio.map(({ hex }) => hex)).toEqual(hexOf(frames));
  });
});
