/** Received bytes in the buffers that they came in; what is taken out is copied only when it crosses from one buffer to the next. */
export class BufferList {
  readonly #buffers: Uint8Array[] = [];
  /** Bytes of the first buffer that are consumed already. */
  #offset = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The list keeps the buffer: it must not change any more. */
  push(buffer: Uint8Array): void {
    if (buffer.length === 0) return;
    this.#buffers.push(buffer);
    this.#length += buffer.length;
  }

  /** The byte at a position, not consumed; undefined beyond the end. */
  at(position: number): number | undefined {
    const offset = this.#offset + position;
    const first = this.#buffers[0];
    return first !== undefined && offset < first.length ? first[offset] : this.#atFurther(offset);
  }

  /** Consumes the first bytes that lie in one buffer: at least 1 when the list is not empty, at most `limit`; never copies. */
  take(limit: number): Uint8Array {
    const buffer = this.#buffers[0];
    if (buffer === undefined) return new Uint8Array(0);
    const end = Math.min(buffer.length, this.#offset + limit);
    const taken = buffer.subarray(this.#offset, end);
    this.#length -= taken.length;
    this.#offset = end;
    if (end === buffer.length) this.#dropFirst();
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
    const first = this.#buffers[0];
    if (first !== undefined && this.#offset + length < first.length) {
      this.#offset += length;
      this.#length -= length;
    } else {
      for (let left = length; left > 0 && this.#length > 0; ) left -= this.take(left).length;
    }
  }

  clear(): void {
    this.#buffers.length = 0;
    this.#offset = 0;
    this.#length = 0;
  }

  /** @param start counted from the beginning of the first buffer */
  #atFurther(start: number): number | undefined {
    let offset = start;
    for (const buffer of this.#buffers) {
      if (offset < buffer.length) return buffer[offset];
      offset -= buffer.length;
    }
    return undefined;
  }

  #dropFirst(): void {
    this.#buffers.shift();
    this.#offset = 0;
  }
}
