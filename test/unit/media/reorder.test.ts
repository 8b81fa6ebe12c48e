import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReorderWindow } from '../../../plugin/media/rtp/reorder.js';

const limits = { packets: 4, wait: 40 };

interface Step {
  readonly sequence: number;
  readonly at?: number;
}

/** Pushes the numbers, 20 ms apart unless told, and returns what came out with the window. */
function run(...steps: (number | Step)[]): { out: number[]; window: ReorderWindow<number> } {
  const out: number[] = [];
  const window = new ReorderWindow<number>({ inOrder: (sequence) => out.push(sequence) }, limits);
  for (const [index, step] of steps.entries()) {
    const { sequence, at = index * 20 } = typeof step === 'number' ? { sequence: step } : step;
    window.push(sequence, sequence, at);
  }
  return { out, window };
}

describe('order', () => {
  const at = 0;
  const rows: [name: string, steps: (number | Step)[], out: number[], counts: object][] = [
    ['in order', [1, 2, 3], [1, 2, 3], { reordered: 0, skipped: 0, late: 0, duplicates: 0 }],
    ['across the wrap', [65534, 65535, 0, 1], [65534, 65535, 0, 1], { skipped: 0 }],
    ['two swapped', [1, 3, 2, 4], [1, 2, 3, 4], { reordered: 1, skipped: 0, late: 0 }],
    ['swapped across the wrap', [65535, 1, 0, 2], [65535, 0, 1, 2], { reordered: 1, skipped: 0 }],
    [
      'three turned round',
      [1, { sequence: 4, at }, { sequence: 3, at }, { sequence: 2, at }],
      [1, 2, 3, 4],
      { reordered: 2 },
    ],
    ['a duplicate', [1, 2, 2, 3], [1, 2, 3], { duplicates: 1, late: 0 }],
    ['an older duplicate', [1, 2, 3, 4, 1], [1, 2, 3, 4], { duplicates: 1, late: 0 }],
    [
      'a duplicate of one that waits',
      [1, { sequence: 3, at }, { sequence: 3, at }, { sequence: 2, at }],
      [1, 2, 3],
      { duplicates: 1 },
    ],
    ['given up after the wait, then late', [1, 3, 4, 5, 2], [1, 3, 4, 5], { late: 1, skipped: 1, duplicates: 0 }],
    ['a packet before the first', [5, 4, 6], [5, 6], { late: 1, skipped: 0 }],
    [
      'full window',
      [1, ...[3, 4, 5, 6, 7].map((sequence) => ({ sequence, at }))],
      [1, 3, 4, 5, 6, 7],
      { skipped: 1, reordered: 0 },
    ],
    [
      'two gaps, the wait of each',
      [1, { sequence: 3, at: 0 }, { sequence: 5, at: 30 }, { sequence: 6, at: 40 }],
      [1, 3],
      {},
    ],
    [
      'two gaps, both over',
      [1, { sequence: 3, at: 0 }, { sequence: 5, at: 30 }, { sequence: 6, at: 70 }],
      [1, 3, 5, 6],
      { skipped: 2 },
    ],
    ['a loss of thousands is a loss', [1, 3001, { sequence: 3002, at: 60 }], [1, 3001, 3002], { skipped: 2999 }],
    ['a wild number', [1, 2, 30000, 3], [1, 2, 3], { outOfRange: 1, skipped: 0 }],
    ['a source that counts anew', [1, 2, 30000, 30001, 30002], [1, 2, 30001, 30002], { outOfRange: 1, skipped: 0 }],
    ['a source that counts anew from below', [20000, 20001, 5, 6, 7], [20000, 20001, 6, 7], { outOfRange: 1 }],
    [
      'a source that counts anew behind a gap',
      [1, { sequence: 3, at }, { sequence: 30000, at }, { sequence: 30001, at }, { sequence: 30002, at }],
      [1, 3, 30001, 30002],
      { skipped: 1 },
    ],
    ['wild numbers that do not follow each other', [1, 30000, 40000, 2], [1, 2], { outOfRange: 2 }],
  ];
  it.each(rows)('%s', (_name, steps, out, counts) => {
    const result = run(...steps);
    expect(result.out).toEqual(out);
    expect(result.window).toMatchObject(counts);
  });

  it('gives up a gap by time alone', () => {
    const { out, window } = run(1, { sequence: 3, at: 0 });
    window.expire(39);
    expect(out).toEqual([1]);
    window.expire(40);
    expect(out).toEqual([1, 3]);
  });

  it('releases what waits when the source changes, and takes any number next', () => {
    const { out, window } = run(1, { sequence: 3, at: 0 });
    window.reset();
    window.push(9, 9, 0);
    expect(out).toEqual([1, 3, 9]);
  });

  it('counts the highest number on over wraps', () => {
    const { window } = run(65534, 65535, 0, 1);
    expect(window.highest).toBe(65537);
    expect(run().window.highest).toBeUndefined();
  });
});

describe('any arrivals', () => {
  const arrivals = fc.array(fc.tuple(fc.integer({ min: -6, max: 6 }), fc.integer({ min: 0, max: 50 })), {
    minLength: 1,
    maxLength: 200,
  });

  it('come out in order, none twice, none kept for longer than the wait', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 0, max: 65535 }), (steps, first) => {
        const out: { index: number; pushed: number }[] = [];
        const window = new ReorderWindow<{ index: number; pushed: number }>(
          { inOrder: (item) => out.push(item) },
          limits,
        );
        let now = 0;
        let pushed = 0;
        for (const [position, [shift, pause]] of steps.entries()) {
          now += pause;
          const index = Math.max(0, position + shift);
          window.push((first + index) & 0xffff, { index, pushed: now }, now);
          pushed++;
        }
        for (let at = 1; at < out.length; at++) expect(out[at]?.index).toBeGreaterThan(out[at - 1]?.index ?? -1);
        window.expire(now + limits.wait);
        expect(out.length + window.duplicates + window.late).toBe(pushed);
        const last = out[out.length - 1]?.index ?? 0;
        expect(out.length + window.skipped).toBe(last - (out[0]?.index ?? 0) + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('that are only shuffled within the window lose nothing', () => {
    const order = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 10, maxLength: 100 });
    fc.assert(
      fc.property(order, (delays) => {
        const sent = delays.map((delay, sequence) => ({ sequence, arrival: sequence * 10 + delay * 10 }));
        // The first packet tells where to begin.
        const arrived = [{ sequence: 0, arrival: 0 }, ...sent.slice(1).sort((a, b) => a.arrival - b.arrival)];
        const out: number[] = [];
        const window = new ReorderWindow<number>({ inOrder: (sequence) => out.push(sequence) }, limits);
        for (const { sequence, arrival } of arrived) window.push(sequence, sequence, arrival);
        expect(out).toEqual(delays.map((_, sequence) => sequence));
      }),
    );
  });
});

describe('the wait behind a gap', () => {
  const adaptive = { packets: 8, wait: 40, adapts: { least: 10, most: 80 } };

  /** Packets every 20 ms; what comes of each is its delay in milliseconds, or nothing. */
  function play(delays: readonly (number | undefined)[], window: ReorderWindow<number>): void {
    const arrivals = delays.flatMap((delay, sequence) =>
      delay === undefined ? [] : [{ sequence, arrival: sequence * 20 + delay }],
    );
    for (const { sequence, arrival } of arrivals.sort((a, b) => a.arrival - b.arrival)) {
      window.push(sequence & 0xffff, sequence, arrival);
    }
  }

  it('shrinks to its least where lost packets never come', () => {
    const window = new ReorderWindow<number>({ inOrder: () => {} }, adaptive);
    const everyTenthLost = Array.from({ length: 400 }, (_, index) => (index % 10 === 9 ? undefined : 0));
    play(everyTenthLost, window);
    expect(window.wait).toBe(10);
    expect(window.late).toBe(0);
  });

  it('grows where packets come too late, until they come in time', () => {
    const out: number[] = [];
    const window = new ReorderWindow<number>({ inOrder: (sequence) => out.push(sequence) }, adaptive);
    const everyTenthSlow = Array.from({ length: 400 }, (_, index) => (index % 10 === 9 ? 85 : 0));
    play(everyTenthSlow, window);
    expect(window.late).toBe(1);
    expect(window.wait).toBe(70);
    expect(out.length).toBe(399);
  });

  it('never grows beyond its bound', () => {
    const window = new ReorderWindow<number>({ inOrder: () => {} }, adaptive);
    play(
      Array.from({ length: 400 }, (_, index) => (index % 10 === 9 ? 150 : 0)),
      window,
    );
    expect(window.wait).toBeGreaterThan(70);
    expect(window.wait).toBeLessThanOrEqual(80);
    expect(window.late).toBe(39);
  });
});
