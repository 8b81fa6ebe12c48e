import { describe, expect, it } from 'vitest';
import { type Frame, JitterBuffer, type Turn } from '../../../flash_phone/web/worklet/jitter-buffer.js';

const frame = (index: number): Frame => ({ timestamp: index * 20, codec: 'speex', data: Uint8Array.of(index & 0xff) });

/** Plays for so many frames; `arrivals` says when each frame comes, in milliseconds, undefined for never. */
function play(turns: number, arrivals: (index: number) => number | undefined, quiet = false) {
  const buffer = new JitterBuffer();
  const events = Array.from({ length: turns }, (_, index) => ({ index, at: arrivals(index) }))
    .filter((event): event is { index: number; at: number } => event.at !== undefined)
    .sort((a, b) => a.at - b.at);
  const played: Turn[] = [];
  const bufferMs: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    while (events[0] !== undefined && events[0].at <= turn * 20) {
      const { index, at } = events.shift() ?? { index: 0, at: 0 };
      buffer.insert(frame(index), at);
    }
    played.push(buffer.next(quiet));
    bufferMs.push(buffer.statistics.bufferMs);
  }
  return { buffer, kinds: played.map(({ kind }) => kind), played, bufferMs };
}

const timestamps = (turns: readonly Turn[]) =>
  turns.flatMap((turn) => (turn.kind === 'frame' ? [turn.frame.timestamp] : []));

describe('the jitter buffer', () => {
  it('plays even arrivals in full, after 40 ms', () => {
    const { kinds, played } = play(100, (index) => index * 20);
    expect(kinds.slice(0, 1)).toEqual(['silence']);
    expect(new Set(kinds.slice(1))).toEqual(new Set(['frame']));
    expect(timestamps(played)).toEqual(Array.from({ length: 99 }, (_, index) => index * 20));
  });

  it('makes up for a frame that never came, and keeps the place of the others', () => {
    const { kinds, buffer } = play(50, (index) => (index === 20 ? undefined : index * 20));
    expect(kinds.filter((kind) => kind === 'conceal').length).toBe(1);
    expect(buffer.statistics).toMatchObject({ lost: 1, late: 0 });
  });

  it('grows with uneven arrivals, until nothing comes too late any more', () => {
    // Every seventh is 70 ms late, and what follows comes behind it: TCP keeps the order.
    const { kinds } = play(600, (index) => Math.max(index * 20, Math.floor(index / 7) * 140 + 70));
    expect(kinds.slice(300).filter((kind) => kind !== 'frame').length).toBeLessThan(6);
  });

  it('gives back in a pause what it has too much after a stall', () => {
    // Frames 50 to 64 all come at once, 300 ms late.
    const { bufferMs } = play(600, (index) => (index >= 50 && index < 65 ? 1300 : index * 20), true);
    expect(Math.max(...bufferMs)).toBeGreaterThan(100);
    expect(bufferMs.at(-1)).toBeLessThanOrEqual(80);
  });

  it('makes up for five frames at most when nothing comes any more, then is silent', () => {
    const { kinds } = play(60, (index) => (index < 30 ? index * 20 : undefined));
    expect(kinds.filter((kind) => kind === 'conceal').length).toBe(5);
    expect(kinds.slice(40)).toEqual(Array.from({ length: 20 }, () => 'silence'));
  });

  it('never holds more than 500 ms, whatever comes', () => {
    const buffer = new JitterBuffer();
    for (let index = 0; index < 5_000; index++) {
      buffer.insert(frame(index), 0);
      expect(buffer.statistics.bufferMs).toBeLessThanOrEqual(500);
    }
  });

  it('goes on when the timestamps jump, either way', () => {
    const { kinds } = play(200, (index) => index * 20);
    expect(kinds.at(-1)).toBe('frame');
    const buffer = new JitterBuffer();
    const at = (index: number) => (index < 50 ? index * 20 : index < 100 ? 4_000_000 + index * 20 : index * 20);
    const turns = Array.from({ length: 150 }, (_, index) => {
      buffer.insert({ ...frame(index), timestamp: at(index) }, index * 20);
      return buffer.next(false).kind;
    });
    expect(turns.filter((kind) => kind !== 'frame').length).toBeLessThan(10);
  });
});
