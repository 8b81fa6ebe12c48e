import { describe, expect } from 'vitest';
import type { ClientFrame, MediaSession, Tone } from '../../../plugin/call/ports.js';
import type {
  Direction,
  MediaDescription,
  MediaFormat,
  SessionDescription,
} from '../../../plugin/call/session-description.js';
import { DirectMedia } from '../../../plugin/media/direct.js';
import { freePortRange } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from './fake-clock.js';
import { flv, wideband } from './speex-frames.js';
import { UdpPeer } from './udp-peer.js';

const host = '127.0.0.1';
const speex: MediaFormat = { payloadType: 117, encoding: 'speex', clockRate: 16000 };
const events: MediaFormat = { payloadType: 118, encoding: 'telephone-event', clockRate: 16000 };

function described(port: number, changes: Partial<MediaDescription> = {}, address = host): SessionDescription {
  const audio = {
    kind: 'audio',
    protocol: 'RTP/AVP',
    port,
    direction: 'sendrecv' as Direction,
    formats: [speex, events],
  };
  return { address, media: [{ ...audio, ...changes }] };
}

interface Opened {
  readonly session: MediaSession;
  readonly clock: FakeClock;
  readonly tones: Tone[];
  readonly frames: ClientFrame[];
}

async function open(scope: Scope): Promise<Opened> {
  const clock = new FakeClock();
  const frames: ClientFrame[] = [];
  const media = new DirectMedia({ host, ports: await freePortRange(4), clock });
  const tones: Tone[] = [];
  const session = await media.open({
    callId: 'test',
    player: { play: (frame) => frames.push(frame) > 0 },
    lost: () => undefined,
    dtmf: (tone) => tones.push(tone),
  });
  scope.defer(() => session.close());
  return { session, clock, tones, frames };
}

/** Waits for real sockets. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('nothing came within 10 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('an offer within the call', () => {
  test('is the one of before in another direction, also when it was an answer', async ({ scope }) => {
    const { session } = await open(scope);
    expect(session.reoffer('sendonly')).toEqual({
      ...session.offer,
      media: session.offer.media.map((media) => ({ ...media, direction: 'sendonly' })),
    });
    const { session: called } = await open(scope);
    const answer = await called.answer(described(4_000));
    expect(answer.media[0]?.formats).toEqual([speex, events]);
    expect(called.reoffer('inactive')).toEqual({
      ...answer,
      media: answer.media.map((media) => ({ ...media, direction: 'inactive' })),
    });
  });

  test('to somebody else has everything that we speak', async ({ scope }) => {
    const { session } = await open(scope);
    await session.answer(described(4_000));
    expect(session.reoffer('sendrecv', true)).toEqual(session.offer);
    await session.accept(described(4_002, { formats: [{ payloadType: 97, encoding: 'speex', clockRate: 8000 }] }));
  });

  test('has the sections that were refused, and their ports stay 0', async ({ scope }) => {
    const { session } = await open(scope);
    const offer = described(4_000);
    const video = { kind: 'video', port: 4_002, protocol: 'RTP/AVP', direction: 'sendrecv' as const, formats: [] };
    await session.answer({ ...offer, media: [...offer.media, video] });
    expect(session.reoffer('sendonly').media.map(({ kind, port }) => [kind, port > 0])).toEqual([
      ['audio', true],
      ['video', false],
    ]);
  });

  test('within an encrypted call is encrypted, with the same key', async ({ scope }) => {
    const { session } = await open(scope);
    const keyParameters = `inline:${Buffer.alloc(30, 1).toString('base64')}`;
    const crypto = [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keyParameters }];
    const answer = await session.answer(described(4_000, { protocol: 'RTP/SAVP', crypto }));
    const ours = answer.media[0]?.crypto;
    expect(ours).toHaveLength(1);
    expect(session.reoffer('sendonly').media[0]).toMatchObject({
      protocol: 'RTP/SAVP',
      crypto: ours,
      direction: 'sendonly',
    });
  });

  test('is answered in the formats of any time: what was offered, and what we always speak', async ({ scope }) => {
    const { session } = await open(scope);
    await session.answer(described(4_000));
    session.reoffer('sendrecv');
    await session.accept(described(4_000, { formats: [{ payloadType: 96, encoding: 'speex', clockRate: 16000 }] }));
    await session.accept(described(4_000, { formats: [speex] }));
  });
});

describe('an answer while we hold', () => {
  test.for([
    ['sendrecv', 'sendonly'],
    ['recvonly', 'sendonly'],
    ['sendonly', 'inactive'],
    ['inactive', 'inactive'],
  ] as const)('to %s is %s', async ([direction, expected], { scope }) => {
    const { session } = await open(scope);
    await session.answer(described(4_000));
    expect((await session.answer(described(4_000, { direction }), true)).media[0]?.direction).toBe(expected);
  });
});

describe('audio that is taken out of a call', () => {
  test('is refused with port 0, silent, and comes back', async ({ scope }) => {
    const peer = await UdpPeer.open(scope);
    const { session } = await open(scope);
    await session.answer(described(peer.port));
    const port = session.offer.media[0]?.port;
    expect((await session.answer(described(0))).media[0]?.port).toBe(0);
    session.write({ kind: 'audio', timestamp: 0, payload: flv(wideband(1)) });
    expect(session.reoffer('sendrecv').media[0]?.port).toBe(port);
    expect((await session.answer(described(peer.port))).media[0]?.port).toBe(port);
    expect(session.close()).toMatchObject({ packetsSent: 0, notSent: 1 });
  });

  test('from the start is no call', async ({ scope }) => {
    const { session } = await open(scope);
    await expect(session.answer(described(0))).rejects.toThrow(/port 0/);
  });
});

describe('a far end that moves', () => {
  test('is where its description says, not where its last packets still come from', async ({ scope }) => {
    const [first, second] = [await UdpPeer.open(scope), await UdpPeer.open(scope)];
    const { session, frames } = await open(scope);
    await session.accept(described(first.port));
    const port = session.offer.media[0]?.port ?? 0;
    await first.sendRtp(port, 1, { payloadType: 117 });
    await until(() => frames.length === 1);
    await session.accept(described(second.port));
    await first.sendRtp(port, 9, { payloadType: 117 });
    await second.sendRtp(port, 2, { payloadType: 117 });
    await until(() => frames.length === 2);
    session.write({ kind: 'audio', timestamp: 0, payload: flv(wideband(1)) });
    await until(() => second.rtp.length === 1);
    expect(first.rtp).toEqual([]);
    expect(session.close()).toMatchObject({ foreign: 1, packetsReceived: 2 });
  });
});

describe('keys', () => {
  test('go out where the far end takes events, and only while it wants to hear', async ({ scope }) => {
    const peer = await UdpPeer.open(scope);
    const { session, clock } = await open(scope);
    expect(session.sendDtmf('1', 100)).toBe(false);
    await session.accept(described(peer.port, { formats: [speex] }));
    expect(session.sendDtmf('1', 100)).toBe(false);
    await session.accept(described(peer.port));
    expect(session.sendDtmf('1', 60)).toBe(true);
    session.write({ kind: 'audio', timestamp: 0, payload: flv(wideband(1)) });
    clock.advance(200);
    await until(() => peer.rtp.length === 5);
    expect(peer.rtp.every(({ payloadType }) => payloadType === 118)).toBe(true);
    session.write({ kind: 'audio', timestamp: 200, payload: flv(wideband(2)) });
    await until(() => peer.rtp.length === 6);
    await session.accept(described(peer.port, { direction: 'inactive' }));
    expect(session.sendDtmf('1', 60)).toBe(false);
    expect(session.close()).toMatchObject({ dtmfSent: 1 });
    expect(session.sendDtmf('1', 60)).toBe(false);
  });

  test('at 8000 Hz go with wideband audio where the far end knows no other', async ({ scope }) => {
    const peer = await UdpPeer.open(scope);
    const { session, clock } = await open(scope);
    const formats = [speex, { payloadType: 101, encoding: 'telephone-event', clockRate: 8000 }];
    expect((await session.answer(described(peer.port, { formats }))).media[0]?.formats).toEqual(formats);
    session.sendDtmf('1', 60);
    clock.advance(200);
    await until(() => peer.rtp.length === 5);
    const last = peer.rtp.at(-1);
    expect(last?.bytes.subarray(last.start)).toEqual(Buffer.from([1, 0x8a, 480 >> 8, 480 & 0xff]));
  });
});
