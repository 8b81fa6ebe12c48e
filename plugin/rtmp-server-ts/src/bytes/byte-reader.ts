import { RtmpError, type RtmpErrorCode } from '../errors/rtmp-error.js';

/** UTF-8 as it comes: bad sequences become U+FFFD, and a byte order mark is a character like any other. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads big-endian values from a byte array, each checked against its end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #truncated: RtmpErrorCode;
  #offset = 0;

  /** @param truncated code of the {@link RtmpError} thrown when fewer bytes are left than are asked for. */
  constructor(bytes: Uint8Array, truncated: RtmpErrorCode) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#truncated = truncated;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Bytes consumed. */
  get offset(): number {
    return this.#offset;
  }

  /** The next byte, not consumed; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  u24(): number {
    const offset = this.#advance(3);
    return (this.#view.getUint8(offset) << 16) | this.#view.getUint16(offset + 1);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** The next bytes, as a part of the array read from. */
  bytes(length: number): Uint8Array {
    const offset = this.#advance(length);
    return this.#bytes.subarray(offset, offset + length);
  }

  utf8(length: number): string {
    return utf8.decode(this.bytes(length));
  }

  #advance(length: number): number {
    if (length > this.remaining) {
      throw new RtmpError(this.#truncated, `${length} bytes expected at ${this.#offset}, ${this.remaining} left`);
    }
    const offset = this.#offset;
    this.#offset += length;
    return offset;
  }
}
