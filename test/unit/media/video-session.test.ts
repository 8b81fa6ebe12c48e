import { describe, expect } from 'vitest';
import type { ClientFrame, ClientVideo, MediaOptions, MediaSession } from '../../../plugin/call/ports.js';
import type { MediaDescription, MediaFormat, SessionDescription } from '../../../plugin/call/session-description.js';
import { DirectMedia } from '../../../plugin/media/direct.js';
import { buildRtcp, parseRtcp, type RtcpPacket } from '../../../plugin/media/rtp/rtcp.js';
import { buildNack, buildPli } from '../../../plugin/media/rtp/rtcp-feedback.js';
import { buildRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import { distance32 } from '../../../plugin/media/rtp/serial.js';
import { buildFrameMessage } from '../../../plugin/media/video/flv-avc.js';
import { freePortRange } from '../../support/ports.js';
import { documentedFigures } from '../../support/readme-figures.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from './fake-clock.js';
import { flv, wideband } from './speex-frames.js';
import { UdpPeer } from './udp-peer.js';
import { header, hex, interFrame, keyFrame, pps, slice, sps } from './video/h264.js';

const loopback = '127.0.0.1';
const speex: MediaFormat = { payloadType: 96, encoding: 'speex', clockRate: 16_000 };
const h264: MediaFormat = {
  payloadType: 99,
  encoding: 'h264',
  clockRate: 90_000,
  parameters: 'profile-level-id=42e01f;packetization-mode=1',
  feedback: ['nack', 'nack pli'],
};

/** One call with video, and the sockets of its far end. */
class Call {
  readonly clock = new FakeClock();
  readonly frames: ClientFrame[] = [];
  readonly lost: string[] = [];
  wanted = 0;
  needed = 0;
  video: ClientVideo | undefined = {};
  readonly ports: { readonly min: number; readonly max: number };
  readonly media: DirectMedia;
  readonly audio: Ends;
  readonly picture: Ends;
  readonly #scope: Scope;

  private constructor(scope: Scope, ports: Call['ports'], audio: Ends, picture: Ends, video: boolean) {
    this.#scope = scope;
    this.ports = ports;
    this.audio = audio;
    this.picture = picture;
    this.media = new DirectMedia({ host: loopback, ports, clock: this.clock, video });
  }

  static async open(scope: Scope, { pairs = 2, video = true } = {}): Promise<Call> {
    const ports = await freePortRange(pairs * 2);
    return new Call(scope, ports, await openEnds(scope), await openEnds(scope), video);
  }

  async session(options: Partial<MediaOptions> = {}): Promise<MediaSession> {
    const session = await this.media.open({
      callId: 'test',
      player: { play: (frame) => this.frames.push(frame) > 0 },
      lost: (reason) => this.lost.push(reason),
      video: () => this.video,
      keyFrameWanted: () => this.wanted++,
      keyFrameNeeded: () => this.needed++,
      ...options,
    });
    this.#scope.defer(() => session.close());
    return session;
  }

  /** The far end's description: audio, then video unless it refuses it. */
  description(video: Partial<MediaDescription> = {}): SessionDescription {
    return {
      address: loopback,
      media: [
        { kind: 'audio', protocol: 'RTP/AVP', port: this.audio.rtp.port, direction: 'sendrecv', formats: [speex] },
        {
          ...{
            kind: 'video',
            protocol: 'RTP/AVP',
            port: this.picture.rtp.port,
            direction: 'sendrecv',
            formats: [h264],
          },
          rtcpPort: this.picture.rtcp.port,
          ...video,
        },
      ],
    };
  }

  /** A call in which both have agreed on video. */
  async answered(): Promise<MediaSession> {
    const session = await this.session();
    await session.accept(this.description());
    return session;
  }
}

interface Ends {
  readonly rtp: UdpPeer;
  readonly rtcp: UdpPeer;
}

async function openEnds(scope: Scope): Promise<Ends> {
  const { min } = await freePortRange(2);
  return { rtp: await UdpPeer.open(scope, { port: min }), rtcp: await UdpPeer.open(scope, { port: min + 1 }) };
}

const video = (timestamp: number, payload: Uint8Array): ClientFrame => ({ kind: 'video', timestamp, payload });
const sectionOf = ({ media }: SessionDescription): MediaDescription | undefined =>
  media.find(({ kind }) => kind === 'video');

/** Waits for real sockets. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('offering', () => {
  test('video in a section of its own, on a port pair of its own, in both modes and with feedback', async ({
    scope,
  }) => {
    const call = await Call.open(scope);
    const { offer } = await call.session();
    expect(offer.media.map(({ kind }) => kind)).toEqual(['audio', 'video']);
    const section = sectionOf(offer);
    expect(section).toMatchObject({ protocol: 'RTP/AVP', direction: 'sendrecv' });
    expect(new Set(offer.media.map(({ port }) => port))).toEqual(new Set([call.ports.min, call.ports.min + 2]));
    expect(section?.formats.map(({ parameters }) => parameters)).toEqual([
      'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
      'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0',
    ]);
    expect(section?.formats[0]?.feedback).toEqual(['nack', 'nack pli', 'ccm fir']);
  });

  test('the profile and the parameter sets of a client that sends already', async ({ scope }) => {
    const call = await Call.open(scope);
    call.video = { sequenceHeader: header };
    const { offer } = await call.session();
    const [format] = sectionOf(offer)?.formats ?? [];
    expect(format?.parameters).toContain('profile-level-id=42c01f;');
    expect(format?.parameters).toContain(
      `sprop-parameter-sets=${[sps, pps].map((nal) => Buffer.from(nal).toString('base64')).join(',')}`,
    );
  });

  test('none for a client without video, and where it is turned off: one port pair is enough', async ({ scope }) => {
    const call = await Call.open(scope, { pairs: 1 });
    call.video = undefined;
    expect((await call.session()).offer.media.length).toBe(1);
    const off = await Call.open(scope, { pairs: 1, video: false });
    expect((await off.session()).offer.media.length).toBe(1);
  });

  test('audio alone when no second port pair is free', async ({ scope }) => {
    const call = await Call.open(scope, { pairs: 1 });
    expect((await call.session()).offer.media.length).toBe(1);
  });

  test('a far end that refuses video gets audio; the ports are free again, and the section stays refused', async ({
    scope,
  }) => {
    const call = await Call.open(scope);
    const session = await call.session();
    await session.accept(call.description({ port: 0 }));
    expect(session.offer.media.map(({ port }) => port === 0)).toEqual([false, true]);
    session.write(video(0, keyFrame()));
    call.clock.advance(2_000);
    call.video = undefined;
    expect((await call.session()).offer.media.length).toBe(1);
    expect(session.close()).not.toHaveProperty('videoCodec');
  });
});

describe('answering', () => {
  test('video to a client that wants it: mode 1, the numbers and the profile of the offer', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.session({ incoming: true });
    const zero = { ...h264, payloadType: 97, parameters: 'profile-level-id=640028' };
    const answer = await session.answer(call.description({ formats: [zero, h264], protocol: 'RTP/AVPF' }));
    const section = sectionOf(answer);
    expect(section).toMatchObject({ kind: 'video', protocol: 'RTP/AVPF', direction: 'sendrecv' });
    expect(section?.port).toBeGreaterThan(0);
    expect(section?.formats).toEqual([
      {
        ...{ payloadType: 99, encoding: 'h264', clockRate: 90_000, feedback: ['nack', 'nack pli'] },
        parameters: 'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
      },
    ]);
  });

  test.for([
    ['a client that wants none', undefined, {}],
    ['VP8', {}, { formats: [{ payloadType: 100, encoding: 'vp8', clockRate: 90_000 }] }],
    ['the interleaved mode', {}, { formats: [{ ...h264, parameters: 'packetization-mode=2' }] }],
    ['another transport', {}, { protocol: 'UDP/TLS/RTP/SAVPF' }],
  ] as [string, ClientVideo | undefined, Partial<MediaDescription>][])(
    'refuses with port 0: %s',
    async ([, wish, section], { scope }) => {
      const call = await Call.open(scope, { pairs: 1 });
      call.video = wish;
      const session = await call.session({ incoming: true });
      const offer = call.description(section);
      const answer = await session.answer({ ...offer, media: [...offer.media].reverse() });
      expect(answer.media.map(({ kind, port }) => `${kind} ${port === 0}`)).toEqual(['video true', 'audio false']);
    },
  );

  test('video that a later offer adds, and audio alone when one takes it away', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.session({ incoming: true });
    const audioOnly = { ...call.description(), media: call.description().media.slice(0, 1) };
    expect((await session.answer(audioOnly)).media.length).toBe(1);
    const added = await session.answer(call.description());
    const port = sectionOf(added)?.port ?? 0;
    expect(port).toBeGreaterThan(0);
    // Again the same: the same port.
    expect(sectionOf(await session.answer(call.description()))?.port).toBe(port);
    expect(sectionOf(await session.answer(call.description({ port: 0 })))?.port).toBe(0);
    expect(session.close()).toMatchObject({ videoCodec: 'h264/90000 mode 1' });
  });

  test('a call that ends while sockets are being opened gives them back', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.session({ incoming: true });
    const answering = session.answer(call.description());
    session.close();
    expect(sectionOf(await answering)?.port).toBe(0);
    call.clock.advance(2_000);
    expect((await call.session()).offer.media.length).toBe(2);
  });

  test('an offer that comes while sockets are being opened shares them', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.session({ incoming: true });
    const answers = await Promise.all([session.answer(call.description()), session.answer(call.description())]);
    expect(new Set(answers.map((answer) => sectionOf(answer)?.port)).size).toBe(1);
  });
});

describe('an answered call', () => {
  test('carries pictures both ways', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    session.write(video(0, keyFrame()));
    await until(() => call.picture.rtp.received.length === 1, 'the picture');
    expect(call.picture.rtp.rtp[0]).toMatchObject({ payloadType: 99, marker: true });

    const port = sectionOf(session.offer)?.port ?? 0;
    for (const [sequence, nal] of [sps, pps, slice(5)].entries()) {
      const head = { payloadType: 102, marker: sequence === 2, sequence, timestamp: 0, ssrc: 5 };
      await call.picture.rtp.send(buildRtp(head, nal), port);
    }
    await until(() => call.frames.length === 2, 'its messages');
    expect(call.frames.map(({ payload }) => hex(payload.subarray(0, 2)))).toEqual(['1700', '1701']);
    expect(session.close()).toMatchObject({
      videoFramesSent: 1,
      videoFramesReceived: 1,
      videoSizeReceived: '1280x720',
    });
  });

  test('begins with what the client sent since its key frame', async ({ scope }) => {
    const call = await Call.open(scope);
    call.video = { sequenceHeader: header, recent: [video(0, keyFrame()), video(33, interFrame(1))] };
    const session = await call.answered();
    session.write(video(66, interFrame(2)));
    await until(() => call.picture.rtp.received.length === 3, 'three pictures');
    expect(
      call.picture.rtp.rtp.map(
        ({ timestamp }, index, [first]) => (timestamp - (first?.timestamp ?? 0)) / 90 - index * 33,
      ),
    ).toEqual([0, 0, 0]);
  });

  test('on hold sends nothing, and then goes on with a key frame', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    session.write(video(0, keyFrame()));
    await session.accept(call.description({ direction: 'inactive' }));
    session.write(video(33, interFrame()));
    await session.accept(call.description());
    session.write(video(66, interFrame()));
    session.write(video(99, keyFrame()));
    await until(() => call.picture.rtp.received.length === 2, 'two key frames');
    expect(session.close()).toMatchObject({ videoFramesSent: 2, videoNotSent: 1, videoDroppedFromClient: 1 });
  });

  test('spreads a large picture over milliseconds, and keeps its order', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    session.write(video(0, buildFrameMessage([slice(5, { length: 60_000 })], 0)));
    session.write(video(1, interFrame()));
    await until(() => call.picture.rtp.received.length === 10, 'ten packets');
    expect(call.picture.rtp.received.length).toBe(10);
    call.clock.advance(1);
    await until(() => call.picture.rtp.received.length === 20, 'ten more');
    call.clock.advance(10);
    await until(() => call.picture.rtp.received.length === 53, 'all');
    const sequences = call.picture.rtp.rtp.map(
      ({ sequence }, _, [first]) => (sequence - (first?.sequence ?? 0)) & 0xffff,
    );
    expect(sequences).toEqual(Array.from({ length: 53 }, (_, index) => index));
  });
});

describe('SRTP', () => {
  /** A session that answers another's offer, so that each is the other's far end. */
  async function pair(scope: Scope, offering: 'accept' | 'offer' | 'require', answering: 'off' | 'accept') {
    const frames: ClientFrame[] = [];
    const open = async (srtp: 'off' | 'accept' | 'offer' | 'require', incoming: boolean) => {
      const media = new DirectMedia({ host: loopback, ports: await freePortRange(4), clock: new FakeClock(), srtp });
      const session = await media.open({
        ...{ callId: 'test', incoming, lost: () => {}, video: () => ({}) },
        player: { play: (frame) => frames.push(frame) > 0 },
      });
      scope.defer(() => session.close());
      return session;
    };
    const [caller, callee] = [await open(offering, false), await open(answering, true)];
    await caller.accept(await callee.answer(caller.offer));
    return { caller, callee, frames };
  }

  test('protects the pictures where both sides want it, with keys of their own', async ({ scope }) => {
    const { caller, callee, frames } = await pair(scope, 'offer', 'accept');
    const [audio, picture] = caller.offer.media;
    expect(picture?.crypto?.[0]?.keyParameters).toMatch(/^inline:/);
    expect(picture?.crypto?.[0]?.keyParameters).not.toBe(audio?.crypto?.[0]?.keyParameters);
    caller.write(video(0, header));
    caller.write(video(0, keyFrame()));
    await until(() => frames.length === 2, 'the picture');
    const [sent, received] = [caller.close(), callee.close()];
    expect(sent).toMatchObject({ videoSrtp: expect.stringMatching(/^A/), videoFramesSent: 1, videoKeyFramesSent: 1 });
    expect(received).toMatchObject({ videoFramesReceived: 1, videoForged: 0, videoMalformed: 0 });
    expect(received).toMatchObject({
      videoPacketsReceived: sent.videoPacketsSent,
      videoBytesReceived: sent.videoBytesSent,
    });
    const told = new Set([...Object.keys(sent), ...Object.keys(received)].filter((name) => name.startsWith('video')));
    // The time to the far end and back is known when it has reported.
    const documented = documentedFigures('figures of video').filter((name) => name !== 'videoRoundTripMs');
    expect([...told].sort()).toEqual(documented.sort());
  });

  test('is not used where one side has none', async ({ scope }) => {
    const { caller, callee, frames } = await pair(scope, 'offer', 'off');
    caller.write(video(0, header));
    caller.write(video(0, keyFrame()));
    await until(() => frames.length === 2, 'the picture');
    expect(caller.close()).not.toHaveProperty('videoSrtp');
    expect(callee.close()).toMatchObject({ videoFramesReceived: 1 });
  });

  test('that video alone has no keys for costs the video, not the call', async ({ scope }) => {
    const media = new DirectMedia({
      host: loopback,
      ports: await freePortRange(4),
      clock: new FakeClock(),
      srtp: 'require',
    });
    const session = await media.open({
      ...{ callId: 'test', incoming: true, lost: () => {}, player: { play: () => true }, video: () => ({}) },
    });
    scope.defer(() => session.close());
    const call = await Call.open(scope);
    const [audio, picture] = call.description().media;
    if (audio === undefined || picture === undefined) throw new Error('no sections');
    const keyParameters = `inline:${Buffer.alloc(30, 7).toString('base64')}`;
    const crypto = [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keyParameters }];
    const answer = await session.answer({
      address: loopback,
      media: [{ ...audio, protocol: 'RTP/SAVP', crypto }, picture],
    });
    expect(answer.media.map(({ port }) => port > 0)).toEqual([true, false]);
  });
});

describe('feedback', () => {
  const rtcpOf = (ends: Ends): RtcpPacket[] =>
    ends.rtcp.received.flatMap(({ bytes }) => {
      const packets = parseRtcp(bytes);
      return typeof packets === 'string' ? [] : [...packets];
    });

  async function told(call: Call, session: MediaSession, ...feedback: Buffer[]): Promise<void> {
    const port = (sectionOf(session.offer)?.port ?? 0) + 1;
    const report = buildRtcp({ ssrc: 5, cname: 'far' });
    for (const message of feedback) await call.picture.rtcp.send(Buffer.concat([report, message]), port);
  }

  test('the far end gets packets again that it asks for', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    session.write(video(0, keyFrame()));
    session.write(video(33, interFrame()));
    await until(() => call.picture.rtp.received.length === 2, 'two packets');
    const [first] = call.picture.rtp.rtp;
    await told(call, session, buildNack(5, first?.ssrc ?? 0, [first?.sequence ?? 0]));
    await until(() => call.picture.rtp.received.length === 3, 'the first one again');
    expect(hex(call.picture.rtp.received[2]?.bytes ?? Buffer.alloc(0))).toBe(hex(first?.bytes ?? Buffer.alloc(0)));
    expect(session.close()).toMatchObject({ videoNacksReceived: 1, videoRetransmitted: 1 });
  });

  test("the far end's wish for a key frame reaches the client, a flood of them twice a second", async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    session.write(video(0, keyFrame()));
    await until(() => call.picture.rtp.received.length === 1, 'a packet');
    const ssrc = call.picture.rtp.rtp[0]?.ssrc ?? 0;
    await told(call, session, ...Array.from({ length: 50 }, () => buildPli(5, ssrc)), buildPli(5, ssrc + 1));
    await until(() => call.wanted === 1, 'the first wish');
    call.clock.advance(500);
    await told(call, session, buildPli(5, ssrc));
    await until(() => call.wanted === 2, 'the second wish');
    expect(session.close()).toMatchObject({ videoKeyFramesRequestedByFarEnd: 51 });
  });

  test('a far end is asked for packets that are missing, and for a key frame to begin with', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    const port = sectionOf(session.offer)?.port ?? 0;
    for (const sequence of [7, 10]) {
      const head = { payloadType: 102, marker: true, sequence, timestamp: sequence * 3_000, ssrc: 5 };
      await call.picture.rtp.send(buildRtp(head, slice(1)), port);
    }
    await until(() => rtcpOf(call.picture).some(({ type }) => type === 'pli'), 'a PLI');
    call.clock.advance(20);
    await until(() => rtcpOf(call.picture).some(({ type }) => type === 'nack'), 'a NACK');
    expect(rtcpOf(call.picture)).toContainEqual({ type: 'nack', ssrc: 5, sequences: [8, 9] });
    expect(rtcpOf(call.picture)).toContainEqual({ type: 'pli', ssrc: 5 });
    expect(session.close()).toMatchObject({ videoNacksSent: 2, videoKeyFramesRequested: 1 });
  });

  test('one that has not said that it takes feedback is asked by signalling too', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.session();
    const { feedback: _, ...silent } = h264;
    await session.accept(call.description({ formats: [silent] }));
    session.requestKeyFrame?.();
    session.requestKeyFrame?.();
    expect(call.needed).toBe(1);
    call.clock.advance(500);
    expect(call.needed).toBe(2);
  });
});

describe('lip sync', () => {
  const senderReport = (packets: readonly RtcpPacket[]) => {
    for (const packet of packets) if (packet.type === 'sr') return packet;
    return undefined;
  };

  const firstReport = (ends: Ends) => {
    for (const { bytes } of ends.rtcp.received) {
      const packets = parseRtcp(bytes);
      const report = typeof packets === 'string' ? undefined : senderReport(packets);
      if (report !== undefined) return report;
    }
    return undefined;
  };

  test("our reports give the client's audio and video of one timestamp the same time", async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    session.write(video(0, header));
    // A client whose video takes 150 ms longer to encode than its audio.
    for (let now = 0; now < 800; now += 20) {
      session.write({ kind: 'audio', timestamp: 5_000 + now, payload: flv(wideband(0)) });
      if (now >= 150 && now % 40 === 0) session.write(video(5_000 + now - 150, keyFrame()));
      call.clock.advance(20);
    }
    await until(() => firstReport(call.audio) !== undefined && firstReport(call.picture) !== undefined, 'the reports');
    const [sound] = call.audio.rtp.rtp;
    const [picture] = call.picture.rtp.rtp;
    // Milliseconds of the report's clock at which a packet was captured, less its RTMP timestamp.
    const offset = (ends: Ends, packet: RtpPacket | undefined, ticksPerMs: number, timestamp: number): number => {
      const report = firstReport(ends);
      if (report === undefined || packet === undefined) throw new Error('nothing sent');
      const { ntpSeconds, ntpFraction, rtpTimestamp } = report.sender;
      const time = ntpSeconds * 1000 + (ntpFraction * 1000) / 2 ** 32;
      return time + distance32(packet.timestamp, rtpTimestamp) / ticksPerMs - timestamp;
    };
    const bySound = offset(call.audio, sound, 16, 5_000);
    const byPicture = offset(call.picture, picture, 90, 5_000 + 160 - 150);
    expect(Math.abs(bySound - byPicture)).toBeLessThan(2);
  });

  test("the client's timestamps of what the far end captured together agree, whatever the network did", async ({
    scope,
  }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    const [soundPort = 0, picturePort = 0] = session.offer.media.map(({ port }) => port);
    const far = { audio: 1_000_000, video: 4_000_000_000 };
    const report = (ssrc: number, rtpTimestamp: number, captured: number) =>
      buildRtcp({
        ...{ ssrc, cname: 'far' },
        sender: {
          ntpSeconds: 3_000_000_000 + Math.floor(captured / 1000),
          ntpFraction: Math.floor(((captured % 1000) / 1000) * 2 ** 32),
          ...{ rtpTimestamp: rtpTimestamp % 2 ** 32, packets: 1, octets: 1 },
        },
      });
    const sound = async (captured: number): Promise<void> => {
      const timestamp = far.audio + captured * 16;
      const head = { payloadType: 96, marker: false, sequence: captured / 20, timestamp, ssrc: 1 };
      await call.audio.rtp.send(buildRtp(head, wideband(captured / 20)), soundPort);
    };
    const picture = async (captured: number): Promise<void> => {
      const timestamp = (far.video + captured * 90) % 2 ** 32;
      const nals = [sps, pps, slice(5)];
      for (const [index, nal] of nals.entries()) {
        const sequence = (captured / 40) * nals.length + index;
        const head = { payloadType: 102, marker: nal === nals.at(-1), sequence, timestamp, ssrc: 2 };
        await call.picture.rtp.send(buildRtp(head, nal), picturePort);
      }
    };
    const shown = (kind: ClientFrame['kind']): number[] =>
      call.frames.filter((frame) => frame.kind === kind && frame.payload[1] !== 0).map(({ timestamp }) => timestamp);

    // Video comes 300 ms later than audio.
    for (let now = 0; now < 1_000; now += 20) {
      await sound(now);
      if (now === 400) await call.audio.rtcp.send(report(1, far.audio + 400 * 16, 400), soundPort + 1);
      if (now === 700) await call.picture.rtcp.send(report(2, far.video + 400 * 90, 400), picturePort + 1);
      if (now >= 300 && (now - 300) % 40 === 0) await picture(now - 300);
      const pictures = now < 300 ? 0 : Math.floor((now - 300) / 40) + 1;
      await until(
        () => shown('audio').length === now / 20 + 1 && shown('video').length === pictures,
        `what came at ${now}`,
      );
      // Whatever else is on its way is of this moment too.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      call.clock.advance(20);
    }
    expect(shown('audio').at(-1)).toBe(980);
    // Captured at 680, shown with the audio of then; before the reports it was shown when it came.
    expect(shown('video')[0]).toBe(300);
    expect(shown('video').at(-1)).toBeLessThan(980);
    const compositionTime = (
      call.frames.filter(({ kind }) => kind === 'video').at(-1)?.payload ?? new Uint8Array()
    ).subarray(2, 5);
    const [high = 0, middle = 0, low = 0] = compositionTime;
    const late = ((high << 24) | (middle << 16) | (low << 8)) >> 8;
    expect((shown('video').at(-1) ?? 0) + late).toBe(680);
  });
});

describe('bad input', () => {
  test('strangers, noise and floods are counted, and the call goes on', async ({ scope }) => {
    const call = await Call.open(scope);
    const session = await call.answered();
    const port = sectionOf(session.offer)?.port ?? 0;
    const head = { payloadType: 102, marker: true, sequence: 1, timestamp: 0, ssrc: 5 };
    await call.picture.rtp.send(buildRtp(head, slice(1)), port);
    const stranger = await UdpPeer.open(scope);
    await stranger.send(buildRtp(head, slice(5)), port);
    await stranger.send(Buffer.alloc(60_000, 0x67), port);
    for (const noise of [Buffer.alloc(0), Buffer.from('8066'), Buffer.alloc(1_400, 0xff), Buffer.alloc(60_000, 0x80)]) {
      await call.picture.rtp.send(noise, port);
      await call.picture.rtcp.send(noise, port + 1);
    }
    for (const [index, nal] of [sps, pps, slice(5)].entries()) {
      await call.picture.rtp.send(
        buildRtp({ ...head, marker: index === 2, sequence: 2 + index, timestamp: 3_000 }, nal),
        port,
      );
    }
    await until(() => call.frames.length === 2, 'the picture behind it all');
    expect(call.lost).toEqual([]);
    const report = session.close();
    expect(report).toMatchObject({ videoForeign: 2, videoFramesReceived: 1 });
    expect(Number(report.videoMalformed)).toBeGreaterThan(3);
  });
});
