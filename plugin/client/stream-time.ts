import type { ClientFrame } from '../call/ports.js';

/** Milliseconds between the last frame of one call and the first of the next where less has passed. */
const shortestStep = 1;

/**
 * The timestamps of a stream that plays one call after the other: they go on as time does, though each call counts its
 * own. For the first call they are the call's.
 */
export class StreamTime {
  readonly #now: () => number;
  #offset: number | undefined = 0;
  /** Timestamp of the last frame, and when it was played. */
  #last: number | undefined;
  #lastAt = 0;

  /** @param now Whole milliseconds, from any origin. */
  constructor(now: () => number) {
    this.#now = now;
  }

  place(frame: ClientFrame): ClientFrame {
    const at = this.#now();
    this.#offset ??= this.#continue(frame.timestamp, at);
    const timestamp = (frame.timestamp + this.#offset) >>> 0;
    this.#last = timestamp;
    this.#lastAt = at;
    return this.#offset === 0 ? frame : { ...frame, timestamp };
  }

  /** The next frame is another call's. */
  switch(): void {
    if (this.#last !== undefined) this.#offset = undefined;
  }

  /** The next call has streams of its own. */
  reset(): void {
    this.#offset = 0;
    this.#last = undefined;
  }

  #continue(timestamp: number, at: number): number {
    if (this.#last === undefined) return 0;
    return this.#last + Math.max(shortestStep, Math.round(at - this.#lastAt)) - timestamp;
  }
}
