import { distance32 } from './serial.js';

/** Duration of the audio frame that both timelines count in, in milliseconds. */
const frame = 20;

/** Milliseconds that a timestamp may run ahead of the clock by which packets arrive before it is not believed. */
const maxAhead = 10_000;

/** A timestamp that goes back this many milliseconds belongs to a stream that starts anew. */
const restartThreshold = 1_000;

/**
 * Maps the millisecond timestamps of RTMP to RTP timestamps. Consecutive messages continue with exactly the ticks of
 * their audio however their timestamps jitter; a gap of more than a frame is followed. The RTP timestamp never goes
 * back: where the source does, it runs on by the time that passed.
 */
export class SendTimeline {
  /** Whether the audio placed last is the first after a gap: the RTP marker (RFC 3551 section 4.1). */
  marker = false;
  /** As a signed number, which a small integer holds. */
  readonly #start: number;
  readonly #ticksPerMs: number;
  /** Ticks from the start: the time that the RTMP timestamps stand for, the end of the audio sent so far, and its last beginning. */
  #ideal = 0;
  #next = 0;
  #placed = 0;
  #timestamp: number | undefined;
  /** Whole milliseconds. */
  #arrival = 0;

  /** @param start RTP timestamp of the first frame. */
  constructor(clockRate: number, start: number) {
    this.#ticksPerMs = clockRate / 1000;
    this.#start = start | 0;
  }

  /** RTP timestamp for audio of `duration` milliseconds that carries the RTMP timestamp. */
  place(timestamp: number, duration: number, arrival: number): number {
    const now = Math.trunc(arrival);
    if (this.#timestamp === undefined) this.marker = true;
    else this.#follow(distance32(timestamp, this.#timestamp), now - this.#arrival);
    this.#timestamp = timestamp;
    this.#arrival = now;
    this.#placed = this.#next;
    this.#next += duration * this.#ticksPerMs;
    return this.#timestampOf(this.#placed);
  }

  /** RTP timestamp for something else than audio that begins now; the audio that follows comes `duration` later at least. */
  claim(now: number, duration: number): number {
    const timestamp = Math.max(this.#next, this.#at(now));
    this.#next = timestamp + duration * this.#ticksPerMs;
    return this.#timestampOf(timestamp);
  }

  /** The RTP timestamp of a moment after the last placed audio: what a sender report says. */
  at(now: number): number {
    return this.#timestampOf(this.#at(now));
  }

  #timestampOf(ticks: number): number {
    return (this.#start + ticks) >>> 0;
  }

  #at(now: number): number {
    const elapsed = this.#timestamp === undefined ? 0 : Math.max(0, now - this.#arrival);
    return Math.floor(this.#placed + elapsed * this.#ticksPerMs);
  }

  /** The RTMP timestamp of a moment after the last placed audio; undefined before the first. */
  sourceTimeAt(now: number): number | undefined {
    return this.#timestamp === undefined ? undefined : this.#timestamp + Math.max(0, now - this.#arrival);
  }

  #follow(step: number, elapsed: number): void {
    const restarted = step < -restartThreshold || step > elapsed + maxAhead;
    this.#ideal = restarted
      ? this.#placed + Math.round(elapsed * this.#ticksPerMs)
      : this.#ideal + step * this.#ticksPerMs;
    const gap = this.#ideal - this.#next;
    this.marker = gap > frame * this.#ticksPerMs;
    if (this.marker) this.#next = this.#ideal;
    // Far behind, the sender's audio is longer than its timestamps say: what it sends next is not a gap less.
    else if (restarted || gap < -restartThreshold * this.#ticksPerMs) this.#ideal = this.#next;
  }
}

/**
 * Maps RTP timestamps to the millisecond timestamps of RTMP: the first is that of the origin, then they follow, and never
 * go back. Where RTP timestamps start anew they run on by the time that passed.
 */
export class ReceiveTimeline {
  readonly #origin: (arrival: number) => number;
  #clockRate = 0;
  /** As a signed number, which a small integer holds. */
  #timestamp: number | undefined;
  #milliseconds = 0;
  #arrival = 0;
  #started = false;

  /** @param origin RTMP timestamp of what arrives first, at a moment of the clock. */
  constructor(origin: (arrival: number) => number = () => 0) {
    this.#origin = origin;
  }

  /** The next packet comes from another source: its timestamp says nothing about the time since the last. */
  restart(): void {
    this.#timestamp = undefined;
  }

  /** RTMP timestamp of a packet, modulo 2^32. */
  place(timestamp: number, clockRate: number, arrival: number): number {
    const now = Math.trunc(arrival);
    if (this.#started) this.#milliseconds += this.#step(timestamp, clockRate, now - this.#arrival);
    else this.#milliseconds = Math.trunc(this.#origin(arrival));
    this.#started = true;
    this.#clockRate = clockRate;
    this.#timestamp = timestamp | 0;
    this.#arrival = now;
    return Math.floor(this.#milliseconds) % 2 ** 32;
  }

  /** What was placed last comes so many milliseconds later, for something else is in its place; so does all behind it. */
  postpone(milliseconds: number): number {
    this.#milliseconds += milliseconds;
    return Math.floor(this.#milliseconds) % 2 ** 32;
  }

  /** RTMP timestamp that an RTP timestamp of the source stands for; undefined before its first packet. */
  timeOf(timestamp: number): number | undefined {
    if (this.#timestamp === undefined) return undefined;
    return this.#milliseconds + (distance32(timestamp, this.#timestamp) * 1000) / this.#clockRate;
  }

  /** Hz of the timestamps placed last. */
  get clockRate(): number {
    return this.#clockRate;
  }

  #step(timestamp: number, clockRate: number, elapsed: number): number {
    if (this.#timestamp !== undefined && clockRate === this.#clockRate) {
      const step = (distance32(timestamp, this.#timestamp) * 1000) / clockRate;
      if (step >= 0 && step <= elapsed + maxAhead) return step;
    }
    return Math.max(frame, elapsed);
  }
}
