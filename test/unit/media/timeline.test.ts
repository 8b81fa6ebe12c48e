import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiveTimeline, SendTimeline } from '../../../plugin/media/rtp/timeline.js';

interface Message {
  readonly timestamp: number;
  /** Milliseconds; the timestamp unless told. */
  readonly arrival?: number;
}

/** Places messages of one frame at 16 kHz and returns the RTP time of each in ms from the first, `!` marking a gap. */
function send(...messages: (number | Message)[]): string[] {
  const timeline = new SendTimeline(16000, 0);
  return messages.map((message) => {
    const { timestamp, arrival = timestamp } = typeof message === 'number' ? { timestamp: message } : message;
    const ticks = timeline.place(timestamp, 20, arrival);
    return `${ticks / 16}${timeline.marker ? '!' : ''}`;
  });
}

describe('RTMP to RTP', () => {
  const top = 2 ** 32;
  const rows: [name: string, messages: (number | Message)[], placed: string[]][] = [
    ['regular', [0, 20, 40, 60], ['0!', '20', '40', '60']],
    ['the first timestamp is any', [5000, 5020, 5040], ['0!', '20', '40']],
    ['jitter', [0, 17, 44, 58, 81], ['0!', '20', '40', '60', '80']],
    ['jitter up to a frame', [0, 40, 40, 80, 80], ['0!', '20', '40', '60', '80']],
    ['the same timestamp twice', [0, 0, 40, 40], ['0!', '20', '40', '60']],
    ['silence', [0, 20, 500, 520], ['0!', '20', '500!', '520']],
    ['silence of many minutes', [0, 20, 1_000_000, 1_000_020], ['0!', '20', '1000000!', '1000020']],
    ['drift beyond a frame', [0, 27, 54, 81, 108], ['0!', '20', '40', '81!', '101']],
    [
      'the source starts anew',
      [
        { timestamp: 9000, arrival: 0 },
        { timestamp: 9020, arrival: 20 },
        { timestamp: 0, arrival: 40 },
        { timestamp: 20, arrival: 60 },
      ],
      ['0!', '20', '40', '60'],
    ],
    [
      'the source starts anew after a pause',
      [
        { timestamp: 9000, arrival: 0 },
        { timestamp: 0, arrival: 3000 },
        { timestamp: 20, arrival: 3020 },
      ],
      ['0!', '3000!', '3020'],
    ],
    [
      'a leap that did not take that long',
      [
        { timestamp: 0, arrival: 0 },
        { timestamp: 3_600_000, arrival: 20 },
        { timestamp: 3_600_020, arrival: 40 },
      ],
      ['0!', '20', '40'],
    ],
    [
      'late and at once, after a stall of the network',
      [
        { timestamp: 0, arrival: 0 },
        { timestamp: 20, arrival: 3000 },
        { timestamp: 40, arrival: 3000 },
        { timestamp: 60, arrival: 3000 },
      ],
      ['0!', '20', '40', '60'],
    ],
    [
      'the RTMP wrap',
      [
        { timestamp: top - 20, arrival: 0 },
        { timestamp: 0, arrival: 20 },
        { timestamp: 20, arrival: 40 },
      ],
      ['0!', '20', '40'],
    ],
    [
      'a gap over the RTMP wrap',
      [
        { timestamp: top - 100, arrival: 0 },
        { timestamp: 900, arrival: 1000 },
      ],
      ['0!', '1000!'],
    ],
  ];
  it.each(rows)('%s', (_name, messages, placed) => expect(send(...messages)).toEqual(placed));

  it('wraps at 2^32 ticks', () => {
    const timeline = new SendTimeline(8000, top - 160);
    expect([0, 20, 40].map((timestamp) => timeline.place(timestamp, 20, timestamp))).toEqual([top - 160, 0, 160]);
  });

  it('does not run away where timestamps swing', () => {
    const swinging = Array.from({ length: 500 }, (_, index) => index * 20 + (index % 2 === 0 ? 0 : 30));
    const placed = send(...swinging);
    expect(Number.parseFloat(placed[499] ?? '')).toBeLessThanOrEqual(499 * 20 + 30);
    expect(placed.filter((one) => one.endsWith('!')).length).toBe(2);
  });

  it('follows a source whose clock is slow or fast for an hour', () => {
    for (const rate of [0.999, 1.001]) {
      const timeline = new SendTimeline(16000, 0);
      let ticks = 0;
      const frames = 180_000;
      for (let index = 0; index < frames; index++) {
        ticks = timeline.place(Math.round(index * 20 * rate), 20, index * 20);
      }
      // A fast source is followed; the frames of a slow one are longer than it says, and none may overlap.
      expect(ticks / 16).toBeCloseTo((frames - 1) * 20 * Math.max(1, rate), -2);
    }
  });

  it('follows a gap after audio that was longer than its timestamps said', () => {
    const timeline = new SendTimeline(16000, 0);
    let end = 0;
    for (let index = 0; index < 300; index++) end = timeline.place(index * 10, 20, index * 10) + 320;
    const gap = timeline.place(299 * 10 + 4000, 20, 299 * 10 + 4000) - end;
    expect(timeline.marker).toBe(true);
    expect(gap / 16).toBeGreaterThan(2900);
    expect(gap / 16).toBeLessThanOrEqual(4000);
  });

  it('never goes back and leaves no frame shorter than it is, whatever the timestamps', () => {
    const message = fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(fc.array(message, { minLength: 2 }), (messages) => {
        const timeline = new SendTimeline(16000, 0);
        let now = 0;
        let before = -320;
        for (const [timestamp, pause] of messages) {
          now += pause;
          const ticks = timeline.place(timestamp, 20, now);
          expect((ticks - before) >>> 0).toBeGreaterThanOrEqual(320);
          expect((ticks - before) >>> 0).toBeLessThan(2 ** 31);
          before = ticks;
        }
      }),
    );
  });

  it('says the RTP time of a moment', () => {
    const timeline = new SendTimeline(16000, 1000);
    expect(timeline.at(5)).toBe(1000);
    timeline.place(0, 20, 100);
    expect(timeline.at(110)).toBe(1160);
    expect(timeline.at(90)).toBe(1000);
  });
});

interface Packet {
  readonly ticks: number;
  readonly arrival: number;
  readonly clockRate?: number;
  readonly restart?: boolean;
}

function receive(...packets: Packet[]): number[] {
  const timeline = new ReceiveTimeline();
  return packets.map(({ ticks, arrival, clockRate = 16000, restart = false }) => {
    if (restart) timeline.restart();
    return timeline.place(ticks, clockRate, arrival);
  });
}

describe('RTP to RTMP', () => {
  const top = 2 ** 32;
  const rows: [name: string, packets: Packet[], placed: number[]][] = [
    [
      'regular',
      [
        { ticks: 777, arrival: 0 },
        { ticks: 1097, arrival: 20 },
        { ticks: 1417, arrival: 40 },
      ],
      [0, 20, 40],
    ],
    [
      'arriving at any time',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 320, arrival: 70 },
        { ticks: 640, arrival: 70 },
      ],
      [0, 20, 40],
    ],
    [
      'silence',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 16000, arrival: 1000 },
      ],
      [0, 1000],
    ],
    [
      'the RTP wrap',
      [
        { ticks: top - 320, arrival: 0 },
        { ticks: 0, arrival: 20 },
      ],
      [0, 20],
    ],
    [
      '8 kHz',
      [
        { ticks: 0, arrival: 0, clockRate: 8000 },
        { ticks: 160, arrival: 20, clockRate: 8000 },
      ],
      [0, 20],
    ],
    [
      'another source',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 99, arrival: 500, restart: true },
        { ticks: 419, arrival: 520 },
      ],
      [0, 500, 520],
    ],
    [
      'another source at once',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 99, arrival: 0, restart: true },
      ],
      [0, 20],
    ],
    [
      'another clock rate',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 160, arrival: 40, clockRate: 8000 },
      ],
      [0, 40],
    ],
    [
      'timestamps that go back',
      [
        { ticks: 32000, arrival: 0 },
        { ticks: 0, arrival: 25 },
        { ticks: 320, arrival: 45 },
      ],
      [0, 25, 45],
    ],
    [
      'a leap that did not take that long',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 16_000_000, arrival: 20 },
      ],
      [0, 20],
    ],
    [
      'fractions of a millisecond are kept',
      [
        { ticks: 0, arrival: 0 },
        { ticks: 328, arrival: 20 },
        { ticks: 656, arrival: 40 },
      ],
      [0, 20, 41],
    ],
  ];
  it.each(rows)('%s', (_name, packets, placed) => expect(receive(...packets)).toEqual(placed));

  it('never goes back, whatever the timestamps', () => {
    const packet = fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: -20, max: 60 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(packet, { minLength: 2 }), (packets) => {
        let arrival = 1000;
        const placed = receive(
          ...packets.map(([ticks, pause, restart]) => {
            arrival += pause;
            return { ticks, arrival, restart };
          }),
        );
        for (let at = 1; at < placed.length; at++) expect(placed[at]).toBeGreaterThanOrEqual(placed[at - 1] ?? 0);
      }),
    );
  });
});
