/** Writes big-endian values into a byte array that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far; writing on invalidates it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    const offset = this.#reserve(1);
    this.#view.setUint8(offset, value);
  }

  u16(value: number): void {
    const offset = this.#reserve(2);
    this.#view.setUint16(offset, value);
  }

  u24(value: number): void {
    const offset = this.#reserve(3);
    this.#view.setUint8(offset, value >>> 16);
    this.#view.setUint16(offset + 1, value & 0xffff);
  }

  u32(value: number): void {
    const offset = this.#reserve(4);
    this.#view.setUint32(offset, value);
  }

  f64(value: number): void {
    const offset = this.#reserve(8);
    this.#view.setFloat64(offset, value);
  }

  bytes(value: Uint8Array): void {
    const offset = this.#reserve(value.length);
    this.#bytes.set(value, offset);
  }

  /** Text of which {@link isShortAscii} is true. */
  ascii(text: string): void {
    const offset = this.#reserve(text.length);
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index += 1) bytes[offset + index] = text.charCodeAt(index);
  }

  /** Makes room; the view may be another one afterwards. */
  #reserve(length: number): number {
    const offset = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, offset));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return offset;
  }
}

/** Up to here, in characters, writing each costs less than calling a TextEncoder. */
const SHORT_TEXT = 63;

/** Names and short texts nearly always are. */
export function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
