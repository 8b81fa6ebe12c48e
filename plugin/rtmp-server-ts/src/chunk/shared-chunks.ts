import { concat } from '../bytes/concat.js';
import type { HeaderFormat } from './chunk-header.js';
import type { RawMessage } from './raw-message.js';

/** A message in chunks. */
export interface Chunks {
  readonly message: RawMessage;
  readonly format: HeaderFormat;
  /** The timestamp or difference in the header, as the format says. */
  readonly time: number;
  readonly chunkSize: number;
  readonly parts: readonly Uint8Array[];
  /** Bytes of all parts together. */
  readonly length: number;
}

/** Bytes of a message up to which it is joined for its second reader: one copy, and each socket is given one array. */
const JOINED = 64 * 1024;

/**
 * The chunks that were made last, for whichever connection: a relay sends the same message to all that play, nearly always with the same
 * header, and so they are made once.
 */
export class SharedChunks {
  #last: Chunks | undefined;

  find(message: RawMessage, format: HeaderFormat, time: number, chunkSize: number): Chunks | undefined {
    const last = this.#last;
    if (last === undefined || last.format !== format || last.time !== time || last.chunkSize !== chunkSize)
      return undefined;
    if (!sameMessage(message, last.message)) return undefined;
    if (last.parts.length === 1 || last.length > JOINED) return last;
    const { length } = last;
    return this.keep({ message: last.message, format, time, chunkSize, parts: [concat(last.parts, length)], length });
  }

  keep(chunks: Chunks): Chunks {
    this.#last = chunks;
    return chunks;
  }

  /** To be called before a payload may change. */
  forget(): void {
    this.#last = undefined;
  }
}

function sameMessage(one: RawMessage, other: RawMessage): boolean {
  return (
    one.payload === other.payload &&
    one.typeId === other.typeId &&
    one.streamId === other.streamId &&
    one.chunkStreamId === other.chunkStreamId
  );
}
