import { distance32 } from './serial.js';

/** Lateness in milliseconds beyond which audio was queued up on its way; less is jitter, which the far end's buffer takes. */
const stalled = 400;

/** What was queued up is dropped down to this lateness. */
const caughtUp = 60;

/** A queue that shrinks by less than `progress` milliseconds in `patience` is none: the source's clock stood still. */
const patience = 250;
const progress = 60;

/** Timestamps that go back further, or ahead of the time that passed, are of a source that starts anew. */
const maxBack = 1_000;
const maxAhead = 10_000;

/** Milliseconds after which the least delay seen is forgotten, so that a slow clock does not count as lateness. */
const memory = 10_000;

/**
 * Tells audio that comes late over TCP: after a stall, all that was queued up arrives at once, and sent on it would delay
 * everything behind it for the rest of the call. Deterministic: milliseconds in, a verdict out.
 */
export class LateGate {
  /** Messages that were too late. */
  dropped = 0;
  #timestamp: number | undefined;
  #arrival = 0;
  /** Delay of the last message, on a scale that starts at 0 with the first. */
  #delay = 0;
  /** Least delays of the current and of the previous stretch of `memory`. */
  #least = 0;
  #leastBefore = 0;
  #stretch = 0;
  /** Since when messages are dropped, and how late the first of them was. */
  #dropping: { readonly since: number; readonly lateness: number } | undefined;

  /** Whether to drop a message with this RTMP timestamp that arrives now. */
  drops(timestamp: number, arrival: number): boolean {
    const now = Math.trunc(arrival);
    const late = this.#isLate(this.#lateness(timestamp, now), now);
    if (late) this.dropped++;
    return late;
  }

  #isLate(lateness: number, arrival: number): boolean {
    if (lateness <= (this.#dropping ? caughtUp : stalled)) {
      this.#dropping = undefined;
      return false;
    }
    this.#dropping ??= { since: arrival, lateness };
    const { since, lateness: first } = this.#dropping;
    if (arrival - since < patience || first - lateness >= progress) return true;
    this.#start(arrival);
    return false;
  }

  #lateness(timestamp: number, arrival: number): number {
    const elapsed = arrival - this.#arrival;
    const step = this.#timestamp === undefined ? undefined : distance32(timestamp, this.#timestamp);
    this.#timestamp = timestamp;
    this.#arrival = arrival;
    if (step === undefined || step < -maxBack || step > elapsed + maxAhead) this.#start(arrival);
    else this.#delay += elapsed - step;
    if (arrival - this.#stretch >= memory) {
      this.#leastBefore = this.#least;
      this.#least = this.#delay;
      this.#stretch = arrival;
    }
    this.#least = Math.min(this.#least, this.#delay);
    return this.#delay - Math.min(this.#least, this.#leastBefore);
  }

  /** Takes the delay of now for that of a path without a queue. */
  #start(arrival: number): void {
    this.#delay = 0;
    this.#least = 0;
    this.#leastBefore = 0;
    this.#stretch = arrival;
    this.#dropping = undefined;
  }
}
