const SLAB_LENGTH = 8192;

/** Small arrays cut from larger ones, each used once: chunk headers live until the socket has written them. */
export class HeaderPool {
  #slab = new Uint8Array(0);
  #used = 0;

  take(length: number): Uint8Array {
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_LENGTH);
      this.#used = 0;
    }
    const header = this.#slab.subarray(this.#used, this.#used + length);
    this.#used += length;
    return header;
  }
}
