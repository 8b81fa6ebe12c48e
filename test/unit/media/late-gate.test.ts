import { describe, expect, it } from 'vitest';
import { LateGate } from '../../../plugin/media/rtp/late-gate.js';

/** Messages as timestamp and arrival. */
type Message = readonly [timestamp: number, arrival: number];

/** One message of 20 ms after another, in time. */
function* steady(from: number, to: number, delay = 0): Generator<Message> {
  for (let at = from; at < to; at += 20) yield [at, at + delay];
}

/** What was sent from one moment to another, and arrives only then. */
function* held(from: number, to: number): Generator<Message> {
  for (let at = from; at < to; at += 20) yield [at, to];
}

function dropped(gate: LateGate, messages: Iterable<Message>): number[] {
  return [...messages].filter(([timestamp, arrival]) => gate.drops(timestamp, arrival)).map(([timestamp]) => timestamp);
}

describe('audio that comes late', () => {
  it('after a stall of 3 s is dropped but for the last, and all is in time again', () => {
    const gate = new LateGate();
    expect(dropped(gate, steady(0, 1000))).toEqual([]);
    const late = dropped(gate, held(1000, 4000));
    expect(late[0]).toBe(1000);
    expect(late.at(-1)).toBe(3920);
    expect(late.length).toBe(147);
    expect(dropped(gate, steady(4000, 10_000))).toEqual([]);
    expect(gate.dropped).toBe(147);
  });

  it('by as much as jitter makes it passes', () => {
    const gate = new LateGate();
    dropped(gate, steady(0, 1000));
    for (let at = 1000; at < 20_000; at += 400) expect(dropped(gate, held(at, at + 400))).toEqual([]);
  });

  it('over a path that catches up slowly is dropped until it has', () => {
    const gate = new LateGate();
    dropped(gate, steady(0, 1000));
    // 2 s late, and then twice as fast as it was spoken.
    const slow = Array.from({ length: 200 }, (_, index): Message => [1000 + index * 20, 3000 + index * 10]);
    const late = dropped(gate, slow);
    expect(late[0]).toBe(1000);
    expect(late.at(-1)).toBe(1000 + 193 * 20);
    expect(late.length).toBe(194);
  });

  it('because the clock of its source stood still is heard after a quarter of a second', () => {
    const gate = new LateGate();
    dropped(gate, steady(0, 1000));
    const late = dropped(gate, steady(1000, 5000, 3000));
    expect(late.length).toBe(13);
    expect(dropped(gate, held(5000, 5000 + 3000))).toEqual([]);
  });

  it('is none where the clock of the source is slow or fast by 0.1 %, for an hour', () => {
    for (const rate of [0.999, 1.001]) {
      const gate = new LateGate();
      const messages = Array.from(
        { length: 180_000 },
        (_, index): Message => [Math.floor(index * 20 * rate), index * 20],
      );
      expect(dropped(gate, messages)).toEqual([]);
    }
  });

  it('is none where timestamps start anew', () => {
    const gate = new LateGate();
    dropped(gate, steady(100_000, 101_000));
    expect(
      dropped(
        gate,
        [...steady(0, 1000)].map(([timestamp, at]): Message => [timestamp, 101_000 + at]),
      ),
    ).toEqual([]);
    expect(gate.drops(90_000_000, 102_500)).toBe(false);
    expect(gate.drops(90_000_020, 102_520)).toBe(false);
  });

  it('is told across the wrap of timestamps', () => {
    const gate = new LateGate();
    const wrap = 2 ** 32 - 500;
    const shifted = (messages: Iterable<Message>) =>
      [...messages].map(([timestamp, at]): Message => [(timestamp + wrap) % 2 ** 32, at]);
    expect(dropped(gate, shifted(steady(0, 1000)))).toEqual([]);
    expect(dropped(gate, shifted(held(1000, 2000))).length).toBe(47);
  });
});
