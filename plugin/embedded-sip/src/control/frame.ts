/** Longest length prefix the drachtio server accepts from a client, in digits. */
const LENGTH_DIGITS = 5;

export interface Frames {
  readonly payloads: readonly string[];
  /** Set when the connection cannot be followed any further. */
  readonly error?: string;
}

/** Encodes one frame of the control protocol: the payload's length in bytes, '#', the payload. */
export function encodeFrame(payload: string): string {
  return `${payload.length}#${payload}`;
}

/** Cuts a byte stream into frames, wherever the segments end. */
export class FrameDecoder {
  readonly #maxBytes: number;
  #pending = '';

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: string): Frames {
    this.#pending += chunk;
    const payloads: string[] = [];
    let at = 0;
    for (;;) {
      const hash = this.#pending.indexOf('#', at);
      const prefix = this.#pending.slice(at, hash === -1 ? at + LENGTH_DIGITS + 1 : hash);
      if (hash !== -1 ? !/^\d{1,5}$/.test(prefix) : !/^\d{0,5}$/.test(prefix))
        return { payloads, error: 'malformed frame length' };
      if (hash === -1) break;
      const length = Number(prefix);
      if (length > this.#maxBytes)
        return { payloads, error: `frame of ${length} bytes, at most ${this.#maxBytes} are allowed` };
      if (this.#pending.length < hash + 1 + length) break;
      payloads.push(this.#pending.slice(hash + 1, hash + 1 + length));
      at = hash + 1 + length;
    }
    this.#pending = this.#pending.slice(at);
    return { payloads };
  }
}
