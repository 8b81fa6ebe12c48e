import { describe, expect } from 'vitest';
import { type ClientFrame, MediaError, type MediaSession } from '../../../plugin/call/ports.js';
import type { Direction, MediaFormat, SessionDescription } from '../../../plugin/call/session-description.js';
import { DirectMedia, type DirectMediaOptions } from '../../../plugin/media/direct.js';
import { systemClock } from '../../../plugin/media/network/clock.js';
import { buildRtcp } from '../../../plugin/media/rtp/rtcp.js';
import { freePortRange } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { speexCodec } from '../../support/speex.js';
import { FakeClock } from './fake-clock.js';
import { flv, twoSilences, wideband } from './speex-frames.js';
import { UdpPeer } from './udp-peer.js';

const speex16: MediaFormat = { payloadType: 96, encoding: 'speex', clockRate: 16000 };
const loopback = '127.0.0.1';

/** The media of one call with what it tells its client. */
class Call {
  readonly frames: ClientFrame[] = [];
  readonly lost: string[] = [];
  readonly log: string[] = [];
  readonly clock = new FakeClock();
  /** What the client's play answers. */
  playing = true;
  readonly media: DirectMedia;
  session: MediaSession;
  readonly #scope: Scope;

  private constructor(scope: Scope, options: Omit<DirectMediaOptions, 'clock'>) {
    this.#scope = scope;
    this.media = new DirectMedia({
      clock: this.clock,
      logger: { info: (_fields, message) => this.log.push(message) },
      ...options,
    });
    const nothing = { address: '', media: [] };
    const none = { accept: async () => {}, check: () => {}, write: () => {}, sendDtmf: () => false };
    this.session = { ...none, offer: nothing, answer: async () => nothing, reoffer: () => nothing, close: () => ({}) };
  }

  static async open(scope: Scope, options: Partial<DirectMediaOptions> = {}): Promise<Call> {
    const call = new Call(scope, { host: loopback, ports: await freePortRange(8), ...options });
    call.session = await call.openAnother();
    return call;
  }

  async openAnother(): Promise<MediaSession> {
    const session = await this.media.open({
      callId: 'test',
      player: {
        play: (frame) => {
          this.frames.push(frame);
          return this.playing;
        },
      },
      lost: (reason) => this.lost.push(reason),
    });
    this.#scope.defer(() => session.close());
    return session;
  }

  get port(): number {
    return this.session.offer.media[0]?.port ?? 0;
  }

  get timestamps(): number[] {
    return this.frames.map(({ timestamp }) => timestamp);
  }

  write(...timestamps: number[]): void {
    for (const timestamp of timestamps) {
      this.session.write({ kind: 'audio', timestamp, payload: flv(wideband(timestamp / 20)) });
    }
  }
}

interface AnswerOptions {
  readonly address?: string;
  readonly direction?: Direction;
  readonly formats?: readonly MediaFormat[];
  readonly rtcpPort?: number;
  readonly rtcpMux?: boolean;
}

function answer({ port }: { readonly port: number }, options: AnswerOptions = {}): SessionDescription {
  const { address = loopback, direction = 'sendrecv', formats = [speex16], ...rest } = options;
  return { address, media: [{ kind: 'audio', protocol: 'RTP/AVP', port, direction, formats, ...rest }] };
}

/** Waits for real sockets. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('opening', () => {
  test('offers its own address and an even port', async ({ scope }) => {
    const call = await Call.open(scope);
    expect(call.session.offer).toMatchObject({ address: loopback, media: [{ kind: 'audio', protocol: 'RTP/AVP' }] });
    expect(call.port % 2).toBe(0);
  });

  test('offers the advertised address', async ({ scope }) => {
    const call = await Call.open(scope, { advertisedAddress: '203.0.113.5' });
    expect(call.session.offer.address).toBe('203.0.113.5');
  });

  test('never offers the address that means all', async ({ scope }) => {
    const call = await Call.open(scope, { host: '0.0.0.0' });
    expect(call.session.offer.address).toMatch(/^(?!0\.0\.0\.0)\d+\.\d+\.\d+\.\d+$/);
  });

  test('passes over ports that another program has, RTP or RTCP', async ({ scope }) => {
    const ports = await freePortRange(6);
    await UdpPeer.open(scope, { port: ports.min });
    await UdpPeer.open(scope, { port: ports.min + 3 });
    const call = await Call.open(scope, { ports });
    expect(call.port).toBe(ports.min + 4);
  });

  test('refuses when all ports are in use, and goes on when one has rested', async ({ scope }) => {
    const call = await Call.open(scope, { ports: await freePortRange(2) });
    const refused = expect.objectContaining({ code: 'NoPorts' });
    await expect(call.openAnother()).rejects.toThrow(refused);
    call.session.close();
    call.clock.advance(1_999);
    await expect(call.openAnother()).rejects.toThrow(refused);
    call.clock.advance(1);
    expect((await call.openAnother()).offer.media[0]?.port).toBe(call.port);
  });

  test('comes back to a port that another program had', async ({ scope }) => {
    const ports = await freePortRange(4);
    const other = await UdpPeer.open(scope, { port: ports.min });
    const call = await Call.open(scope, { ports });
    expect(call.port).toBe(ports.min + 2);
    await other.close();
    call.clock.advance(2_000);
    expect((await call.openAnother()).offer.media[0]?.port).toBe(ports.min);
  });

  test('refuses when other programs have all ports', async ({ scope }) => {
    const ports = await freePortRange(2);
    await UdpPeer.open(scope, { port: ports.min });
    const error = await Call.open(scope, { ports }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MediaError);
    expect(error).toMatchObject({ code: 'NoPorts' });
  });

  test('says so when the address is not this machine', async ({ scope }) => {
    const opening = Call.open(scope, { host: '192.0.2.1' });
    await expect(opening).rejects.toThrow(
      expect.objectContaining({ code: 'Io', message: expect.stringMatching('192.0.2.1') }),
    );
  });
});

describe('the flow', () => {
  test('carries frames unchanged both ways', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    call.write(0, 20, 40);
    await until(() => far.received.length === 3, 'three packets');
    const [first] = far.rtp;
    for (const [index, packet] of far.rtp.entries()) {
      expect(packet).toMatchObject({ payloadType: 96, marker: index === 0, ssrc: first?.ssrc });
      expect([...packet.bytes.subarray(packet.start, packet.end)]).toEqual([...wideband(index)]);
      expect((packet.timestamp - (first?.timestamp ?? 0)) >>> 0).toBe(index * 320);
      expect((packet.sequence - (first?.sequence ?? 0)) & 0xffff).toBe(index);
    }
    for (const sequence of [7, 8, 9]) await far.sendRtp(call.port, sequence);
    await until(() => call.frames.length === 3, 'three frames');
    expect(call.timestamps).toEqual([0, 20, 40]);
    expect(call.frames.map(({ payload }) => [...payload])).toEqual([7, 8, 9].map((seed) => [...flv(wideband(seed))]));
    expect(call.session.close()).toMatchObject({
      engine: 'direct',
      codec: 'speex/16000',
      ...{ packetsSent: 3, bytesSent: 126, packetsReceived: 3, bytesReceived: 126 },
      ...{ lost: 0, reordered: 0, duplicates: 0, late: 0, foreign: 0, malformed: 0 },
    });
  });

  test('sends each frame of a message by itself', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    call.session.write({ kind: 'audio', timestamp: 0, payload: flv(twoSilences) });
    await until(() => far.received.length === 2, 'two packets');
  });

  test("uses the peer's payload type to send and understands both", async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { formats: [{ ...speex16, payloadType: 110 }] }));
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    expect(far.rtp[0]?.payloadType).toBe(110);
    await far.sendRtp(call.port, 1, { payloadType: 96 });
    await far.sendRtp(call.port, 2, { payloadType: 110 });
    await until(() => call.frames.length === 2, 'two frames');
  });

  test('releases what waits for a lost packet by time', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await far.sendRtp(call.port, 1);
    await far.sendRtp(call.port, 3);
    await far.sendRtp(call.port, 1); // a duplicate: when it is counted, the one before was read
    await until(() => call.frames.length === 1, 'a frame');
    for (let round = 0; round < 100 && call.frames.length < 2; round++) {
      call.clock.advance(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(call.timestamps).toEqual([0, 40]);
    expect(call.session.close()).toMatchObject({ lost: 1, duplicates: 1 });
  });

  test('drops what the client is too slow to read, and goes on', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    call.playing = false;
    for (const sequence of [1, 2, 3]) await far.sendRtp(call.port, sequence);
    await until(() => call.frames.length === 3, 'three frames offered');
    expect(call.session.close()).toMatchObject({ droppedSlowReader: 3 });
  });

  test('takes no notice of STUN on either port', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    const request = Buffer.from('000100002112a442c0b95fa0aaebd4d056edcc02', 'hex');
    await far.send(request, call.port + 1);
    await far.send(request, call.port);
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    expect(call.session.close()).toMatchObject({ malformed: 0, foreign: 0, packetsReceived: 1 });
  });

  test('counts garbage from the far end and goes on', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await far.send(Uint8Array.of(), call.port);
    await far.send(Uint8Array.of(0x80), call.port);
    await far.send(Buffer.alloc(9000, 0xff), call.port);
    await far.sendRtp(call.port, 1);
    await far.sendRtp(call.port, 2, { payload: Uint8Array.of(0b01001000) });
    await far.send(Buffer.alloc(60_000), call.port);
    await far.sendRtp(call.port, 3, { payloadType: 101, payload: Uint8Array.of(1, 0, 0, 160) });
    await far.sendRtp(call.port, 4);
    await until(() => call.frames.length === 2, 'two frames');
    expect(call.session.close()).toMatchObject({ malformed: 5, telephoneEvents: 1, lost: 0 });
  });
});

describe('the far end', () => {
  test('is not heard before its answer', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await far.sendRtp(call.port, 1);
    call.write(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await call.session.accept(answer(far));
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 1, 'a frame');
    expect([...(call.frames[0]?.payload ?? [])]).toEqual([...flv(wideband(2))]);
    expect(call.session.close()).toMatchObject({ notSent: 1, packetsReceived: 1 });
  });

  test('is not late with what has come while the process was held up', async ({ scope }) => {
    const call = await Call.open(scope, { clock: systemClock });
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    await far.sendRtp(call.port, 3);
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Timers come next in the event loop, before sockets.
    await new Promise((resolve) => setImmediate(resolve));
    await far.sendRtp(call.port, 2);
    for (const until = performance.now() + 150; performance.now() < until; );
    await until(() => call.frames.length === 3, 'what was missing, and what waited for it');
    expect(call.timestamps).toEqual([0, 20, 40]);
    expect(call.session.close()).toMatchObject({ lost: 0, late: 0, reordered: 1 });
  });

  test('is sent to where it sends from (symmetric RTP)', async ({ scope }) => {
    const call = await Call.open(scope);
    const announced = await UdpPeer.open(scope);
    const actual = await UdpPeer.open(scope);
    await call.session.accept(answer(announced));
    call.write(0);
    await until(() => announced.received.length === 1, 'a packet at the announced port');
    await actual.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    call.clock.advance(200);
    await actual.sendRtp(call.port, 2);
    await until(() => call.frames.length === 2, 'another frame');
    call.write(20);
    await until(() => actual.received.length === 1, 'a packet at the actual port');
    expect(announced.received.length).toBe(1);
    expect(call.log).toEqual(['RTP comes from elsewhere than was known; sending there']);
  });

  test('is the first that sends valid RTP, and stays', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const stranger = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await stranger.send(Buffer.from('hello'), call.port);
    await stranger.sendRtp(call.port, 1, { payloadType: 0 });
    await far.sendRtp(call.port, 1);
    await stranger.sendRtp(call.port, 500);
    await stranger.sendRtp(call.port, 501, { ssrc: 78 });
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 2, 'two frames');
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    expect(stranger.received).toEqual([]);
    expect(call.log).toEqual([]);
    const report = call.session.close();
    expect(report).toMatchObject({ malformed: 1, packetsReceived: 2 });
    // What came before the far end was heard is handed over; of the rest, what the system had taken by then.
    expect(report.foreign).toBeGreaterThanOrEqual(1);
    expect(report.foreign).toBeLessThanOrEqual(3);
  });

  test('once it was heard, strangers are turned away by the system', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const stranger = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    for (let sequence = 0; sequence < 50; sequence++) await stranger.sendRtp(call.port, sequence);
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 2, 'another frame');
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    expect(call.session.close()).toMatchObject({ foreign: 0, packetsReceived: 2 });
  });

  test('what strangers had sent by then is not heard, nor what comes from a place that was left', async ({ scope }) => {
    const call = await Call.open(scope);
    const [far, next, stranger] = [await UdpPeer.open(scope), await UdpPeer.open(scope), await UdpPeer.open(scope)];
    await call.session.accept(answer(far));
    await Promise.all([far.sendRtp(call.port, 1), far.sendRtp(call.port, 2), stranger.sendRtp(call.port, 9)]);
    await until(() => call.frames.length === 2, 'two frames');
    for (const sequence of [3, 4, 5]) {
      call.clock.advance(2_000);
      await far.sendRtp(call.port, sequence);
      await until(() => call.frames.length === sequence, 'another frame');
    }
    await call.session.accept(answer(next));
    call.clock.advance(2_000);
    await Promise.all([next.sendRtp(call.port, 6), stranger.sendRtp(call.port, 10), far.sendRtp(call.port, 11)]);
    await next.sendRtp(call.port, 7);
    await until(() => call.frames.length === 7, 'two frames from the other place');
    const report = call.session.close();
    expect(report).toMatchObject({ packetsReceived: 7 });
    expect(report.foreign).toBe(3);
  });

  test('may be heard on any of the addresses of this machine', async ({ scope }) => {
    const call = await Call.open(scope, { host: '0.0.0.0' });
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    for (const [index, address] of ['127.0.0.1', '127.0.0.2', '127.0.0.1'].entries()) {
      await far.sendRtp(call.port, index, {}, address);
      await until(() => call.frames.length === index + 1, `a frame at ${address}`);
    }
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
  });

  test('where the answer says it is gets its call back from who was faster', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const stranger = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await stranger.sendRtp(call.port, 1, { ssrc: 66 });
    await until(() => call.frames.length === 1, 'a frame');
    call.clock.advance(200);
    await stranger.sendRtp(call.port, 2, { ssrc: 66 });
    await far.sendRtp(call.port, 1);
    await stranger.sendRtp(call.port, 3, { ssrc: 66 });
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 4, 'two frames of each');
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    expect(stranger.received).toEqual([]);
    const report = call.session.close();
    expect(report).toMatchObject({ packetsReceived: 4 });
    expect(report.foreign).toBeLessThanOrEqual(1);
  });

  test('may change its SSRC and payload type at any time', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    await far.sendRtp(call.port, 60_000);
    await far.sendRtp(call.port, 5, { ssrc: 99 });
    await far.sendRtp(call.port, 6, { ssrc: 99, payloadType: 97 });
    await far.sendRtp(call.port, 7, { ssrc: 99, payloadType: 13 });
    await far.sendRtp(call.port, 8, { ssrc: 99 });
    await until(() => call.frames.length === 4, 'four frames');
    expect(call.session.close()).toMatchObject({ packetsReceived: 5, unknownPayloadType: 1, lost: 0 });
  });

  test('may be given by name', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { address: 'localhost' }));
    await until(() => {
      call.write(0);
      return far.received.length > 0;
    }, 'a packet');
    expect(call.lost).toEqual([]);
  });

  test('that does not resolve ends the media', async ({ scope }) => {
    const call = await Call.open(scope);
    await call.session.accept(answer({ port: 4000 }, { address: 'no such host' }));
    expect(call.lost).toEqual([]);
    await until(() => call.lost.length > 0, 'an end');
    expect(call.lost).toEqual([expect.stringMatching('no such host')]);
    call.write(0);
    expect(call.session.close()).toMatchObject({ notSent: 1 });
    expect(call.lost.length).toBe(1);
  });

  test('whose unusable address was replaced by another answer goes on', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const first = call.session.accept(answer(far, { address: '2001:db8::1' }));
    await Promise.all([first, call.session.accept(answer(far))]);
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    expect(call.lost).toEqual([]);
  });

  test('of the other family ends the media', async ({ scope }) => {
    const call = await Call.open(scope);
    await call.session.accept(answer({ port: 4000 }, { address: '2001:db8::1' }));
    await until(() => call.lost.length > 0, 'an end');
    expect(call.lost).toEqual([expect.stringMatching('2001:db8::1.*IPv4')]);
  });

  test.for(['::1', '0:0::0:1'])('may have an IPv6 address, however it is written: %s', async (address, { scope }) => {
    const call = await Call.open(scope, { host: '::1' });
    const far = await UdpPeer.open(scope, { host: '::1' });
    const stranger = await UdpPeer.open(scope, { host: '::1' });
    await call.session.accept(answer(far, { address }));
    await far.sendRtp(call.port, 0);
    await stranger.sendRtp(call.port, 1);
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 2, 'two frames');
    call.clock.advance(200);
    await stranger.sendRtp(call.port, 2);
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 3, 'a third frame');
    expect(call.log).toEqual([]);
    const report = call.session.close();
    expect(report).toMatchObject({ packetsReceived: 3, duplicates: 0 });
    expect(report.foreign).toBeLessThanOrEqual(2);
  });

  test('may have an IPv4 address on a socket for both', async ({ scope }) => {
    const call = await Call.open(scope, { host: '::' });
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    expect(call.log).toEqual([]);
  });

  test('that is gone ends nothing', async ({ scope }) => {
    const call = await Call.open(scope);
    const { min } = await freePortRange(2);
    await call.session.accept(answer({ port: min }));
    for (let timestamp = 0; timestamp < 200; timestamp += 20) {
      call.write(timestamp);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(call.lost).toEqual([]);
    expect(call.session.close()).toMatchObject({ packetsSent: 10 });
  });

  test('that has no codec in common is refused', async ({ scope }) => {
    const call = await Call.open(scope);
    const pcmu = { payloadType: 0, encoding: 'pcmu', clockRate: 8000 };
    const refused = expect.objectContaining({ code: 'NoCommonCodec' });
    await expect(call.session.accept(answer({ port: 4000 }, { formats: [pcmu] }))).rejects.toThrow(refused);
    call.write(0);
    expect(call.session.close()).toMatchObject({ engine: 'direct', notSent: 1 });
  });
});

describe('further answers', () => {
  test.for(['sendonly', 'inactive'] as const)(
    '%s is hold: nothing is sent until the next',
    async (direction, { scope }) => {
      const call = await Call.open(scope);
      const far = await UdpPeer.open(scope);
      await call.session.accept(answer(far, { direction }));
      call.write(0, 20);
      await call.session.accept(answer(far));
      call.write(40);
      await until(() => far.received.length === 1, 'a packet');
      expect(call.session.close()).toMatchObject({ notSent: 2, packetsSent: 1 });
    },
  );

  test('keep what was latched, and go elsewhere when they say so', async ({ scope }) => {
    const call = await Call.open(scope);
    const announced = await UdpPeer.open(scope);
    const actual = await UdpPeer.open(scope);
    const next = await UdpPeer.open(scope);
    await call.session.accept(answer(announced));
    await actual.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    call.clock.advance(200);
    await actual.sendRtp(call.port, 2);
    await until(() => call.frames.length === 2, 'another frame');
    await call.session.accept(answer(announced));
    call.write(0);
    await until(() => actual.received.length === 1, 'a packet at the actual port');
    await call.session.accept(answer(next));
    call.write(20);
    await until(() => next.received.length === 1, 'a packet at the next port');
    expect(next.rtp[0]).toMatchObject({
      ssrc: actual.rtp[0]?.ssrc,
      sequence: ((actual.rtp[0]?.sequence ?? 0) + 1) & 0xffff,
    });
    await actual.sendRtp(call.port, 3);
    await next.sendRtp(call.port, 9, { ssrc: 5 });
    await until(() => call.frames.length === 3, 'a frame of the next');
    expect(call.session.close()).toMatchObject({ foreign: 1 });
  });

  test('may change the codec', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const speex8 = { payloadType: 120, encoding: 'speex', clockRate: 8000 };
    await call.session.accept(answer(far));
    call.write(0);
    await call.session.accept(answer(far, { formats: [speex8] }));
    call.write(20);
    await until(() => far.received.length === 2, 'two packets');
    expect(far.rtp.map(({ payloadType }) => payloadType)).toEqual([96, 120]);
    await far.sendRtp(call.port, 1, { payloadType: 120 });
    await until(() => call.frames.length === 1, 'a frame');
    expect(call.session.close()).toMatchObject({ codec: 'speex/8000', packetsSent: 2 });
  });

  test('after the end do nothing', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    call.session.close();
    await call.session.accept(answer(far));
    call.write(0);
    expect(call.clock.pending).toBe(0);
    expect(call.lost).toEqual([]);
  });
});

describe('RTCP', () => {
  test('goes to the port after RTP every few seconds, and ends with BYE', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const reports = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { rtcpPort: reports.port }));
    call.write(0);
    // The intervals are 2.5 to 7.5 s.
    call.clock.advance(2_400);
    expect(reports.received).toEqual([]);
    call.clock.advance(5_200);
    call.session.close();
    await until(() => reports.rtcp.some((types) => types.includes('bye')), 'a BYE');
    const sent = reports.rtcp;
    expect(sent[0]).toEqual(['sr', 'sdes']);
    expect(sent.at(-1)).toEqual(['rr', 'sdes', 'bye']);
    expect([2, 3, 4]).toContain(sent.length);
    expect(reports.received[0]?.source.port).toBe(call.port + 1);
  });

  test('does not go to an address of zeros', async ({ scope }) => {
    const call = await Call.open(scope);
    const reports = await UdpPeer.open(scope);
    await call.session.accept(answer(reports, { address: '0.0.0.0', rtcpPort: reports.port }));
    call.write(0);
    call.clock.advance(20_000);
    await call.session.accept(answer(reports, { rtcpPort: reports.port }));
    call.session.close();
    await until(() => reports.received.length > 0, 'a BYE');
    expect(reports.rtcp).toEqual([['rr', 'sdes', 'bye']]);
  });

  test('goes to and from the port of RTP where both say so', async ({ scope }) => {
    const call = await Call.open(scope);
    expect(call.session.offer.media[0]?.rtcpMux).toBe(true);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { rtcpMux: true, rtcpPort: 9 }));
    call.session.close();
    await until(() => far.received.length > 0, 'a BYE');
    expect(far.rtcp).toEqual([['rr', 'sdes', 'bye']]);
    expect(far.received[0]?.source.port).toBe(call.port);
  });

  test('in a flood, or larger than any report, is counted and left', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    const report = buildRtcp({ ssrc: 7, cname: 'far' });
    await far.send(Buffer.concat(Array(100).fill(report)), call.port);
    for (let count = 0; count < 150; count++) await far.send(report, call.port);
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    call.clock.advance(1000);
    await far.send(report, call.port);
    await far.sendRtp(call.port, 2);
    await until(() => call.frames.length === 2, 'another frame');
    expect(call.session.close()).toMatchObject({ droppedReports: 51, malformed: 1, packetsReceived: 2 });
  });

  test('of the far end is read on both ports, that of others is not', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    call.write(0);
    await until(() => far.received.length === 1, 'a packet');
    const block = {
      ...{ ssrc: far.rtp[0]?.ssrc ?? 0, fractionLost: 0, highestSequence: 0, jitter: 0 },
      ...{ lastSenderReport: 0, delaySinceLastSenderReport: 0 },
    };
    const report = (cumulativeLost: number): Buffer =>
      buildRtcp({ ssrc: 7, block: { ...block, cumulativeLost }, cname: 'far' });
    await far.send(report(4), call.port);
    await far.send(Buffer.from('garbage'), call.port + 1);
    await far.sendRtp(call.port, 1);
    await until(() => call.frames.length === 1, 'a frame');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(call.session.close()).toMatchObject({ remoteLost: 4, malformed: 1, packetsReceived: 1 });
  });
});

describe('a far end of G.711', () => {
  const pcma: MediaFormat = { payloadType: 8, encoding: 'pcma', clockRate: 8000 };

  test('is served with a codec: both directions, codecs in the report, memory given back', async ({ scope }) => {
    const codec = await speexCodec();
    const call = await Call.open(scope, { transcoding: { codec } });
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { formats: [pcma] }));
    call.write(0, 20, 40);
    await until(() => far.received.length === 3, 'three packets');
    expect(far.rtp.map(({ payloadType, start, end }) => [payloadType, end - start])).toEqual(Array(3).fill([8, 160]));
    await far.sendRtp(call.port, 1, { payloadType: 8, payload: new Uint8Array(160).fill(0xd5) });
    await until(() => call.frames.length === 1, 'a frame');
    expect(call.frames[0]?.payload[0]).toBe(0xb2);
    expect(call.session.close()).toMatchObject({
      ...{ engine: 'direct', codec: 'pcma/8000', clientCodec: 'speex' },
      ...{ transcodedFromClient: 3, transcodedToClient: 1, concealedFromClient: 0, concealedToClient: 0 },
    });
    const { memory } = codec;
    for (let round = 0; round < 50; round++) codec.createEncoder({ sampleRate: 16000 }).free();
    expect(codec.memory).toBe(memory);
  });

  test('loses its media when the codec fails, and the process goes on', async ({ scope }) => {
    const fails = () => {
      throw new Error('unreachable executed');
    };
    const decoder = { decode: fails, conceal: fails, free: fails };
    const codec = Object.create(await speexCodec(), { createDecoder: { value: () => decoder } });
    const call = await Call.open(scope, { transcoding: { codec } });
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { formats: [pcma] }));
    call.write(0, 20, 40);
    await until(() => call.lost.length > 0, 'the loss');
    expect(call.lost).toEqual(['the audio could not be processed: unreachable executed']);
    expect(call.session.close()).toMatchObject({ codec: 'pcma/8000' });
  });

  test('is offered none without a codec, and refused', async ({ scope }) => {
    const call = await Call.open(scope);
    expect(call.session.offer.media[0]?.formats.map(({ encoding }) => encoding)).not.toContain('pcma');
    const far = await UdpPeer.open(scope);
    await expect(call.session.accept(answer(far, { formats: [pcma] }))).rejects.toThrow(
      expect.objectContaining({ code: 'NoCommonCodec' }),
    );
  });
});

test('a call in which nothing waits has no timer but that of its next report', async ({ scope }) => {
  const call = await Call.open(scope);
  const far = await UdpPeer.open(scope);
  await call.session.accept(answer(far));
  await far.sendRtp(call.port, 1);
  await until(() => call.frames.length === 1, 'a frame');
  call.clock.advance(20);
  expect(call.clock.pending).toBe(1);
  await far.sendRtp(call.port, 3);
  await until(() => call.clock.pending === 2, 'a packet that waits');
  call.clock.advance(60);
  expect(call.frames.length).toBe(2);
  expect(call.clock.pending).toBe(1);
});

describe('closing', () => {
  test('gives back what the call took, once', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far));
    // What waits in any call, and its next report.
    expect(call.clock.pending).toBe(2);
    const report = call.session.close();
    expect(call.clock.pending).toBe(0);
    expect(call.session.close()).toBe(report);
    await UdpPeer.open(scope, { port: call.port });
    expect(call.lost).toEqual([]);
  });

  test('sends what was written last, before it says goodbye', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    await call.session.accept(answer(far, { rtcpMux: true }));
    call.write(0, 20, 40);
    expect(call.session.close()).toMatchObject({ packetsSent: 3 });
    await until(() => far.received.length === 4, 'three packets and a report');
    expect(far.received.map(({ bytes }) => (bytes[1] ?? 0) & 0x7f)).toEqual([96, 96, 96, 200 & 0x7f]);
  });

  test('of one call leaves the others', async ({ scope }) => {
    const call = await Call.open(scope);
    const far = await UdpPeer.open(scope);
    const other = await call.openAnother();
    await call.session.accept(answer(far));
    await other.accept(answer(far));
    call.session.close();
    expect(call.clock.pending).toBe(2);
    other.write({ kind: 'audio', timestamp: 0, payload: flv(wideband(0)) });
    await until(() => far.received.length === 1, 'a packet');
  });

  test('before the answer sends nothing', async ({ scope }) => {
    const call = await Call.open(scope);
    expect(call.session.close()).toEqual({ engine: 'direct', foreign: 0, notSent: 0, socketErrors: 0 });
  });
});
