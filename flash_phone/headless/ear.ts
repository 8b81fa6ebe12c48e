import { frameMs, sampleRate } from './codec.js';

/** Milliseconds by which a message may come after its time without being counted as late: what a jitter buffer evens out. */
const lateMs = 100;
/** How far, from one message to the next, the far end's clock may run behind ours: 0.05 %. */
const driftMs = 0.01;
/** A step of the timestamps beyond this is another timeline, not lost audio. */
const longestGapMs = 5000;
/** Peak below which a sound is silence: 50 dB below the loudest. */
const audible = 104;
/** Samples that are kept to look for the echo: 15 s. */
const keptSamples = 15 * sampleRate;

/** What is heard, put in order by its timestamps, and what can be said about it. */
export class Ear {
  received = 0;
  /** Messages that could not be decoded. */
  unusable = 0;
  /** Messages that came too late to be played. */
  late = 0;
  /** Frames of 20 ms that the timestamps leave out: lost, or not sent in silence. */
  missing = 0;
  /** Longest time without a message, in milliseconds. */
  longestGapMs = 0;
  /** The loudest sample. */
  peak = 0;
  /** The beginning of what was heard. */
  readonly #kept = new Int16Array(keptSamples);
  /** For each message, by how many milliseconds of the clock it is behind its place. */
  readonly #delays: number[] = [];
  readonly #record: (samples: Int16Array) => void;
  #firstTimestamp: number | undefined;
  /** Samples so far, filled gaps included. */
  #length = 0;
  #lastAt: number | undefined;
  #earliest = Number.POSITIVE_INFINITY;

  constructor(record: (samples: Int16Array) => void) {
    this.#record = record;
  }

  /**
   * @param at milliseconds of `performance.now()`
   * @param timestamp milliseconds, of the message
   */
  hear(at: number, timestamp: number, samples: Int16Array | undefined): void {
    this.received++;
    if (this.#lastAt !== undefined) this.longestGapMs = Math.max(this.longestGapMs, at - this.#lastAt);
    this.#lastAt = at;
    if (samples === undefined) {
      this.unusable++;
      return;
    }
    this.#fill(timestamp);
    this.#judge(at - this.#lengthMs);
    for (const sample of samples) this.peak = Math.max(this.peak, Math.abs(sample));
    this.#append(samples);
  }

  get isAudible(): boolean {
    return this.peak >= audible;
  }

  /** Up to 15 s from the beginning. */
  get beginning(): Int16Array {
    return this.#kept.subarray(0, Math.min(this.#length, keptSamples));
  }

  /** Milliseconds of `performance.now()` at which the beginning was heard, taken over all messages. */
  get startedAt(): number | undefined {
    return this.#delays.toSorted((a, b) => a - b)[this.#delays.length >> 1];
  }

  get #lengthMs(): number {
    return (this.#length * 1000) / sampleRate;
  }

  #fill(timestamp: number): void {
    this.#firstTimestamp ??= timestamp;
    // Timestamps wrap at 2^32.
    const gapMs = ((timestamp - this.#firstTimestamp) | 0) - this.#lengthMs;
    if (gapMs < -longestGapMs || gapMs > longestGapMs) this.#firstTimestamp = (timestamp - this.#lengthMs) >>> 0;
    else if (gapMs >= frameMs) {
      this.missing += Math.round(gapMs / frameMs);
      this.#append(new Int16Array(Math.round((gapMs * sampleRate) / 1000)));
    }
  }

  #judge(delay: number): void {
    this.#earliest = Math.min(this.#earliest + driftMs, delay);
    if (delay - this.#earliest > lateMs) this.late++;
    if (this.#length < keptSamples) this.#delays.push(delay);
  }

  #append(samples: Int16Array): void {
    const room = keptSamples - this.#length;
    if (room > 0) this.#kept.set(samples.subarray(0, room), this.#length);
    this.#length += samples.length;
    this.#record(samples);
  }
}
