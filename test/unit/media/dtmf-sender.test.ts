import { describe, expect, it } from 'vitest';
import { DtmfSender, type EventFormat } from '../../../plugin/media/audio/dtmf-sender.js';
import { SendTimeline } from '../../../plugin/media/rtp/timeline.js';

interface Packet {
  readonly at: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly timestamp: number;
  readonly payload: readonly number[];
}

/** A sender on the clock of the media, which ticks every 20 ms. */
class Bench {
  readonly packets: Packet[] = [];
  readonly timeline: SendTimeline;
  readonly sender: DtmfSender;
  now = 0;

  constructor(format: EventFormat | undefined = { payloadType: 101, clockRate: 8000 }) {
    this.timeline = new SendTimeline(format?.clockRate ?? 8000, 5_000);
    this.sender = new DtmfSender(
      {
        claim: (now, ms) => this.timeline.claim(now, ms),
        send: (payloadType, marker, timestamp, payload) =>
          this.packets.push({ at: this.now, payloadType, marker, timestamp, payload: [...payload] }),
      },
      format,
    );
  }

  run(ms: number, step = 20): void {
    for (const end = this.now + ms; this.now < end; this.now += step) this.sender.tick(this.now);
  }

  /** Event code, whether it is the end, and duration of each packet. */
  get events(): (readonly [code: number, end: boolean, duration: number])[] {
    return this.packets.map(({ payload: [code = 0, flags = 0, high = 0, low = 0] }) => [
      code,
      flags >= 0x80,
      (high << 8) | low,
    ]);
  }
}

describe('a key', () => {
  it('is one event: marked first, longer with each packet, its last packet three times (RFC 4733 section 2.5.1)', () => {
    const bench = new Bench();
    expect(bench.sender.push('5', 100)).toBe(true);
    bench.run(400);
    expect(bench.events).toEqual([
      [5, false, 160],
      [5, false, 320],
      [5, false, 480],
      [5, false, 640],
      [5, true, 800],
      [5, true, 800],
      [5, true, 800],
    ]);
    expect(bench.packets.map(({ at }) => at)).toEqual([0, 20, 40, 60, 80, 100, 120]);
    expect(bench.packets.map(({ marker }) => marker)).toEqual([true, false, false, false, false, false, false]);
    expect(new Set(bench.packets.map(({ timestamp }) => timestamp))).toEqual(new Set([5_000]));
    // -10 dBm0, the reserved bit 0.
    expect(bench.packets.map(({ payload }) => (payload[1] ?? 0) & 0x7f)).toEqual(new Array(7).fill(10));
    expect(bench.sender).toMatchObject({ sent: 1, busy: false });
  });

  it.each([...'0123456789*#ABCD'].map((digit, code) => [digit, code] as const))('%s is event %i', (digit, code) => {
    const bench = new Bench();
    bench.sender.push(digit, 40);
    bench.run(20);
    expect(bench.events[0]?.[0]).toBe(code);
  });

  it('is told in ticks of its own clock, and no longer than 16 bits can say', () => {
    const bench = new Bench({ payloadType: 100, clockRate: 48_000 });
    bench.sender.push('1', 4_000);
    bench.run(5_000);
    expect(bench.events.at(-1)).toEqual([1, true, 0xffff]);
  });

  it('goes on in time when the clock stutters', () => {
    const bench = new Bench();
    bench.sender.push('1', 160);
    bench.run(100, 50);
    bench.run(400);
    const durations = bench.events.map(([, , duration]) => duration);
    expect(durations.slice(0, 3)).toEqual([160, 560, 960]);
    expect(durations.slice(-3)).toEqual([1280, 1280, 1280]);
  });
});

describe('several keys', () => {
  it('have a pause and a timestamp of their own each, the same key twice as well', () => {
    const bench = new Bench();
    bench.sender.push('11', 40);
    bench.run(600);
    const starts = bench.packets.filter(({ marker }) => marker);
    expect(starts).toHaveLength(2);
    const [first, second] = starts;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(40 + 50);
    expect(second?.timestamp).toBeGreaterThan((first?.timestamp ?? 0) + 320 - 1);
  });

  it('beyond what may wait are dropped and counted', () => {
    const bench = new Bench();
    bench.sender.push('1'.repeat(70), 40);
    expect(bench.sender.dropped).toBe(6);
  });
});

describe('a far end that takes no events', () => {
  it('gets none', () => {
    const bench = new Bench();
    bench.sender.format = undefined;
    expect(bench.sender.push('1', 100)).toBe(false);
    bench.run(200);
    expect(bench.packets).toEqual([]);
  });

  it('any more, after a change, gets no rest of them', () => {
    const bench = new Bench();
    bench.sender.push('12', 100);
    bench.run(40);
    bench.sender.format = undefined;
    bench.run(400);
    expect(bench.packets).toHaveLength(2);
    expect(bench.sender.busy).toBe(false);
  });
});

describe('the timeline of the audio', () => {
  it('has the event behind the audio, and the audio behind the event', () => {
    const timeline = new SendTimeline(8000, 0);
    expect(timeline.place(0, 20, 1_000)).toBe(0);
    expect(timeline.place(20, 20, 1_020)).toBe(160);
    // 10 ms behind the last frame's arrival: that frame is not over yet.
    expect(timeline.claim(1_030, 100)).toBe(320);
    expect(timeline.place(200, 20, 1_200)).toBeGreaterThanOrEqual(320 + 800);
  });

  it('goes on in time while the client is silent', () => {
    const timeline = new SendTimeline(8000, 0);
    timeline.place(0, 20, 1_000);
    expect(timeline.claim(3_000, 100)).toBe(16_000);
  });
});
