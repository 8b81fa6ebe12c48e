/**
 * Milliseconds between two requests: for one key frame, at first and at most; and for another one, which is as large as ten
 * other pictures.
 */
const interval = { first: 500, longest: 4_000, another: 1_000 };

/** When to ask the far end for a key frame: at once, then less and less often until one comes. */
export class KeyFrameRequests {
  /** Requests made. */
  made = 0;
  #wanted = false;
  #wait = interval.first;
  /** Whether the key frame that is wanted was asked for before. */
  #repeats = false;
  #lastAt: number | undefined;

  want(): void {
    this.#wanted = true;
  }

  /** A key frame has come. */
  satisfied(): void {
    this.#wanted = false;
    this.#wait = interval.another;
    this.#repeats = false;
  }

  /** Whether to ask now. */
  due(now: number): boolean {
    if (!this.#wanted || (this.#lastAt !== undefined && now - this.#lastAt < this.#wait)) return false;
    this.#wait = this.#repeats ? Math.min(interval.longest, this.#wait * 2) : interval.first;
    this.#repeats = true;
    this.#lastAt = now;
    this.made++;
    return true;
  }
}
