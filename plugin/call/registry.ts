import type { Call } from './call.js';
import type { Termination } from './termination.js';

/** The calls in progress. */
export class CallRegistry {
  readonly #calls = new Set<Call>();
  #empty: (() => void)[] = [];
  #closed = false;

  /** True once {@link endAll} was called: there are to be no new calls. */
  get closed(): boolean {
    return this.#closed;
  }

  get size(): number {
    return this.#calls.size;
  }

  add(call: Call): void {
    this.#calls.add(call);
  }

  remove(call: Call): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0) return;
    const waiting = this.#empty;
    this.#empty = [];
    for (const resolve of waiting) resolve();
  }

  /** Ends every call and resolves when the last one has ended. */
  async endAll(termination: Termination): Promise<void> {
    this.#closed = true;
    const drained = this.#calls.size === 0 ? undefined : new Promise<void>((resolve) => this.#empty.push(resolve));
    for (const call of [...this.#calls]) call.abandon(termination);
    await drained;
  }
}
