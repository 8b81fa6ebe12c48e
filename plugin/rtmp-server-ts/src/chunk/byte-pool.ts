/** Small arrays cut from larger ones, each used once: to make one of its own for each costs more than all that is done with it. */
export class BytePool {
  readonly #slabLength: number;
  #slab = new ArrayBuffer(0);
  #used = 0;

  /** @param slabLength bytes of the larger ones, which stay in memory as long as one of theirs does */
  constructor(slabLength: number) {
    this.#slabLength = slabLength;
  }

  /** @param length at most that of a slab */
  take(length: number): Uint8Array {
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(this.#slabLength);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#slab, this.#used, length);
    this.#used += length;
    return bytes;
  }
}
