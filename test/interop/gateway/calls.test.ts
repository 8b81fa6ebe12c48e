import { expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { type Audio, LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { decodeSpeex, encodeSpeex, speak } from '../../support/speech.js';

const gateway = useGateway();
const speech = await speak();
const frames = await encodeSpeex(speech);

const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());
const hexOf = (messages: readonly Uint8Array[]) => messages.map((message) => Buffer.from(message).toString('hex'));
const heard = (audio: readonly Audio[]) => audio.map(({ hex }) => hex);
const steps = (values: readonly number[]) => values.slice(1).map((value, index) => value - (values[index] ?? 0));

/** The payload type that the gateway offered for speex/16000. */
async function offeredPayloadType(sipp: Sipp): Promise<number> {
  const { text } = await sipp.received(/^INVITE/);
  return Number(/a=rtpmap:(\d+) speex\/16000/.exec(text)?.[1]);
}

test.concurrent('a call to the echo: 1, 4, 2, every frame back byte for byte, hangup: 3, 0', async ({ scope }) => {
  const phone = await connect(scope);
  expect(await phone.register()).toMatch(/^sip:.+@127\.0\.0\.1/);
  await phone.dialAndConnect(gateway().sipUri('echo'));
  await phone.send(frames);
  const audio = await phone.waitAudio(frames.length);
  phone.hangup();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
  expect(heard(audio)).toEqual(hexOf(frames));
  expect(new Set(steps(audio.map(({ timestamp }) => timestamp)))).toEqual(new Set([20]));
  expect(await gateway().callEnded(gateway().sipUri('echo'))).toMatchObject({ result: 'completed' });
});

test.concurrent('statuses arrive where the phone looks for them: message stream 0, chunk stream 3, no transaction', async ({
  scope,
}) => {
  const phone = await connect(scope);
  phone.dial(gateway().sipUri('busy'));
  await phone.waitStatus(0);
  const pushes = phone.events.all.flatMap((event) =>
    event.event === 'command' && event.name === 'onStatus' ? [event] : [],
  );
  expect(pushes).toMatchObject([
    { csid: 3, msid: 0, transaction: 0, args: [{ level: 'status', code: 'Sono.Call.Status', status_code: 1 }] },
    {
      csid: 3,
      msid: 0,
      transaction: 0,
      args: [{ level: 'status', code: 'Sono.Call.Status', status_code: 0, sip_status: 486 }],
    },
  ]);
});

test.concurrent.for([2, 3])(
  '%i frames in a message become one RTP packet each',
  async (framesPerMessage, { scope }) => {
    const messages = await encodeSpeex(speech, { framesPerMessage });
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(2);
    await phone.waitStreams();
    peer.echoAs = await offeredPayloadType(sipp);
    await phone.send(messages, { ms: 20 * framesPerMessage });
    const count = messages.length * framesPerMessage;
    const packets = await peer.waitPackets(count);
    expect(new Set(steps(packets.map(({ timestamp }) => timestamp)))).toEqual(new Set([320]));
    const audio = await phone.waitAudio(count);
    phone.hangup();
    await sipp.done();

    expect(audio.length).toBe(count);
    const said = await decodeSpeex(messages.map((message) => message.subarray(1)));
    const sent = await decodeSpeex(packets.map(({ payload }) => payload));
    const returned = await decodeSpeex(audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1)));
    expect(Buffer.from(sent.buffer).equals(Buffer.from(said.buffer))).toBe(true);
    expect(Buffer.from(returned.buffer).equals(Buffer.from(said.buffer))).toBe(true);
  },
);

test.concurrent('a callee with another payload type number is heard and hears', async ({ scope }) => {
  const payloadType = 121;
  const peer = await RtpPeer.open(scope);
  const sipp = await Sipp.start(scope, { scenario: callee.answers({ payloadType }), rtpPort: peer.port });
  const phone = await connect(scope);
  phone.dial(sipp.uri());
  await phone.waitStatus(2);
  await phone.waitStreams();
  const offered = await offeredPayloadType(sipp);
  expect(offered).not.toBe(payloadType);
  peer.echoAs = offered;
  await phone.send(frames);
  const packets = await peer.waitPackets(frames.length);
  const audio = await phone.waitAudio(frames.length);
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();

  expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  expect(await sipp.flow()).toEqual(['> INVITE', '< 180', '< 200', '> ACK', '> BYE', '< 200']);
  expect(packets.map(({ payload }) => payload.toString('hex'))).toEqual(
    hexOf(frames.map((frame) => frame.subarray(1))),
  );
  expect(heard(audio)).toEqual(hexOf(frames));
  const [first, ...rest] = packets;
  expect(first).toMatchObject({ payloadType, marker: true });
  expect(rest.every((packet) => packet.payloadType === payloadType && packet.ssrc === first?.ssrc)).toBe(true);
  expect(new Set(steps(packets.map(({ sequence }) => sequence)).map((step) => step & 0xffff))).toEqual(new Set([1]));
  expect(new Set(steps(packets.map(({ timestamp }) => timestamp)).map((step) => step >>> 0))).toEqual(new Set([320]));
});

test.concurrent('sipp itself echoes, over TCP', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.answers(), transport: 'tcp' });
  const phone = await connect(scope);
  await phone.dialAndConnect(`${sipp.uri()};transport=tcp`);
  await phone.send(frames);
  const audio = await phone.waitAudio(frames.length);
  phone.hangup();
  await sipp.done();
  expect(heard(audio)).toEqual(hexOf(frames));
});

test.concurrent('packets that overtake one another or come twice are heard once and in order', async ({ scope }) => {
  let held: Buffer | undefined;
  const peer = await RtpPeer.open(scope, {
    network: (packet, send) => {
      if (held === undefined) {
        held = packet;
        return;
      }
      for (const bytes of [packet, held, packet]) send(bytes);
      held = undefined;
    },
  });
  const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
  const phone = await connect(scope);
  phone.dial(sipp.uri());
  await phone.waitStatus(2);
  await phone.waitStreams();
  peer.echoAs = await offeredPayloadType(sipp);
  const sent = frames.slice(0, 2 * Math.floor(frames.length / 2));
  await phone.send(sent);
  // The very first two may arrive as the start of the stream, without anything to be ordered by.
  await phone.waitAudio(sent.length - 1);
  phone.hangup();
  await sipp.done();
  expect(heard(phone.audio).slice(-(sent.length - 2))).toEqual(hexOf(sent.slice(2)));
  const { media } = await gateway().callEnded(sipp.uri());
  expect(media).toMatchObject({ duplicates: sent.length / 2 });
});

test.concurrent('timestamps follow the client over the wrap of 24 and of 32 bits', async ({ scope }) => {
  for (const wrap of [2 ** 24, 2 ** 32]) {
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const phone = await connect(scope);
    await phone.dialAndConnect(sipp.uri());
    const some = frames.slice(0, 40);
    await phone.send(some, { timestamp: wrap - 20 * 20 });
    const packets = await peer.waitPackets(some.length);
    phone.hangup();
    await sipp.done();
    expect(packets.map(({ payload }) => payload.toString('hex'))).toEqual(
      hexOf(some.map((frame) => frame.subarray(1))),
    );
    expect(new Set(steps(packets.map(({ timestamp }) => timestamp)).map((step) => step >>> 0))).toEqual(new Set([320]));
  }
});

test.concurrent('two calls at a time do not touch one another', async ({ scope }) => {
  const others = await encodeSpeex(await speak('Nothing of all this was ever mentioned by anybody over there.'));
  const [alice, bob] = await Promise.all([connect(scope), connect(scope)]);
  await Promise.all([alice, bob].map((phone) => phone.dialAndConnect(gateway().sipUri('echo'))));
  await Promise.all([alice.send(others), bob.send(frames)]);
  await alice.waitAudio(others.length);
  alice.hangup();
  await alice.waitStatus(0);
  const before = bob.audio.length;
  await bob.send(frames.slice(0, 20), { timestamp: frames.length * 20 });
  await bob.waitAudio(frames.length + 20);
  expect(before).toBeLessThanOrEqual(frames.length);
  expect(heard(alice.audio)).toEqual(hexOf(others));
  expect(heard(bob.audio)).toEqual(hexOf([...frames, ...frames.slice(0, 20)]));
  expect(bob.statuses).toEqual([1, 4, 2]);
  bob.hangup();
  await bob.waitStatus(0);
});

test.concurrent('one phone calls again and again', async ({ scope }) => {
  const phone = await connect(scope);
  for (let call = 1; call <= 3; call++) {
    const before = phone.audio.length;
    await phone.dialAndConnect(gateway().sipUri('echo'));
    await phone.send(frames.slice(0, 25));
    await phone.waitAudio(before + 25);
    phone.hangup();
    await phone.waitStatus(0);
    expect(heard(phone.audio.slice(before))).toEqual(hexOf(frames.slice(0, 25)));
  }
  expect(phone.statuses).toEqual([1, 4, 2, 3, 0, 1, 4, 2, 3, 0, 1, 4, 2, 3, 0]);
});
