import type { MediaClock } from './clock.js';

/** One timer for all calls: runs every member each period while there is any. */
export class Ticker {
  readonly #clock: MediaClock;
  readonly #period: number;
  readonly #members = new Set<(now: number) => void>();
  #cancel: (() => void) | undefined;

  constructor(clock: MediaClock, period: number) {
    this.#clock = clock;
    this.#period = period;
  }

  add(member: (now: number) => void): void {
    this.#members.add(member);
    this.#cancel ??= this.#clock.after(this.#period, this.#run);
  }

  delete(member: (now: number) => void): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #run = (): void => {
    this.#cancel = this.#clock.after(this.#period, this.#run);
    const now = this.#clock.now();
    for (const member of this.#members) member(now);
  };
}
