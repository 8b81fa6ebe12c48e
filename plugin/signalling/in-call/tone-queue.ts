import type { Timers } from '../../call/call-ports.js';
import type { Tone } from '../../call/ports.js';

/** Keys that may wait. */
const maxWaiting = 64;
/** Milliseconds between two keys. */
const gap = 50;

/** Sends keys one after the other: the next when the last was confirmed, and pressed for as long as it says. */
export class ToneQueue {
  readonly #send: (tone: Tone) => Promise<unknown>;
  readonly #timers: Timers;
  readonly #waiting: Tone[] = [];
  #busy = false;
  #stop: () => void = () => undefined;

  constructor(send: (tone: Tone) => Promise<unknown>, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /** Keys beyond what may wait are dropped. */
  push(digits: string, duration: number): void {
    for (const digit of digits) if (this.#waiting.length < maxWaiting) this.#waiting.push({ digit, duration });
    if (!this.#busy) void this.#next();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#stop();
  }

  async #next(): Promise<void> {
    const tone = this.#waiting.shift();
    this.#busy = tone !== undefined;
    if (!tone) return;
    const pressed = new Promise<void>((resolve) => {
      this.#stop = this.#timers.after(tone.duration + gap, resolve);
    });
    // A far end that does not want a key may take the next: what it says is of no consequence.
    await Promise.all([this.#send(tone).catch(() => undefined), pressed]);
    await this.#next();
  }
}
