/** Milliseconds between two requests: at first, and at most when none is answered. */
const interval = { first: 500, longest: 4_000 };

/** When to ask the far end for a key frame: at once, then less and less often until one comes. */
export class KeyFrameRequests {
  /** Requests made. */
  made = 0;
  #wanted = false;
  #wait = interval.first;
  #lastAt: number | undefined;

  want(): void {
    this.#wanted = true;
  }

  /** A key frame has come. */
  satisfied(): void {
    this.#wanted = false;
    this.#wait = interval.first;
  }

  /** Whether to ask now. */
  due(now: number): boolean {
    if (!this.#wanted || (this.#lastAt !== undefined && now - this.#lastAt < this.#wait)) return false;
    if (this.#lastAt !== undefined) this.#wait = Math.min(interval.longest, this.#wait * 2);
    this.#lastAt = now;
    this.made++;
    return true;
  }
}
