import type { MediaClock } from './clock.js';

/** What time alone changes; whether it waits for more. */
export type Ticking = (now: number) => boolean;

/** One timer for all calls: runs every member each period until it waits for nothing more. */
export class Ticker {
  readonly #clock: MediaClock;
  readonly #period: number;
  readonly #members = new Set<Ticking>();
  #cancel: (() => void) | undefined;

  constructor(clock: MediaClock, period: number) {
    this.#clock = clock;
    this.#period = period;
  }

  add(member: Ticking): void {
    this.#members.add(member);
    this.#cancel ??= this.#clock.after(this.#period, this.#run);
  }

  delete(member: Ticking): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #run = (): void => {
    this.#cancel = this.#clock.after(this.#period, this.#run);
    const now = this.#clock.now();
    for (const member of this.#members) if (!member(now)) this.delete(member);
  };
}
