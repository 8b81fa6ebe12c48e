export interface ScheduledCall {
  cancel(): void;
}

/** Time as the stack sees it, so that tests can run timers of minutes at once. */
export interface Clock {
  /** Milliseconds since 1970, with microseconds as the fraction. */
  now(): number;
  schedule(milliseconds: number, call: () => void): ScheduledCall;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  schedule(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A clock whose pending calls can all be dropped at once. */
export class ScopedClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<ScheduledCall>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  schedule(milliseconds: number, call: () => void): ScheduledCall {
    const inner = this.#clock.schedule(milliseconds, () => {
      this.#pending.delete(handle);
      call();
    });
    const handle: ScheduledCall = {
      cancel: () => {
        this.#pending.delete(handle);
        inner.cancel();
      },
    };
    this.#pending.add(handle);
    return handle;
  }

  cancelAll(): void {
    for (const call of [...this.#pending]) call.cancel();
  }
}
