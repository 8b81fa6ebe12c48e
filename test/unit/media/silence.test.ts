import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender, type PacketSink } from '../../../plugin/media/audio/audio-sender.js';
import { levelOf } from '../../../plugin/media/audio/comfort-noise.js';
import { compress, expand, meanSquare } from '../../../plugin/media/audio/g711.js';
import type { ReceiveFormats } from '../../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import { speexCodec } from '../../support/speex.js';
import { SentPackets } from './sent-packets.js';
import { silence as speexSilence } from './speex-frames.js';

const transcoding = { codec: await speexCodec() };
const formats: ReceiveFormats = Object.assign(new Array(128).fill(undefined), {
  0: { kind: 'pcmu', clockRate: 8000 },
  8: { kind: 'pcma', clockRate: 8000 },
  13: { kind: 'cn', clockRate: 8000 },
  96: { kind: 'speex', clockRate: 16000 },
});
const voice = compress(
  'pcmu',
  Int16Array.from({ length: 160 }, (_, at) => 8000 * Math.sin(at)),
);

/** A far end of mu-law with comfort noise; time runs in steps of the ticker's. */
class Far {
  readonly frames: ClientFrame[] = [];
  /** When each of them came. */
  readonly times: number[] = [];
  readonly receiver: AudioReceiver;
  now = 0;
  #sequence = 0;

  constructor(client: 'pcmu' | 'speex') {
    this.receiver = new AudioReceiver({
      ...{ formats, transcoding },
      receives: new Set([client]),
      player: {
        play: (frame) => {
          this.times.push(this.now);
          return this.frames.push(frame) > 0;
        },
      },
    });
  }

  /** @param at milliseconds on the far end's clock */
  send(payloadType: number, payload: Uint8Array, at: number, skipped = 0): this {
    this.#sequence += 1 + skipped;
    const header = { payloadType, marker: false, sequence: this.#sequence, timestamp: at * 8, ssrc: 7 };
    const packet = parseRtp(buildRtp(header, payload));
    if (typeof packet === 'string') throw new Error(packet);
    this.receiver.receive(packet, this.now);
    return this;
  }

  /** Speech from now on. */
  talk(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.wait(20)) this.send(0, voice, this.now);
    return this;
  }

  wait(ms: number): this {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 20);
      this.receiver.tick(this.now);
    }
    return this;
  }

  get timestamps(): number[] {
    return this.frames.map(({ timestamp }) => timestamp);
  }

  /** -dBov of the messages between two timestamps. */
  level(from: number, to: number): number {
    const part = this.frames.filter(({ timestamp }) => timestamp >= from && timestamp < to);
    return levelOf(part.reduce((sum, { payload }) => sum + meanSquare('pcmu', payload.subarray(1)), 0) / part.length);
  }
}

const every20 = (ms: number): number[] => Array.from({ length: ms / 20 }, (_, at) => at * 20);
const sid = (level: number, ...coefficients: number[]): Uint8Array => Uint8Array.of(level, ...coefficients);

describe('silence of a far end that describes its noise', () => {
  it('is noise of that level to a client of G.711, up to the speech, without a gap or an overlap', () => {
    const far = new Far('pcmu').talk(200).send(13, sid(50), 200).wait(2000).talk(200);
    expect(far.timestamps).toEqual(every20(2400));
    expect(far.level(200, 2200)).toBeGreaterThan(48);
    expect(far.level(200, 2200)).toBeLessThan(52);
    expect(far.level(2200, 2400)).toBe(levelOf(meanSquare('pcmu', voice)));
    expect(far.receiver).toMatchObject({ comfortNoise: 1, packets: 21, lost: 0, concealed: 0, malformed: 0 });
    expect(far.receiver.jitter).toBe(0);
  });

  it('is heard while it lasts, not all at its end', () => {
    const far = new Far('pcmu').talk(20).send(13, sid(50), 20).wait(2000);
    const late = far.times.map((time, at) => time - (far.timestamps[at] ?? 0));
    expect(Math.max(...late)).toBeLessThanOrEqual(80);
    expect(Math.min(...late.slice(1))).toBeGreaterThanOrEqual(60);
  });

  it('is noise in Speex to a client of Speex, nothing of it concealed', () => {
    const far = new Far('speex').talk(200).send(13, sid(50), 200).wait(1000).talk(200);
    expect(far.timestamps).toEqual(every20(1400));
    expect(far.receiver).toMatchObject({ concealed: 0, lost: 0, transcoded: 20 });
    const decoder = transcoding.codec.createDecoder({ sampleRate: 16000 });
    const powers = far.frames.map(({ payload }) => {
      const decoded = decoder.decode(payload.subarray(1));
      return decoded.ok ? decoded.samples.reduce((sum, one) => sum + one * one, 0) / 320 : expect.fail(decoded.fault);
    });
    const level = levelOf(powers.slice(15, 60).reduce((sum, one) => sum + one, 0) / 45);
    expect(level).toBeGreaterThan(45);
    expect(level).toBeLessThan(56);
  });

  it('follows what is described later', () => {
    const far = new Far('pcmu').talk(20).send(13, sid(70), 20).wait(1000).send(13, sid(45, 40), 1020).wait(1000);
    far.talk(20);
    expect(far.timestamps).toEqual(every20(2040));
    expect(far.level(20, 900)).toBeGreaterThan(68);
    expect(far.level(1200, 2000)).toBeLessThan(47);
  });

  it('has messages as long as those of the speech', () => {
    const far = new Far('pcmu');
    const octets = new Uint8Array(240).fill(0xff);
    far.send(0, octets, 0).wait(30).send(13, sid(60), 30).wait(600).send(0, octets, 630);
    expect(far.timestamps).toEqual(Array.from({ length: 22 }, (_, at) => at * 30));
    expect(far.frames.every(({ payload }) => payload.length === 241)).toBe(true);
  });

  it('may come first in a call', () => {
    const far = new Far('pcmu').send(13, sid(60), 0).wait(200).talk(20);
    expect(far.timestamps).toEqual(every20(220));
  });

  it('ends a minute after the last description: the far end may be gone', () => {
    const far = new Far('pcmu').talk(20).send(13, sid(60), 20).wait(120_000).talk(20);
    expect(far.frames.length).toBeLessThan(3010);
    expect(far.timestamps.at(-2)).toBeGreaterThan(59_000);
    expect(far.timestamps.at(-2)).toBeLessThan(60_100);
    expect(far.timestamps.at(-1)).toBe(120_020);
  });

  it('leaves no noise over speech that comes late by jitter', () => {
    const far = new Far('pcmu').talk(200).send(13, sid(50), 200).wait(1040);
    far.send(0, voice, 1200).wait(20).send(0, voice, 1220);
    expect(far.timestamps).toEqual(every20(1240));
  });

  it('goes on in time behind a far end whose clock stands still while it is silent', () => {
    const far = new Far('pcmu').talk(200).send(13, sid(50), 200).wait(2000);
    far.send(0, voice, 200).wait(20).send(0, voice, 220);
    const [last = 0, ...before] = far.timestamps.toReversed();
    expect(before.every((one, at) => one < (at === 0 ? last : (before[at - 1] ?? 0)))).toBe(true);
    expect(last).toBeGreaterThan(2140);
    expect(last).toBeLessThan(2240);
  });

  it('is not made good all at once when the gateway itself stood still', () => {
    const far = new Far('pcmu').talk(20).send(13, sid(50), 20).wait(100);
    const before = far.frames.length;
    far.now += 5000;
    far.receiver.tick(far.now);
    expect(far.frames.length - before).toBeLessThanOrEqual(10);
    far.talk(20);
    expect(far.timestamps.at(-1)).toBe(far.now - 20);
  });

  it('ends with the source, and with a new agreement', () => {
    const far = new Far('pcmu').talk(20).send(13, sid(50), 20).wait(200);
    far.receiver.use(formats);
    const { length } = far.frames;
    far.wait(1000);
    expect(far.frames.length).toBe(length);
  });

  it('without an octet is counted and dropped', () => {
    const far = new Far('pcmu').talk(20).send(13, new Uint8Array(), 20).wait(200);
    expect(far.frames.length).toBe(1);
    expect(far.receiver).toMatchObject({ malformed: 1, comfortNoise: 1 });
  });

  it('beside Speex is counted: Speex describes its own', () => {
    const far = new Far('speex').send(96, speexSilence, 0).send(13, sid(50), 20).wait(500);
    expect(far.frames.length).toBe(1);
    expect(far.receiver).toMatchObject({ comfortNoise: 1, malformed: 0 });
  });
});

describe('silence of a far end that sends nothing meanwhile', () => {
  it.each(['pcmu', 'speex'] as const)(
    'is a gap in time to a client of %s: nothing is lost, concealed, or jitter',
    (client) => {
      const far = new Far(client).talk(200);
      // Shorter and longer than what concealment would fill.
      for (const pause of [60, 100, 400, 30_000]) far.wait(pause).talk(200);
      expect(far.timestamps.at(-1)).toBe(far.now - 20);
      expect(far.receiver).toMatchObject({ lost: 0, concealed: 0, jitter: 0 });
    },
  );

  it('is told from a loss by the numbers of the packets', () => {
    const far = new Far('speex').talk(200).wait(60);
    far.send(0, voice, far.now, 3);
    far.wait(100);
    expect(far.receiver).toMatchObject({ lost: 3, concealed: 3 });
  });
});

interface Sent extends RtpPacket {
  readonly at: number;
}

/** A client of mu-law towards a far end that takes comfort noise. */
class Client implements PacketSink {
  readonly sent: Sent[] = [];
  readonly sender: AudioSender;
  now = 1000;

  constructor() {
    this.sender = new AudioSender({
      ...{ codec: 'pcmu', payloadType: 0, clockRate: 8000, ssrc: 1, sequence: 0, timestamp: 0 },
      noise: 13,
      out: this,
    });
  }

  sendRtp(bytes: Buffer): void {
    const packet = parseRtp(bytes);
    this.sent.push(typeof packet === 'string' ? expect.fail(packet) : { ...packet, at: this.now });
  }

  talk(ms: number, samples: Int16Array): this {
    const payload = Uint8Array.of(0x82, ...compress('pcmu', samples));
    for (const end = this.now + ms; this.now < end; this.wait(20)) {
      this.sender.write({ kind: 'audio', timestamp: this.now, payload }, this.now);
    }
    return this;
  }

  wait(ms: number): this {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 20;
      this.sender.tick(this.now);
    }
    return this;
  }

  get descriptions(): Sent[] {
    return this.sent.filter(({ payloadType }) => payloadType === 13);
  }
}

const tone = (amplitude: number): Int16Array => Int16Array.from({ length: 160 }, (_, at) => amplitude * Math.sin(at));

describe('silence of a client, which sends nothing meanwhile', () => {
  it('is described once, by the level of what was heard last, and speech behind it is marked', () => {
    const client = new Client().talk(400, tone(8000)).talk(400, tone(60)).wait(3000).talk(100, tone(8000));
    const [one, ...more] = client.descriptions;
    expect(more).toEqual([]);
    expect(one).toMatchObject({ marker: false, sequence: 40 });
    // 60 / sqrt(2) of 32768.
    expect([...(one?.bytes.subarray(one.start, one.end) ?? [])]).toEqual([
      levelOf(meanSquare('pcmu', compress('pcmu', tone(60)))),
    ]);
    expect((one?.at ?? 0) - 1800).toBeGreaterThanOrEqual(480);
    expect((one?.at ?? 0) - 1800).toBeLessThan(600);
    const [speech, next] = client.sent.slice(41);
    expect(speech).toMatchObject({ marker: true, sequence: 41, timestamp: 3800 * 8 });
    expect(next).toMatchObject({ marker: false, timestamp: 3820 * 8 });
    expect(client.sender).toMatchObject({ comfortNoise: 1, packets: 46 });
  });

  it('has timestamps between those of the speech around it', () => {
    const client = new Client().talk(200, tone(100)).wait(5000).talk(200, tone(100)).wait(700).talk(40, tone(100));
    const timestamps = client.sent.map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([...timestamps].sort((a, b) => a - b));
    expect(client.descriptions.length).toBe(2);
  });

  it('right behind speech is not as loud as that', () => {
    const [one] = new Client().talk(400, tone(20_000)).wait(1000).descriptions;
    expect(one?.bytes[one.start]).toBe(40);
  });

  it('is none while the connection is late by less than what is dropped', () => {
    const client = new Client();
    for (let round = 0; round < 20; round++) client.wait(400).talk(20, tone(100));
    expect(client.descriptions).toEqual([]);
  });

  it('costs no delay where it was a stall of the connection', () => {
    const client = new Client().talk(1000, tone(100));
    for (let round = 0; round < 10; round++) {
      const from = client.now;
      client.wait(800);
      const payload = Uint8Array.of(0x82, ...compress('pcmu', tone(100)));
      // All that was said meanwhile comes at once.
      for (let at = from; at < client.now; at += 20) {
        client.sender.write({ kind: 'audio', timestamp: at, payload }, client.now);
      }
      client.talk(1000, tone(100));
    }
    const last = client.sent.at(-1);
    expect((last?.timestamp ?? 0) / 8 - ((last?.at ?? 0) - 1000)).toBeLessThanOrEqual(20);
  });

  it('is not described before the client has said something, nor to a far end that does not take it', () => {
    expect(new Client().wait(5000).sent).toEqual([]);
    const out = new SentPackets();
    const without = new AudioSender({
      ...{ codec: 'pcmu', payloadType: 0, clockRate: 8000, ssrc: 1, sequence: 0, timestamp: 0, out },
    });
    without.write({ kind: 'audio', timestamp: 0, payload: Uint8Array.of(0x82, ...voice) }, 0);
    without.tick(10_000);
    expect(out.all.length).toBe(1);
  });

  it('is none while a key is pressed', () => {
    const client = new Client().talk(100, tone(100));
    client.sender.claim(client.now, 2000);
    client.wait(2000);
    expect(client.descriptions).toEqual([]);
  });

  it('of Speex that becomes G.711 is described as well', () => {
    const out = new SentPackets();
    const sender = new AudioSender({
      ...{ codec: 'pcmu', payloadType: 0, clockRate: 8000, ssrc: 1, sequence: 0, timestamp: 0, noise: 13 },
      ...{ transcoding, out },
    });
    const encoder = transcoding.codec.createEncoder({ sampleRate: 16000 });
    for (let at = 0; at < 200; at += 20) {
      const payload = Uint8Array.of(0xb2, ...(encoder.encode(new Int16Array(320)) ?? []));
      sender.write({ kind: 'audio', timestamp: at, payload }, at);
    }
    sender.tick(1000);
    expect(out.all.at(-1)?.payloadType).toBe(13);
    sender.free();
    encoder.free();
  });
});

it('the power of G.711 is that of its samples', () => {
  const samples = expand('pcma', compress('pcma', tone(3000)));
  const expected = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
  expect(meanSquare('pcma', compress('pcma', tone(3000)))).toBeCloseTo(expected);
});
