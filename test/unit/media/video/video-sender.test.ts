import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAvcConfig } from '../../../../plugin/media/video/avc-config.js';
import { buildConfigMessage, buildFrameMessage } from '../../../../plugin/media/video/flv-avc.js';
import type { PacketizationMode } from '../../../../plugin/media/video/packetizer.js';
import { VideoSender } from '../../../../plugin/media/video/video-sender.js';
import { bytes, header, hex, interFrame, keyFrame, parsed, payloadOf, pps, slice, sps } from './h264.js';

const stap = `78001b${hex(sps)}0004${hex(pps)}`;

class Bench {
  readonly sent: Buffer[] = [];
  readonly sender: VideoSender;
  now = 1_000;

  constructor(options: { mode?: PacketizationMode; sequence?: number; clientTime?: (now: number) => number } = {}) {
    this.sender = new VideoSender({
      format: { payloadType: 102, mode: options.mode ?? 1 },
      ssrc: 7,
      sequence: options.sequence ?? 0,
      timestamp: 5_000,
      send: (packet) => this.sent.push(packet),
      retransmits: true,
      clientTimeAt: options.clientTime ?? (() => undefined),
    });
  }

  write(timestamp: number, ...payloads: Uint8Array[]): void {
    this.now = 1_000 + timestamp;
    for (const payload of payloads) this.sender.write({ kind: 'video', timestamp, payload }, this.now);
  }

  get payloads(): string[] {
    return this.sent.map(payloadOf);
  }

  get timestamps(): number[] {
    return this.sent.map((packet) => parsed(packet).timestamp);
  }
}

describe('a picture', () => {
  it('of several slices goes whole, the marker on the last packet alone', () => {
    const bench = new Bench();
    const slices = [1, 2, 3, 4].map((mark) => slice(5, { first: mark === 1, length: 900, mark }));
    bench.write(0, header, buildFrameMessage(slices, 0));
    expect(bench.payloads.slice(1)).toEqual(slices.slice(1).map(hex));
    expect(bench.payloads[0]).toContain(hex(slices[0] ?? new Uint8Array()));
    expect(bench.sent.map((packet) => parsed(packet).marker)).toEqual([false, false, false, true]);
    expect(new Set(bench.timestamps).size).toBe(1);
  });

  it('that is a key frame comes behind SPS and PPS, each time, and once also when the client repeats them', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    bench.write(33, interFrame());
    bench.write(66, buildFrameMessage([bytes('09f0'), sps, pps, bytes('0605'), slice(5)], 0));
    const idr = `0014${hex(slice(5))}`;
    expect(bench.payloads).toEqual([`${stap}${idr}`, hex(slice(1)), `${stap}00020605${idr}`]);
    expect(bench.sender).toMatchObject({ frames: 3, keyFrames: 2, dropped: 0 });
  });

  it('in mode 0 has every NAL unit in a packet', () => {
    const bench = new Bench({ mode: 0 });
    bench.write(0, header, keyFrame());
    expect(bench.payloads).toEqual([sps, pps, slice(5)].map(hex));
  });

  it('is not sent before the first key frame, nor after an interruption', () => {
    const bench = new Bench();
    bench.write(0, header, interFrame(), interFrame());
    bench.write(66, keyFrame());
    bench.sender.interrupt();
    bench.write(99, interFrame(), keyFrame(), interFrame());
    expect(bench.sender).toMatchObject({ frames: 3, keyFrames: 2, dropped: 3 });
  });

  it('of nothing but separators and filling is none', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    bench.write(33, buildFrameMessage([bytes('09f0'), bytes('0cff80')], 0));
    expect(bench.sent.length).toBe(1);
  });

  it('has the time at which it is shown: 90 ticks a millisecond, with the composition time', () => {
    const bench = new Bench();
    const messages = [header, keyFrame(), interFrame(), interFrame(1, 80), interFrame(2)];
    for (const [index, payload] of messages.entries()) {
      const timestamp = (2 ** 32 - 80 + index * 40) % 2 ** 32;
      bench.sender.write({ kind: 'video', timestamp, payload }, index * 40);
    }
    expect(bench.timestamps.map((ticks) => (ticks - 5_000) / 90)).toEqual([0, 40, 160, 120]);
  });

  it('of a client whose timestamps start anew follows by the time that passed', () => {
    const bench = new Bench();
    bench.write(60_000, header, keyFrame());
    bench.sender.write({ kind: 'video', timestamp: 0, payload: interFrame() }, bench.now + 33);
    bench.sender.write({ kind: 'video', timestamp: 33, payload: interFrame() }, bench.now + 66);
    expect(bench.timestamps.map((ticks) => (ticks - 5_000) / 90)).toEqual([0, 33, 66]);
  });
});

describe('a stall of 3 s on the way from the client', () => {
  it('costs the pictures that were queued up, and those up to the next key frame; what follows is in time', () => {
    const bench = new Bench();
    bench.write(0, header);
    const arrival = (timestamp: number): number => (timestamp > 990 && timestamp < 3_990 ? 3_990 : timestamp);
    for (let index = 0; index < 240; index++) {
      const timestamp = index * 33;
      const payload = index % 30 === 0 ? keyFrame() : interFrame(index);
      bench.sender.write({ kind: 'video', timestamp, payload }, arrival(timestamp));
    }
    expect(bench.sender.late).toBeGreaterThan(80);
    const sent = bench.timestamps.map((ticks) => (ticks - 5_000) / 90);
    expect(sent.slice(0, 31)).toEqual(Array.from({ length: 31 }, (_, index) => index * 33));
    // Every 30th is a key frame; 120 is the first of them that is nearly in time.
    expect(sent[31]).toBe(120 * 33);
    expect(sent.length).toBe(31 + 120);
  });
});

describe('parameter sets', () => {
  const other = bytes('68ce0fc9');

  it('of a new sequence header go with the next key frame', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    bench.write(33, buildConfigMessage(buildAvcConfig([sps], [other])), interFrame());
    bench.write(66, keyFrame());
    expect(bench.payloads[2]).toContain(hex(other));
    expect(bench.payloads[2]).not.toContain(hex(pps));
  });

  it('in band take the place of those in the header, and stay where they are between key frames', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    bench.write(33, buildFrameMessage([other, slice(1)], 0));
    bench.write(66, keyFrame());
    expect(bench.payloads[1]).toContain(hex(other));
    expect(bench.payloads[2]).toContain(hex(other));
  });
});

describe('bad input', () => {
  const rows: [name: string, body: Uint8Array, counted: object][] = [
    ['a tag of length 0', new Uint8Array(), {}],
    ['another codec', bytes('22 0000 84'), { unsupported: 1 }],
    ['a header that is none', bytes('17 00 000000 02ff'), { malformed: 1 }],
    [
      'a header whose SPS lies',
      buildConfigMessage(buildAvcConfig([bytes('6742c01f00')], [pps])),
      { sets: { refused: 1 } },
    ],
    ['lengths that do not fit', bytes('27 01 000000 000000ff 41'), { malformed: 1 }],
    ['a cut-off message', bytes('27 01'), { malformed: 1 }],
  ];

  it.each(rows)('%s is counted, and the call goes on', (_name, body, counted) => {
    const bench = new Bench();
    bench.write(0, header, body);
    expect(bench.sender).toMatchObject({ unsupported: 0, malformed: 0, ...counted });
    bench.write(33, header, keyFrame());
    expect(bench.sender.frames).toBe(1);
  });

  it('any messages are read to an end, and what is sent are valid packets', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(
          fc.constantFrom('1700000000', '1701000000', '2701000000', '9161766331000000'),
          fc.uint8Array({ maxLength: 60 }),
        )
        .map(([start, rest]) => Uint8Array.of(...bytes(start), ...rest)),
      fc.constantFrom(header, keyFrame(), interFrame()),
    );
    fc.assert(
      fc.property(fc.array(body, { maxLength: 30 }), fc.constantFrom(0 as const, 1 as const), (bodies, mode) => {
        const bench = new Bench({ mode });
        for (const [index, payload] of bodies.entries()) bench.write(index * 33, payload);
        for (const packet of bench.sent) expect(parsed(packet).payloadType).toBe(102);
      }),
      { numRuns: 500 },
    );
  });

  it('a picture before any header is counted', () => {
    const bench = new Bench();
    bench.write(0, keyFrame());
    expect(bench.sender).toMatchObject({ malformed: 1, packets: 0 });
  });
});

describe('sending again', () => {
  const asked = (bench: Bench, sequences: number[], now = bench.now): number[] => {
    const again: number[] = [];
    bench.sender.resend(sequences, now, (packet) => again.push(parsed(packet).sequence));
    return again;
  };

  it('the very packets, over the wrap of the sequence numbers', () => {
    const bench = new Bench({ sequence: 65_534 });
    bench.write(0, header, keyFrame());
    for (let index = 1; index < 5; index++) bench.write(index * 33, interFrame(index));
    const again: Buffer[] = [];
    bench.sender.resend([65_535, 1], bench.now, (packet) => again.push(packet));
    expect(again.map(hex)).toEqual([bench.sent[1], bench.sent[3]].map((packet) => hex(packet ?? Buffer.alloc(0))));
    expect(bench.sender.retransmitted).toBe(2);
  });

  it('none that was never sent, or more than a second ago', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    bench.write(900, interFrame());
    expect(asked(bench, [0, 1, 2, 500, 65_535])).toEqual([0, 1]);
    expect(asked(bench, [0, 1], bench.now + 200)).toEqual([1]);
  });

  it('one at most four times, and not at once again', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    expect(asked(bench, [0, 0, 0])).toEqual([0]);
    expect([10, 20, 30, 40, 50].map((ms) => asked(bench, [0], bench.now + ms).length)).toEqual([1, 1, 1, 0, 0]);
  });

  it('no more than 1 MiB in a second, and keeps no more', () => {
    const bench = new Bench();
    bench.write(0, header, keyFrame());
    const large = buildFrameMessage([slice(1, { length: 400_000 })], 0);
    for (let index = 1; index < 6; index++) bench.write(index, large);
    const all = bench.sent.map((packet) => parsed(packet).sequence);
    const first = asked(bench, all).length;
    expect(first).toBeGreaterThan(800);
    expect(first).toBeLessThan(1024);
    // The budget is spent now, and comes back with time.
    expect(asked(bench, all, bench.now + 12).length).toBeLessThan(40);
  });
});

describe('a sender report', () => {
  it('names the RTP timestamp of a moment by the audio of the client', () => {
    // The client's audio is 120 ms ahead of its video: the picture of 0 came when the audio was at 120.
    const bench = new Bench({ clientTime: (now) => now - 1_000 + 120 });
    bench.write(0, header, keyFrame());
    expect((bench.sender.timestampAt(1_500) - 5_000) / 90).toBe(620);
  });

  it('goes by the arrival of the last picture where there is no audio', () => {
    const bench = new Bench();
    bench.write(100, header, keyFrame());
    expect((bench.sender.timestampAt(1_600) - 5_000) / 90).toBe(500);
  });
});
