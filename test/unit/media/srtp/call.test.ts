import { describe, expect } from 'vitest';
import type { ClientFrame, MediaSession } from '../../../../plugin/call/ports.js';
import type { CryptoAttribute, SessionDescription } from '../../../../plugin/call/session-description.js';
import { DirectMedia } from '../../../../plugin/media/direct.js';
import { readCrypto, writeKeyParameters } from '../../../../plugin/media/negotiation/key-parameters.js';
import type { SrtpPolicy } from '../../../../plugin/media/negotiation/srtp.js';
import { buildRtcp } from '../../../../plugin/media/rtp/rtcp.js';
import { buildRtp, parseRtp } from '../../../../plugin/media/rtp/rtp.js';
import { SrtpSession } from '../../../../plugin/media/srtp/srtp-session.js';
import { keyMaterialLength, type SuiteName, suiteNames } from '../../../../plugin/media/srtp/suites.js';
import { freePortRange } from '../../../support/ports.js';
import { type Scope, test } from '../../../support/scope.js';
import { FakeClock } from '../fake-clock.js';
import { flv, wideband } from '../speex-frames.js';
import { UdpPeer } from '../udp-peer.js';

const loopback = '127.0.0.1';
const speex = { payloadType: 96, encoding: 'speex', clockRate: 16000 };
const sha80 = 'AES_CM_128_HMAC_SHA1_80';

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const material = (suite: SuiteName, fill: number) => Buffer.alloc(keyMaterialLength(suite), fill);

/** The far end of a call: what it describes, and its own protection. */
class FarEnd {
  readonly peer: UdpPeer;
  readonly frames: readonly ClientFrame[];
  readonly session: MediaSession;
  readonly log: readonly string[];
  #srtp: SrtpSession | undefined;

  constructor(peer: UdpPeer, session: MediaSession, frames: readonly ClientFrame[], log: readonly string[]) {
    this.peer = peer;
    this.session = session;
    this.frames = frames;
    this.log = log;
  }

  static async open(scope: Scope, srtp: SrtpPolicy = 'accept'): Promise<FarEnd> {
    const frames: ClientFrame[] = [];
    const log: string[] = [];
    const logger = { info: (fields: object, message: string) => log.push(`${JSON.stringify(fields)} ${message}`) };
    const clock = new FakeClock();
    const media = new DirectMedia({ host: loopback, ports: await freePortRange(8), clock, srtp, logger });
    const session = await media.open({
      callId: 'test',
      player: { play: (frame) => frames.push(frame) > 0 },
      lost: () => {},
    });
    scope.defer(() => session.close());
    return new FarEnd(await UdpPeer.open(scope), session, frames, log);
  }

  get port(): number {
    return this.session.offer.media[0]?.port ?? 0;
  }

  describe(protocol: string, crypto: readonly CryptoAttribute[] = []): SessionDescription {
    const audio = { kind: 'audio', port: this.peer.port, direction: 'sendrecv', formats: [speex] } as const;
    return { address: loopback, media: [{ ...audio, protocol, ...(crypto.length > 0 && { crypto }) }] };
  }

  /** Offers a key and takes the one that is answered. */
  async calls(suite: SuiteName = sha80, fill = 1, protocol = 'RTP/SAVP'): Promise<void> {
    const line = { tag: 4, suite, keyParameters: writeKeyParameters(material(suite, fill)) };
    const { media } = await this.session.answer(this.describe(protocol, [line]));
    expect(media[0]).toMatchObject({ protocol, crypto: [{ tag: 4, suite }] });
    this.#secure(suite, fill, media[0]?.crypto?.[0]);
  }

  /** Answers the offer with a key for the suite. */
  async answers(suite: SuiteName, fill = 1): Promise<void> {
    const [audio] = this.session.offer.media;
    const offered = audio?.crypto?.find((line) => line.suite === suite);
    const line = { tag: offered?.tag ?? 0, suite, keyParameters: writeKeyParameters(material(suite, fill)) };
    await this.session.accept(this.describe(audio?.protocol ?? '', [line]));
    this.#secure(suite, fill, offered);
  }

  #secure(suite: SuiteName, fill: number, line: CryptoAttribute | undefined): void {
    const theirs = line && readCrypto(line);
    if (theirs === undefined || typeof theirs === 'string') throw new Error(`no key: ${theirs}`);
    const keys = { suite, local: material(suite, fill), remote: theirs.material };
    if (this.#srtp === undefined) this.#srtp = new SrtpSession(keys);
    else this.#srtp.rekey(keys);
  }

  packet(sequence: number, ssrc = 77): Buffer {
    const header = { payloadType: 96, marker: false, sequence, timestamp: sequence * 320, ssrc };
    return this.protect(buildRtp(header, wideband(sequence)));
  }

  protect(packet: Buffer): Buffer {
    return this.#srtp?.protectRtp(packet) ?? packet;
  }

  async send(...packets: readonly Buffer[]): Promise<void> {
    for (const packet of packets) await this.peer.send(packet, this.port);
  }

  write(...timestamps: number[]): void {
    for (const timestamp of timestamps) {
      this.session.write({ kind: 'audio', timestamp, payload: flv(wideband(timestamp / 20)) });
    }
  }

  /** The payloads of what came, opened. */
  heard(): number[][] {
    return this.peer.received.map(({ bytes }) => {
      const opened = this.#srtp?.openRtp(Buffer.from(bytes)) ?? bytes;
      const packet = typeof opened === 'string' ? opened : parseRtp(opened);
      if (typeof packet === 'string') throw new Error(packet);
      return [...packet.bytes.subarray(packet.start, packet.end)];
    });
  }

  get said(): number[][] {
    return this.frames.map(({ payload }) => [...payload]);
  }
}

const frame = (seed: number) => [...flv(wideband(seed))];

describe.each(suiteNames)('a call with %s', (suite) => {
  test.for(['RTP/SAVP', 'RTP/SAVPF', 'RTP/AVP'])(
    'offered under %s is encrypted both ways',
    async (protocol, { scope }) => {
      const far = await FarEnd.open(scope);
      await far.calls(suite, 1, protocol);
      far.write(0, 20);
      await until(() => far.peer.received.length === 2, 'two packets');
      expect(far.peer.received[0]?.bytes.includes(Buffer.from(wideband(0)).subarray(1, 20))).toBe(false);
      expect(far.heard()).toEqual([[...wideband(0)], [...wideband(1)]]);
      await far.send(far.packet(1), far.packet(2));
      await until(() => far.frames.length === 2, 'two frames');
      expect(far.said).toEqual([frame(1), frame(2)]);
      expect(far.session.close()).toMatchObject({ srtp: suite, forged: 0, replayed: 0, packetsReceived: 2 });
    },
  );

  test.for(['offer', 'require'] as const)('answered where the policy is %s is encrypted', async (policy, { scope }) => {
    const far = await FarEnd.open(scope, policy);
    await far.answers(suite);
    far.write(0);
    await until(() => far.peer.received.length === 1, 'a packet');
    expect(far.heard()).toEqual([[...wideband(0)]]);
    await far.send(far.packet(1));
    await until(() => far.frames.length === 1, 'a frame');
    expect(far.said).toEqual([frame(1)]);
  });
});

describe('what is not as it has to be', () => {
  test('is counted and dropped, and the call goes on', async ({ scope }) => {
    const far = await FarEnd.open(scope);
    await far.calls();
    const [first, second] = [far.packet(1), far.packet(2)];
    const plain = buildRtp({ payloadType: 96, marker: false, sequence: 3, timestamp: 960, ssrc: 77 }, wideband(3));
    const changed = far.packet(4);
    changed[30] = (changed[30] ?? 0) ^ 1;
    const report = buildRtcp({ ssrc: 77, cname: 'far' });
    await far.send(first, first, plain, changed, second, second.subarray(0, 15), second.subarray(0, 40), report);
    await far.send(first, far.packet(3));
    await until(() => far.frames.length === 3, 'three frames');
    expect(far.said).toEqual([frame(1), frame(2), frame(3)]);
    expect(far.session.close()).toMatchObject({ replayed: 3, forged: 3, malformed: 1, packetsReceived: 3 });
  });

  test('does not show where the far end is', async ({ scope }) => {
    const far = await FarEnd.open(scope);
    await far.calls();
    const stranger = await UdpPeer.open(scope);
    for (let sequence = 1; sequence < 30; sequence++) await stranger.sendRtp(far.port, sequence);
    await far.send(far.packet(1));
    await until(() => far.frames.length === 1, 'a frame');
    far.write(0);
    await until(() => far.peer.received.length === 1, 'a packet');
    expect(stranger.received).toEqual([]);
    expect(far.session.close()).toMatchObject({ forged: 29, packetsReceived: 1 });
  });
});

test('a further answer with another key changes that, and no packet is lost', async ({ scope }) => {
  const far = await FarEnd.open(scope, 'require');
  await far.answers(sha80, 1);
  const onTheWay = far.packet(1);
  await far.answers(sha80, 2);
  far.write(0);
  await far.send(onTheWay, far.packet(2));
  await until(() => far.frames.length === 2 && far.peer.received.length === 1, 'two frames there, one here');
  expect(far.said).toEqual([frame(1), frame(2)]);
  expect(far.heard()).toEqual([[...wideband(0)]]);
});

describe('a further offer', () => {
  test('with another key is answered with ours as before, and no packet is lost', async ({ scope }) => {
    const far = await FarEnd.open(scope);
    await far.calls(sha80, 1);
    far.write(0);
    const onTheWay = far.packet(1);
    await far.calls(sha80, 2);
    far.write(20);
    await far.send(onTheWay, far.packet(2), far.packet(3, 78));
    await until(() => far.frames.length === 3 && far.peer.received.length === 2, 'three frames there, two here');
    expect(far.said).toEqual([frame(1), frame(2), frame(3)]);
    expect(far.heard()).toEqual([[...wideband(0)], [...wideband(1)]]);
  });

  test('with another suite goes on in that', async ({ scope }) => {
    const far = await FarEnd.open(scope);
    await far.calls(sha80);
    far.write(0);
    await until(() => far.peer.received.length === 1, 'a packet');
    expect(far.heard()).toEqual([[...wideband(0)]]);
    await far.calls('AEAD_AES_128_GCM');
    await far.send(far.packet(1));
    far.write(20);
    await until(() => far.frames.length === 1 && far.peer.received.length === 2, 'a frame there, another here');
    expect(far.session.close()).toMatchObject({ srtp: 'AEAD_AES_128_GCM', forged: 0 });
  });

  test('that takes encryption back ends it, where it is not required', async ({ scope }) => {
    const far = await FarEnd.open(scope);
    await far.calls();
    await far.session.answer(far.describe('RTP/AVP'));
    far.write(0);
    await until(() => far.peer.received.length === 1, 'a packet');
    expect(far.peer.rtp[0]).toMatchObject({ payloadType: 96 });
    expect(far.peer.received[0]?.bytes.length).toBe(12 + wideband(0).length);
    const strict = await FarEnd.open(scope, 'require');
    await strict.calls();
    await expect(strict.session.answer(strict.describe('RTP/AVP'))).rejects.toThrow('SRTP is required');
  });
});

describe('a section with encryption and one without', () => {
  const sections = (far: FarEnd, first: string) => {
    const line = { tag: 4, suite: sha80, keyParameters: writeKeyParameters(material(sha80, 1)) };
    const [plain] = far.describe('RTP/AVP').media;
    const [secure] = far.describe(first, [line]).media;
    if (plain === undefined || secure === undefined) throw new Error('no section');
    return [secure, plain];
  };

  test.for([
    ['accept', 'RTP/SAVP', 0],
    ['require', 'RTP/SAVP', 0],
    ['off', 'RTP/SAVP', 1],
    ['accept', 'UDP/TLS/RTP/SAVPF', 1],
  ] as const)(
    'are answered with what %s makes of it: %s first, taken is %i',
    async ([policy, first, taken], { scope }) => {
      const far = await FarEnd.open(scope, policy);
      const media = sections(far, first);
      far.session.check({ address: loopback, media });
      const answer = await far.session.answer({ address: loopback, media });
      expect(answer.media.map(({ port }) => port !== 0)).toEqual([taken === 0, taken === 1]);
      expect(answer.media.map(({ protocol }) => protocol)).toEqual([first, 'RTP/AVP']);
      expect(answer.media.map(({ crypto }) => crypto !== undefined)).toEqual([taken === 0, false]);
    },
  );

  test('may be the other way round', async ({ scope }) => {
    const far = await FarEnd.open(scope, 'require');
    const media = sections(far, 'RTP/SAVP').reverse();
    const answer = await far.session.answer({ address: loopback, media });
    expect(answer.media.map(({ port }) => port !== 0)).toEqual([false, true]);
  });
});

test('a report is encrypted as well', async ({ scope }) => {
  const far = await FarEnd.open(scope);
  const line = { tag: 1, suite: sha80, keyParameters: writeKeyParameters(material(sha80, 1)) };
  const description = far.describe('RTP/SAVP', [line]);
  const [audio] = description.media;
  const muxed = { ...description, media: audio === undefined ? [] : [{ ...audio, rtcpMux: true }] };
  const { media } = await far.session.answer(muxed);
  const ours = media[0]?.crypto?.[0];
  const key = ours && readCrypto(ours);
  if (key === undefined || typeof key === 'string') throw new Error('no key');
  far.session.close();
  await until(() => far.peer.received.length === 1, 'a BYE');
  const srtp = new SrtpSession({ suite: sha80, local: material(sha80, 1), remote: key.material });
  const opened = srtp.openRtcp(Buffer.from(far.peer.received[0]?.bytes ?? []));
  expect(Buffer.isBuffer(opened) && opened.readUInt8(opened.length - 7)).toBe(203);
  expect(far.log).toEqual([]);
});
