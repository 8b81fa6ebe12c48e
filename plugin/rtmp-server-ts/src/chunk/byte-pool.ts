const SLAB_LENGTH = 8192;

/** Small arrays cut from larger ones, each used once: headers and small messages live until the socket has written them. */
export class BytePool {
  #slab = new ArrayBuffer(0);
  #used = 0;

  take(length: number): Uint8Array {
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_LENGTH);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#slab, this.#used, length);
    this.#used += length;
    return bytes;
  }
}
