import type { Clock, ScheduledCall } from '../../../../plugin/embedded-sip/src/clock.js';

interface Pending {
  readonly at: number;
  readonly call: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #pending: Pending[] = [];

  now(): number {
    return this.#now;
  }

  schedule(milliseconds: number, call: () => void): ScheduledCall {
    const entry = { at: this.#now + milliseconds, call };
    this.#pending.push(entry);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  /** Lets time pass, and everything happen that is due, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#pending.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#pending = this.#pending.filter((other) => other !== next);
      this.#now = next.at;
      next.call();
    }
    this.#now = end;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }
}
