const NO_MEMORY = new ArrayBuffer(0);

/** Received bytes in the buffers that they came in; what is taken out is copied only when it crosses from one buffer to the next. */
export class BufferList {
  /** The first buffer, and what it is a view of: to ask the view for that each time costs as much as the rest of {@link take}. */
  #first: Uint8Array | undefined;
  /** The buffers behind the first. */
  readonly #others: Uint8Array[] = [];
  #memory: ArrayBufferLike = NO_MEMORY;
  #memoryOffset = 0;
  /** Bytes of the first buffer that are consumed already. */
  #offset = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer that the next byte is in, at {@link offset}. */
  get first(): Uint8Array | undefined {
    return this.#first;
  }

  get offset(): number {
    return this.#offset;
  }

  /** The list keeps the buffer: it must not change any more. */
  push(buffer: Uint8Array): void {
    if (buffer.length === 0) return;
    this.#length += buffer.length;
    if (this.#first === undefined) this.#enter(buffer);
    else this.#others.push(buffer);
  }

  /** The byte at a position, not consumed; undefined beyond the end. */
  at(position: number): number | undefined {
    const offset = this.#offset + position;
    const first = this.#first;
    return first !== undefined && offset < first.length ? first[offset] : this.#atFurther(offset);
  }

  /** A copy of the first bytes, at most `limit`, which are not consumed. */
  copy(limit: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(limit, this.#length));
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = this.at(index) ?? 0;
    return bytes;
  }

  /** Consumes the first bytes that lie in one buffer: at least 1 when the list is not empty, at most `limit`; never copies. */
  take(limit: number): Uint8Array {
    const first = this.#first;
    if (first === undefined) return new Uint8Array(0);
    const length = Math.min(limit, first.length - this.#offset);
    const taken = new Uint8Array(this.#memory, this.#memoryOffset + this.#offset, length);
    this.#length -= length;
    this.#offset += length;
    if (this.#offset === first.length) this.#enter(this.#length === 0 ? undefined : this.#others.shift());
    return taken;
  }

  /** Consumes exactly `length` bytes, of which there must be so many. */
  consume(length: number): Uint8Array {
    const first = this.take(length);
    if (first.length === length) return first;
    const bytes = new Uint8Array(length);
    bytes.set(first);
    for (let filled = first.length; filled < length; ) {
      const part = this.take(length - filled);
      if (part.length === 0) throw new RangeError(`${length} bytes consumed of ${filled}`);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  skip(length: number): void {
    const first = this.#first;
    if (first !== undefined && this.#offset + length < first.length) {
      this.#offset += length;
      this.#length -= length;
    } else {
      for (let left = length; left > 0 && this.#length > 0; ) left -= this.take(left).length;
    }
  }

  clear(): void {
    this.#others.length = 0;
    this.#length = 0;
    this.#enter(undefined);
  }

  /** @param start counted from the beginning of the first buffer */
  #atFurther(start: number): number | undefined {
    let offset = start - (this.#first?.length ?? 0);
    for (const buffer of this.#others) {
      if (offset < buffer.length) return buffer[offset];
      offset -= buffer.length;
    }
    return undefined;
  }

  #enter(first: Uint8Array | undefined): void {
    this.#first = first;
    this.#offset = 0;
    // Without a buffer the memory of the last one is let go.
    this.#memory = first?.buffer ?? NO_MEMORY;
    this.#memoryOffset = first?.byteOffset ?? 0;
  }
}
