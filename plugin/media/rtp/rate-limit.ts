/** Lets so many events pass in each second and no more. Deterministic: time enters only as an argument. */
export class RateLimit {
  readonly #perSecond: number;
  #second = Number.NEGATIVE_INFINITY;
  #passed = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** @param now milliseconds */
  passes(now: number): boolean {
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#passed = 0;
    }
    return ++this.#passed <= this.#perSecond;
  }
}
