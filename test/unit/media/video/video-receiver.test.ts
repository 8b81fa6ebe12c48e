import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../../plugin/call/ports.js';
import type { RtpPacket } from '../../../../plugin/media/rtp/rtp.js';
import { parseAvcMessage, splitNals } from '../../../../plugin/media/video/flv-avc.js';
import { packetize } from '../../../../plugin/media/video/packetizer.js';
import { parameterSetsOf } from '../../../../plugin/media/video/parameter-sets.js';
import { VideoReceiveTimeline } from '../../../../plugin/media/video/receive-timeline.js';
import { VideoReceiver } from '../../../../plugin/media/video/video-receiver.js';
import { bytes, FarEnd, hex, otherSps, pps, slice, sps } from './h264.js';

/** A picture in a long FU-A of three packets. */
const fragments = (type: 1 | 5, mark = 0): Uint8Array[] =>
  packetize([slice(type, { length: 3_000, mark })], 1).map(({ prefix = new Uint8Array(), body }) =>
    Uint8Array.of(...prefix, ...body),
  );

class Bench {
  readonly far = new FarEnd();
  readonly frames: ClientFrame[] = [];
  readonly receiver: VideoReceiver;
  needed = 0;
  came = 0;
  now = 0;
  playing = true;

  constructor({ retransmission = false } = {}) {
    this.receiver = new VideoReceiver({
      player: {
        play: (frame) => {
          this.frames.push(frame);
          return this.playing;
        },
      },
      timeline: new VideoReceiveTimeline({ origin: () => 0, inAudioTime: () => undefined }),
      retransmission,
      keyFrameNeeded: () => this.needed++,
      keyFrameCame: () => this.came++,
    });
    this.receiver.payloadTypes = new Set([102]);
  }

  /** A picture's packets, 33 ms after the picture before. */
  take(...packets: readonly RtpPacket[]): void {
    this.now += 33;
    for (const packet of packets) this.receiver.receive(packet, this.now);
  }

  picture(...payloads: readonly Uint8Array[]): void {
    this.take(...this.far.picture(...payloads));
  }

  /** Time passes in which gaps are given up. */
  wait(ms: number): void {
    this.now += ms;
    this.receiver.tick(this.now);
  }

  /** What the client got: `header 1280x720`, or the NAL units of a picture with `*` for a key frame. */
  get played(): string[] {
    return this.frames.map(({ payload }) => {
      const message = parseAvcMessage(payload);
      if (message.kind !== 'frame') return `header ${parameterSetsOf(payload).map(hex).join(' ')}`;
      const nals = (splitNals(message.data, 4) ?? []).map((nal) => hex(nal.length > 30 ? nal.subarray(0, 4) : nal));
      return `${message.key ? '*' : ''}${nals.join(' ')}`;
    });
  }

  get timestamps(): number[] {
    return this.frames.map(({ timestamp }) => timestamp);
  }
}

const header = `header ${hex(sps)} ${hex(pps)}`;
const idr = hex(slice(5));
const inter = (mark = 0): string => hex(slice(1, { mark }));

describe('pictures', () => {
  it('become messages, the first behind a sequence header; parameter sets and separators stay in that', () => {
    const bench = new Bench();
    bench.picture(bytes('09f0'), sps, pps, bytes('0605'), slice(5));
    bench.picture(slice(1, { mark: 1 }));
    bench.picture(sps, pps, slice(5));
    expect(bench.played).toEqual([header, `*0605 ${idr}`, inter(1), `*${idr}`]);
    expect(bench.timestamps).toEqual([0, 0, 33, 67]);
    expect(bench.receiver).toMatchObject({ frames: 3, keyFrames: 2, dropped: 0 });
  });

  it('of several slices are whole, also without a marker', () => {
    const bench = new Bench();
    const slices = [slice(5), slice(5, { first: false, mark: 1 }), slice(5, { first: false, mark: 2 })];
    const packets = bench.far.picture(sps, pps, ...slices);
    bench.take(...packets.map((packet) => ({ ...packet, marker: false })));
    expect(bench.frames).toEqual([]);
    bench.picture(slice(1));
    expect(bench.played).toEqual([header, `*${slices.map(hex).join(' ')}`, inter()]);
  });

  it('start with a key frame, which is asked for', () => {
    const bench = new Bench();
    for (const nal of [sps, pps]) bench.receiver.sets.add(nal);
    bench.picture(slice(1));
    bench.picture(slice(1));
    expect(bench).toMatchObject({ needed: 2, frames: [] });
    bench.picture(slice(5));
    expect(bench.played).toEqual([header, `*${idr}`]);
    expect(bench.came).toBe(1);
  });

  it('cannot be shown without parameter sets', () => {
    const bench = new Bench();
    bench.picture(slice(5));
    expect(bench).toMatchObject({ needed: 1, frames: [] });
  });

  it('in other parameter sets come behind another sequence header, at the key frame', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.picture(otherSps, slice(1));
    bench.picture(otherSps, pps, slice(5));
    expect(bench.played).toEqual([
      header,
      `*${idr}`,
      // Decoders that read on get it at once; the others with the next key frame.
      expect.stringMatching(new RegExp(`${inter()}$`)),
      `header ${hex(otherSps)} ${hex(pps)}`,
      `*${idr}`,
    ]);
  });

  it('that are sent in another order than shown have composition times, and timestamps that never go back', () => {
    const bench = new Bench();
    const at = (ms: number, ...payloads: Uint8Array[]) => {
      bench.far.timestamp = 90_000 + (ms - 1000 / 30) * 90;
      bench.picture(...payloads);
    };
    at(0, sps, pps, slice(5));
    at(100, slice(1));
    at(33, slice(1));
    at(66, slice(1));
    const shown = bench.frames.slice(1).map(({ timestamp, payload }) => {
      const message = parseAvcMessage(payload);
      return timestamp + (message.kind === 'frame' ? message.compositionTime : 0);
    });
    expect(shown).toEqual([0, 100, 33, 66]);
    expect(bench.timestamps).toEqual([0, 0, 100, 101, 102]);
  });
});

describe('a loss', () => {
  it('of a packet costs what builds on the picture, up to the next key frame', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    const [first, , last] = bench.far.picture(...fragments(1));
    if (first === undefined || last === undefined) throw new Error('no packets');
    bench.take(first, last);
    bench.picture(slice(1, { mark: 2 }));
    bench.wait(40);
    expect(bench.played.length).toBe(2);
    expect(bench.needed).toBeGreaterThan(0);
    bench.picture(sps, pps, slice(5));
    bench.picture(slice(1, { mark: 3 }));
    expect(bench.played.slice(2)).toEqual([`*${idr}`, inter(3)]);
    expect(bench.receiver).toMatchObject({ lost: 1, dropped: 2, frames: 3 });
  });

  it('of a whole picture is noticed, and a key frame right behind it is shown', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.far.picture(slice(1));
    bench.picture(sps, pps, slice(5));
    bench.wait(40);
    expect(bench.played).toEqual([header, `*${idr}`, `*${idr}`]);
    expect(bench.receiver.dropped).toBe(1);
  });

  it('of the first packets of a key frame costs that', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.take(...bench.far.picture(...fragments(5)).slice(1));
    bench.wait(40);
    expect(bench.played).toEqual([header, `*${idr}`]);
    expect(bench.receiver.dropped).toBe(1);
  });

  it('freezes the picture for 3 s at most where no key frame comes', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.far.picture(slice(1));
    for (let index = 0; index < 120; index++) bench.picture(slice(1, { mark: 1 + index }));
    // It passes for a key frame, so that players go on with it.
    expect(bench.played.slice(2, 4)).toEqual([`*${inter(94)}`, inter(95)]);
    expect(bench.frames.length).toBe(2 + 27);
  });

  it('is shown to players that join, too, within 3 s where there are no key frames', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.receiver.requestKeyFrame(bench.now);
    for (let index = 0; index < 120; index++) bench.picture(slice(1, { mark: 1 + index }));
    expect(bench.played.slice(2).filter((picture) => picture.startsWith('*'))).toEqual([`*${inter(91)}`]);
    expect(bench.frames.length).toBe(2 + 120);
  });

  it('that is only a late packet is none: fragments in any order', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    const [first, second, third] = bench.far.picture(...fragments(1, 9));
    const next = bench.far.picture(slice(1, { mark: 2 }));
    if (first === undefined || second === undefined || third === undefined) throw new Error('no packets');
    bench.take(third, ...next, first, second);
    expect(bench.played.slice(2)).toEqual(['41880909', inter(2)]);
    expect(bench.receiver).toMatchObject({ lost: 0, dropped: 0, malformed: 0 });
  });

  it('can be waited for longer where it can be asked for', () => {
    const [patient, impatient] = [new Bench({ retransmission: true }), new Bench()];
    for (const bench of [patient, impatient]) {
      bench.picture(sps, pps, slice(5));
      const late = bench.far.picture(slice(1, { mark: 1 }));
      for (let index = 2; index < 6; index++) bench.picture(slice(1, { mark: index }));
      bench.take(...late);
    }
    expect(patient.played.slice(2)).toEqual([1, 2, 3, 4, 5].map(inter));
    expect(impatient.played.slice(2)).toEqual([]);
    expect(patient.receiver.missing.due(patient.now + 100)).toEqual([]);
  });
});

describe('bad input', () => {
  it('fragments that never end are counted, and the call goes on with the next key frame', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    const [start = new Uint8Array()] = fragments(1);
    bench.picture(start);
    bench.picture(slice(1));
    bench.picture(sps, pps, slice(5));
    expect(bench.played.slice(2)).toEqual([`*${idr}`]);
    expect(bench.receiver).toMatchObject({ malformed: 1, dropped: 2 });
  });

  it('a SPS that lies is counted, and the one before stays', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    bench.picture(bytes('6742c01ff800000400001fffff'), slice(5));
    expect(bench.played).toEqual([header, `*${idr}`, `*${idr}`]);
    expect(bench.receiver.malformed).toBe(1);
  });

  it('packets without end of one picture do not grow beyond 1 MiB', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    const long = slice(1, { length: 1_200 });
    bench.take(...Array.from({ length: 2_000 }, () => bench.far.packet(long, false)));
    bench.picture(sps, pps, slice(5));
    expect(bench.played.slice(2)).toEqual([`*${idr}`]);
    expect(bench.receiver.dropped).toBe(1);
  });

  it('other payload types are counted and show nothing', () => {
    const bench = new Bench();
    bench.far.payloadType = 96;
    bench.picture(sps, pps, slice(5));
    expect(bench.receiver).toMatchObject({ unknownPayloadType: 1 + 2, packets: 0 });
  });

  it('what players do not take is counted', () => {
    const bench = new Bench();
    bench.playing = false;
    bench.picture(sps, pps, slice(5));
    expect(bench.receiver.droppedSlowReader).toBe(2);
  });
});

describe('whatever comes', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    // Headers of slices, parameter sets, STAP-A and FU-A before anything.
    fc
      .tuple(fc.constantFrom(0x41, 0x65, 0x67, 0x68, 0x78, 0x7c), fc.uint8Array({ maxLength: 40 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest)),
    fc.constantFrom(sps, pps, slice(5), slice(1)),
  );
  const step = fc.record({
    payload: octets,
    marker: fc.boolean(),
    sequence: fc.integer({ min: -3, max: 6 }),
    timestamp: fc.constantFrom(0, 0, 3_000, 3_000, -3_000, 2 ** 31),
    wait: fc.constantFrom(0, 0, 1, 50, 4_000),
  });

  it('is read to an end: every message is one that can be read again, and time never goes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, retransmission) => {
        const bench = new Bench({ retransmission });
        for (const { payload, marker, sequence, timestamp, wait } of steps) {
          bench.far.sequence += sequence;
          bench.far.timestamp = (bench.far.timestamp + timestamp + 2 ** 32) % 2 ** 32;
          bench.receiver.receive(bench.far.packet(payload, marker), bench.now);
          bench.wait(wait);
        }
        for (const { payload } of bench.frames) {
          const message = parseAvcMessage(payload);
          if (message.kind === 'frame') expect(splitNals(message.data, 4)?.length).toBeGreaterThan(0);
          else expect(parameterSetsOf(payload).length).toBeGreaterThan(1);
        }
        expect(bench.timestamps).toEqual([...bench.timestamps].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });
});

describe('another source', () => {
  it('starts with a key frame, and its timestamps go on by the time that passed', () => {
    const bench = new Bench();
    bench.picture(sps, pps, slice(5));
    Object.assign(bench.far, { ssrc: 78, sequence: 40_000, timestamp: 5 });
    bench.picture(slice(1));
    expect(bench.needed).toBe(1);
    bench.picture(sps, pps, slice(5));
    expect(bench.played).toEqual([header, `*${idr}`, `*${idr}`]);
    expect(bench.timestamps).toEqual([0, 0, 66]);
  });
});
