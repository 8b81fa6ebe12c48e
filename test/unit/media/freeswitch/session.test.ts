import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { Direction, MediaFormat, SessionDescription } from '../../../../plugin/call/session-description.js';
import { buildRtp } from '../../../../plugin/media/rtp/rtp.js';
import { SrtpSession } from '../../../../plugin/media/srtp/srtp-session.js';
import { loopback } from '../../../support/ports.js';
import { RtpPeer } from '../../../support/rtp-peer.js';
import { test } from '../../../support/scope.js';
import { flv, wideband } from '../speex-frames.js';
import { UdpPeer } from '../udp-peer.js';
import { header, keyFrame } from '../video/h264.js';
import { rigWithServer, type TestCall, until } from './rig.js';

const speex: MediaFormat = { payloadType: 96, encoding: 'speex', clockRate: 16000 };
const opus: MediaFormat = { payloadType: 111, encoding: 'opus', clockRate: 48000, channels: 2 };
const g722: MediaFormat = { payloadType: 9, encoding: 'g722', clockRate: 8000 };
const pcmu: MediaFormat = { payloadType: 0, encoding: 'pcmu', clockRate: 8000 };
const g729: MediaFormat = { payloadType: 18, encoding: 'g729', clockRate: 8000 };
const events: MediaFormat = { payloadType: 101, encoding: 'telephone-event', clockRate: 8000 };

const describing = (
  port: number,
  formats: readonly MediaFormat[],
  direction: Direction = 'sendrecv',
): SessionDescription => ({
  address: loopback,
  media: [{ kind: 'audio', port, protocol: 'RTP/AVP', direction, formats }],
});
const audio = ({ media: [first] }: SessionDescription) => {
  if (!first) throw new Error('no audio');
  return first;
};
const names = (description: SessionDescription) =>
  audio(description).formats.map(({ encoding, clockRate }) => `${encoding.toLowerCase()}/${clockRate}`);
const numberIn = (description: SessionDescription, name: string) =>
  audio(description).formats[names(description).indexOf(name)]?.payloadType ?? -1;

/** The client speaks for a while. */
function speak({ session }: TestCall, count = 10): void {
  for (let frame = 0; frame < count; frame++) {
    session.write({ kind: 'audio', timestamp: frame * 20, payload: flv(wideband(frame)) });
  }
}

/** What the client said last, as the far end has it. */
const lastOf = (far: RtpPeer) =>
  far.packets.find('the last frame', ({ payload }) => payload.equals(Buffer.from(wideband(9))));

const packet = (payloadType: number, sequence: number, payload: Uint8Array = wideband(sequence)) => ({
  payloadType,
  marker: false,
  sequence,
  timestamp: sequence * 320,
  ssrc: 7,
  payload: Buffer.from(payload),
});

/** The far end speaks until the client hears it. */
async function hearFrom(far: RtpPeer, port: number, payloadType: number, { frames }: TestCall): Promise<void> {
  const before = frames.length;
  let sequence = 0;
  const timer = setInterval(() => far.send(packet(payloadType, sequence++), port), 5);
  try {
    await until(`the client hears payload type ${payloadType}`, () => frames.length >= before + 5);
  } finally {
    clearInterval(timer);
  }
}

describe('freeswitch: an outgoing call', () => {
  test('offers what FreeSWITCH offers, in our order, without video, and both sides hear each other', async ({
    scope,
  }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch');
    const { offer } = call.session;
    expect(names(offer)).toEqual([
      ...['speex/16000', 'speex/8000', 'opus/48000', 'g722/8000', 'pcmu/8000', 'pcma/8000'],
      ...['telephone-event/16000', 'telephone-event/8000', 'telephone-event/48000'],
    ]);
    expect(offer.media.length).toBe(1);
    expect(server.channels.some(({ port }) => port === audio(offer).port)).toBe(true);
    const number = numberIn(offer, 'speex/16000');
    await call.session.accept(describing(far.port, [{ ...speex, payloadType: number }]));
    expect(server.bridges).toBe(1);
    speak(call);
    expect(await lastOf(far)).toMatchObject({ payloadType: number });
    await hearFrom(far, audio(offer).port, number, call);
    const report = call.session.close();
    expect(report).toMatchObject({ engine: 'freeswitch', codec: 'speex/16000', server: `${loopback}:${server.port}` });
    await until('no channel is left', () => server.channels.length === 0);
  });

  test('hears a far end that receives under its own number and sends under ours', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch');
    const { offer } = call.session;
    await call.session.accept(describing(far.port, [{ ...speex, payloadType: 121 }]));
    speak(call);
    expect(await lastOf(far)).toMatchObject({ payloadType: 121 });
    await hearFrom(far, audio(offer).port, numberIn(offer, 'speex/16000'), call);
    await hearFrom(far, audio(offer).port, 121, call);
  });

  test('is told that there is nothing in common', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const call = await rig.call('freeswitch');
    await expect(call.session.accept(describing(9, [g729]))).rejects.toMatchObject({ code: 'NoCommonCodec' });
  });

  test('is refused when no server takes calls', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.paused = true;
    await rig.state(server.port, /^paused/);
    await expect(rig.call('freeswitch')).rejects.toMatchObject({ code: 'NoServer' });
  });
});

describe('freeswitch: a client that has another codec than Speex', () => {
  test.for([
    ['pcmu', pcmu, { codec: 'pcmu', payload: Buffer.alloc(161, 0x82) }, Buffer.alloc(160, 0x82)],
    [
      'opus',
      opus,
      { codec: 'opus', payload: Buffer.from('91' + '4f707573' + 'f8fffe', 'hex') },
      Buffer.from('f8fffe', 'hex'),
    ],
  ] as const)('%s passes through', async ([codec, format, sent, heard], { scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const { session } = await rig.call('freeswitch', false, { client: { receives: new Set([codec]) } });
    expect(names(session.offer)[0]).toBe(`${format.encoding}/${format.clockRate}`);
    await session.accept(describing(far.port, [format]));
    for (let frame = 0; frame < 20; frame++) {
      session.write({ kind: 'audio', timestamp: frame * 20, payload: Uint8Array.from(sent.payload) });
    }
    const is = ({ payload }: { payload: Buffer }) => payload.equals(heard);
    expect(await far.packets.find('the packet', is)).toMatchObject({ payloadType: format.payloadType });
    expect(session.close()).toMatchObject({ clientCodec: codec, transcodedFromClient: 0 });
  });
});

describe('freeswitch: an incoming call', () => {
  test("has no channels before it is answered; the answer has the offer's number for Speex, wherever it stood", async ({
    scope,
  }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch', true);
    const offer = describing(far.port, [pcmu, { ...speex, payloadType: 119 }, events]);
    call.session.check(offer);
    expect(server.channels).toEqual([]);
    const answer = await call.session.answer(offer);
    expect(audio(answer)).toMatchObject({
      direction: 'sendrecv',
      formats: [{ payloadType: 119 }, { payloadType: 101 }],
    });
    expect(server.bridges).toBe(1);
    speak(call);
    expect(await lastOf(far)).toMatchObject({ payloadType: 119 });
    await hearFrom(far, audio(answer).port, 119, call);
  });

  test('over SRTP is refused: FreeSWITCH is configured without', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const { session } = await rig.call('freeswitch', true);
    const [section] = describing(9, [pcmu]).media;
    if (!section) throw new Error('no section');
    const offer = { address: loopback, media: [{ ...section, protocol: 'RTP/SAVP' }] };
    expect(() => session.check(offer)).toThrow(expect.objectContaining({ code: 'NoCommonCodec' }));
    await expect(session.answer(offer)).rejects.toMatchObject({ code: 'NoCommonCodec' });
  });

  test('is put on hold and goes on', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch', true);
    await call.session.answer(describing(far.port, [pcmu]));
    speak(call);
    await far.waitPackets(10);
    const held = await call.session.answer(describing(far.port, [pcmu], 'sendonly'));
    expect(audio(held).direction).toBe('recvonly');
    const before = far.packets.all.length;
    speak(call);
    expect(call.session.close()).toMatchObject({ notSent: 10 });
    expect(far.packets.all.length).toBe(before);
  });

  test('has its audio taken out by the far end, and brought back', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch', true);
    await call.session.answer(describing(far.port, [speex]));
    const without = await call.session.answer(describing(0, [speex], 'inactive'));
    expect(audio(without).port).toBe(0);
    expect(call.session.reoffer('sendrecv').media[0]?.port).not.toBe(0);
    speak(call);
    expect(audio(await call.session.answer(describing(far.port, [speex]))).port).not.toBe(0);
    speak(call);
    await lastOf(far);
    expect(call.session.close()).toMatchObject({ notSent: 10 });
    await until('no channel is left', () => server.channels.length === 0);
  });

  test('that had no offer gets ours, and one to somebody else has all that FreeSWITCH serves', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const offered = await rig.call('freeswitch', true);
    await offered.session.answer(describing(9, [pcmu]));
    expect(names(offered.session.reoffer('sendrecv'))).toEqual(['pcmu/8000']);
    expect(names(offered.session.reoffer('sendrecv', true))).toEqual(
      expect.arrayContaining(['speex/16000', 'opus/48000', 'g722/8000', 'pcma/8000']),
    );
  });

  test('changes its codec in mid-call', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('freeswitch', true);
    const first = await call.session.answer(describing(far.port, [pcmu]));
    const second = await call.session.answer(describing(far.port, [g722]));
    expect(audio(second)).toMatchObject({ port: audio(first).port, formats: [{ payloadType: 9 }] });
    expect(server.channels.length).toBe(2);
    await hearFrom(far, audio(second).port, 9, call);
  });

  test('has one pair of channels for two answers to it at once', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session } = await rig.call('freeswitch', true);
    await Promise.all([session.answer(describing(9, [pcmu])), session.answer(describing(9, [g722]))]);
    expect([server.invites, server.bridges]).toEqual([2, 1]);
  });

  test('whose video is refused, and a section of audio more', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const call = await rig.call('freeswitch', true);
    const [section] = describing(9, [pcmu]).media;
    if (!section) throw new Error('no section');
    const video = { ...section, kind: 'video', port: 20000 };
    const { media } = await call.session.answer({ address: loopback, media: [video, section, { ...section }] });
    expect(media.map(({ kind, port }) => [kind, port > 0])).toEqual([
      ['video', false],
      ['audio', true],
      ['audio', false],
    ]);
  });

  test('that ends while its channels are being made leaves none', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const call = await rig.call('freeswitch', true);
    const answering = call.session.answer(describing(9, [pcmu]));
    call.session.close();
    await expect(answering).rejects.toMatchObject({ code: 'NoServer' });
    await until('no channel is left', () => server.channels.length === 0);
  });
});

describe('auto: an outgoing call', () => {
  test('offers our own socket: what passes first, then what FreeSWITCH adds', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session } = await rig.call('auto');
    expect(names(session.offer).slice(0, 6)).toEqual([
      ...['speex/16000', 'speex/8000', 'opus/48000', 'g722/8000', 'pcmu/8000', 'pcma/8000'],
    ]);
    expect(server.channels).toEqual([]);
  });

  test('passes Speex without FreeSWITCH', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    await call.session.accept(describing(far.port, [{ ...speex, payloadType: 98 }, pcmu]));
    speak(call);
    expect(await lastOf(far)).toMatchObject({ payloadType: 98 });
    await hearFrom(far, audio(call.session.offer).port, 96, call);
    expect(server.invites).toBe(0);
    expect(call.session.close()).toMatchObject({ engine: 'direct' });
  });

  test.for([
    ['opus under another number', opus, 102, Buffer.from([0xf8, 0xff, 0xfe])],
    ['G.722', g722, 9, Buffer.alloc(160)],
    ['PCMU', pcmu, 0, Buffer.alloc(160, 0xff)],
  ] as const)('has FreeSWITCH behind our socket for %s', async ([, format, offered, silence], { scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    const { port } = audio(call.session.offer);
    expect(numberIn(call.session.offer, `${format.encoding}/${format.clockRate}`)).toBe(offered);
    await call.session.accept(describing(far.port, [format, events]));
    expect(server.bridges).toBe(1);
    speak(call);
    const heard = await far.waitPackets(10);
    expect(heard.at(-1)).toMatchObject({ payloadType: format.payloadType, payload: silence });
    await hearFrom(far, port, offered, call);
    await hearFrom(far, port, format.payloadType, call);
    const report = call.session.close();
    expect(report).toMatchObject({
      engine: 'freeswitch',
      codec: `${format.encoding}/${format.clockRate}`,
    });
    expect(report.relayedToFarEnd).toBeGreaterThanOrEqual(10);
    await until('no channel is left', () => server.channels.length === 0);
  });

  test('has one pair of channels for two answers at once, an early one and the final', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session } = await rig.call('auto');
    await Promise.all([session.accept(describing(9, [pcmu])), session.accept(describing(9, [pcmu]))]);
    expect([server.invites, server.bridges]).toEqual([2, 1]);
    session.close();
    await until('no channel is left', () => server.channels.length === 0);
  });

  test('passes telephone events on', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    await call.session.accept(describing(far.port, [pcmu, events]));
    await hearFrom(far, audio(call.session.offer).port, 0, call);
    for (let sequence = 1; sequence <= 20; sequence++) {
      far.send(packet(101, sequence, Buffer.from([5, 0x80, 3, 32])), audio(call.session.offer).port);
    }
    await hearFrom(far, audio(call.session.offer).port, 0, call);
    expect(call.session.close()).toMatchObject({ telephoneEvents: 20 });
  });

  test('takes no packet of a stranger for the far end', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const [far, stranger] = [await RtpPeer.open(scope), await RtpPeer.open(scope)];
    const call = await rig.call('auto');
    const { port } = audio(call.session.offer);
    await call.session.accept(describing(far.port, [pcmu]));
    await hearFrom(far, port, 0, call);
    const received = () => server.channels.reduce((sum, channel) => sum + channel.received, 0);
    const before = received();
    const flood = 500;
    for (let sequence = 0; sequence < flood; sequence++) stranger.send(packet(0, sequence), port);
    far.send(packet(77, 1), port);
    await hearFrom(far, port, 0, call);
    expect(received()).toBeGreaterThan(before);
    expect(received()).toBeLessThan(before + flood);
  });

  test('has its audio taken out by the far end, and brought back', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    await call.session.accept(describing(far.port, [pcmu]));
    speak(call);
    await far.waitPackets(10);
    expect(audio(await call.session.answer(describing(0, [pcmu], 'inactive'))).port).toBe(0);
    const before = far.packets.all.length;
    speak(call);
    await until('FreeSWITCH has it', () => server.channels.some(({ received }) => received >= 20));
    expect(far.packets.all.length - before).toBeLessThan(5);
    expect(audio(await call.session.answer(describing(far.port, [pcmu]))).port).not.toBe(0);
    speak(call);
    await far.waitPackets(before + 10);
  });

  test('on hold is sent nothing', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    await call.session.accept(describing(far.port, [pcmu]));
    await call.session.accept(describing(far.port, [pcmu], 'inactive'));
    speak(call);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(far.packets.all).toEqual([]);
    await call.session.accept(describing(far.port, [pcmu]));
    speak(call);
    await far.waitPackets(5);
  });

  test('leaves FreeSWITCH when the codec passes after all, and comes back to it', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    const { port } = audio(call.session.offer);
    await call.session.accept(describing(far.port, [pcmu]));
    await hearFrom(far, port, 0, call);
    await call.session.accept(describing(far.port, [speex]));
    await until('no channel is left', () => server.channels.length === 0);
    await hearFrom(far, port, 96, call);
    speak(call);
    await far.packets.find('Speex', ({ payloadType }) => payloadType === 96);
    await call.session.accept(describing(far.port, [g722]));
    await hearFrom(far, port, 9, call);
    speak(call);
    await far.packets.find('G.722', ({ payloadType }) => payloadType === 9);
    expect(server.channels.length).toBe(2);
  });

  test('offers what the gateway can do alone when no server takes calls, and does', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.paused = true;
    await rig.state(server.port, /^paused/);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    expect(names(call.session.offer)).not.toContain('g722/8000');
    await call.session.accept(describing(far.port, [pcmu]));
    speak(call, 20);
    expect((await far.waitPackets(5)).at(-1)?.payloadType).toBe(0);
    expect(call.session.close()).toMatchObject({ engine: 'direct', codec: 'pcmu/8000' });
  });

  test('is transcoded in the gateway when every server fails at the answer', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto');
    server.refuseWith = '503 Maximum Calls In Progress';
    await call.session.accept(describing(far.port, [pcmu]));
    speak(call, 20);
    await far.waitPackets(5);
    expect(rig.log.all.map(({ message }) => message)).toContain('no FreeSWITCH for this call: transcoded here');
    expect(call.session.close()).toMatchObject({ engine: 'direct', codec: 'pcmu/8000' });
  });

  test('fails with the reason when the gateway cannot do it alone', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const call = await rig.call('auto');
    server.refuseWith = '503 Maximum Calls In Progress';
    await expect(call.session.accept(describing(9, [g722]))).rejects.toMatchObject({
      code: 'NoServer',
      message: expect.stringContaining('503'),
    });
  });

  test('is lost with its server, once', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const call = await rig.call('auto');
    await call.session.accept(describing(9, [pcmu]));
    await server.kill();
    await call.lost.find('the loss', (reason) => reason.includes('FreeSWITCH'));
    await rig.state(server.port, /^down/);
    expect(call.lost.all.length).toBe(1);
  });
});

describe('auto: an incoming call', () => {
  test('of Speex is answered without FreeSWITCH', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session } = await rig.call('auto', true);
    const offer = describing(9, [pcmu, speex]);
    session.check(offer);
    expect(names(await session.answer(offer))).toEqual(['speex/16000']);
    expect(server.invites).toBe(0);
  });

  test('of opus has FreeSWITCH behind our socket', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const call = await rig.call('auto', true);
    const offer = describing(far.port, [opus, events]);
    call.session.check(offer);
    const answer = await call.session.answer(offer);
    expect(audio(answer)).toMatchObject({ formats: [{ payloadType: 111, encoding: 'opus' }, { payloadType: 101 }] });
    expect(server.channels.every(({ port }) => port !== audio(answer).port)).toBe(true);
    await hearFrom(far, audio(answer).port, 111, call);
    speak(call);
    await far.waitPackets(10);
  });

  test('over SRTP is deciphered for FreeSWITCH and enciphered for the far end', async ({ scope }) => {
    const { rig } = await rigWithServer(scope);
    const far = await UdpPeer.open(scope);
    const call = await rig.call('auto', true);
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    const key = randomBytes(30);
    const [section] = describing(far.port, [pcmu]).media;
    if (!section) throw new Error('no section');
    const crypto = [{ tag: 1, suite, keyParameters: `inline:${key.toString('base64')}` }];
    const offer = { address: loopback, media: [{ ...section, protocol: 'RTP/SAVP', rtcpMux: true, crypto }] };
    call.session.check(offer);
    const answer = audio(await call.session.answer(offer));
    expect(answer).toMatchObject({ protocol: 'RTP/SAVP', rtcpMux: true, crypto: [{ tag: 1, suite }] });
    const ours = Buffer.from(answer.crypto?.[0]?.keyParameters.replace('inline:', '') ?? '', 'base64');
    const srtp = new SrtpSession({ suite, local: key, remote: ours });
    let sequence = 0;
    const speaking = setInterval(() => {
      const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 7 };
      void far.send(srtp.protectRtp(buildRtp(header, Buffer.alloc(160, 0xff))), answer.port);
      sequence++;
    }, 5);
    scope.defer(() => clearInterval(speaking));
    await until('the client hears it', () => call.frames.length >= 5);
    speak(call);
    await until('the far end hears it', () => {
      const opened = far.received.map(({ bytes }) => srtp.openRtp(Buffer.from(bytes)));
      return opened.some((packet) => typeof packet !== 'string' && packet.subarray(12).equals(Buffer.alloc(160, 0xff)));
    });
    expect(far.received.every(({ bytes }) => bytes.length === 12 + 160 + 10)).toBe(true);
  });

  test('of opus is refused at once while no server takes calls', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.paused = true;
    await rig.state(server.port, /^paused/);
    const { session } = await rig.call('auto', true);
    expect(() => session.check(describing(9, [opus]))).toThrow(expect.objectContaining({ code: 'NoCommonCodec' }));
    expect(() => session.check(describing(9, [pcmu]))).not.toThrow();
  });

  test('that ends while its channels are being made leaves none', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session } = await rig.call('auto', true);
    const answering = session.answer(describing(9, [opus]));
    session.close();
    await expect(answering).rejects.toMatchObject({ code: 'NoServer' });
    await until('no channel is left', () => server.channels.length === 0);
  });
});

describe('auto: video goes on beside audio that FreeSWITCH transcodes', () => {
  const h264: MediaFormat = {
    payloadType: 99,
    encoding: 'h264',
    clockRate: 90_000,
    parameters: 'profile-level-id=42e01f;packetization-mode=1',
  };
  const withVideo = (port: number, videoPort: number): SessionDescription => {
    const { media } = describing(port, [pcmu]);
    return {
      address: loopback,
      media: [
        ...media,
        { kind: 'video', port: videoPort, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [h264] },
      ],
    };
  };

  test.for(['outgoing', 'incoming'] as const)('in an %s call', async (direction, { scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const [far, picture] = [await RtpPeer.open(scope), await RtpPeer.open(scope)];
    const call = await rig.call('auto', direction === 'incoming', { video: () => ({}) });
    const description = withVideo(far.port, picture.port);
    const ours = direction === 'incoming' ? await call.session.answer(description) : call.session.offer;
    if (direction === 'outgoing') await call.session.accept(description);
    expect(ours.media.map(({ kind, port }) => [kind, port > 0])).toEqual([
      ['audio', true],
      ['video', true],
    ]);
    expect(server.bridges).toBe(1);
    call.session.write({ kind: 'video', timestamp: 0, payload: header });
    call.session.write({ kind: 'video', timestamp: 0, payload: keyFrame() });
    await picture.packets.find('a picture', ({ payloadType }) => payloadType === 99);
    await hearFrom(far, audio(ours).port, 0, call);
    expect(call.session.close()).toMatchObject({ engine: 'freeswitch', videoCodec: expect.stringMatching(/h264/i) });
  });
});
