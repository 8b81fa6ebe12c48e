import { readU24, readU32, readU32LittleEndian } from '../bytes/integers.js';
import type { ChunkStream } from './chunk-stream.js';
import { U24_MAX } from './constants.js';

export type HeaderFormat = 0 | 1 | 2 | 3;

/** Bytes of the message header by type, without the extended timestamp (section 5.3.1.2). */
export const MESSAGE_HEADER_LENGTH = [11, 7, 3, 0] as const;
/** Basic header, message header, extended timestamp. */
export const MAX_HEADER_LENGTH = 3 + 11 + 4;

/**
 * The header of the chunk that is being read: one object for them all, because there are millions. Both read methods take the bytes that
 * have arrived, from `start` to the array's end, and return false while the header is incomplete.
 */
export class ChunkHeader {
  format: HeaderFormat = 0;
  chunkStreamId = 0;
  /** Bytes of the basic header, then of the whole header. */
  length = 0;
  /** A timestamp in a header of type 0, else the difference to the last one. */
  time = 0;
  extended: number | undefined;
  messageLength = 0;
  typeId = 0;
  streamId = 0;

  /**
   * Section 5.3.1.1, where the six bits hold the chunk stream id, 0 when one more byte does, 1 when two do:
   *
   *      7 6 5 4 3 2 1 0
   *     +---+-----------+
   *     |fmt|  2 to 63  |
   *     +---+-----------+
   */
  readBasic(bytes: Uint8Array, start: number): boolean {
    const first = bytes[start];
    if (first === undefined) return false;
    const id = first & 0x3f;
    this.format = formatOf(first);
    this.length = id > 1 ? 1 : 2 + id;
    if (start + this.length > bytes.length) return false;
    if (id > 1) this.chunkStreamId = id;
    else this.chunkStreamId = 64 + (bytes[start + 1] ?? 0) + (id === 0 ? 0 : 256 * (bytes[start + 2] ?? 0));
    return true;
  }

  /**
   * Section 5.3.1.2, each type a beginning of the one before; the message stream id is little-endian:
   *
   *     | timestamp (delta) 3 | message length 3 | type id 1 | message stream id 4 | extended timestamp 0 or 4 |
   *      ---- type 2 --------
   *      ---- type 1 -------------------------------------
   *      ---- type 0 -----------------------------------------------------------
   *
   * @param start of the chunk
   * @param stream fills in the fields that are left out
   */
  readMessage(bytes: Uint8Array, start: number, stream: ChunkStream): boolean {
    const { format } = this;
    const fields = start + this.length;
    if (format === 3) return this.#readType3(bytes, fields, stream);
    const end = fields + MESSAGE_HEADER_LENGTH[format];
    if (end > bytes.length) return false;
    const field = readU24(bytes, fields);
    if (field === U24_MAX && end + 4 > bytes.length) return false;
    this.extended = field === U24_MAX ? readU32(bytes, end) : undefined;
    this.time = this.extended ?? field;
    this.messageLength = format < 2 ? readU24(bytes, fields + 3) : stream.length;
    this.typeId = format < 2 ? (bytes[fields + 6] ?? 0) : stream.typeId;
    this.streamId = format === 0 ? readU32LittleEndian(bytes, fields + 7) : stream.streamId;
    this.length = end - start + (this.extended === undefined ? 0 : 4);
    return true;
  }

  /**
   * A type 3 header has no field but, after a header with an extended timestamp, that again (section 5.3.1.3). Old FFmpeg and librtmp leave
   * it out, others put the message's timestamp where the header had a delta; as in other servers, four bytes that are neither are payload.
   */
  #readType3(bytes: Uint8Array, fields: number, stream: ChunkStream): boolean {
    if (stream.extended !== undefined) {
      const repeated = [compare(bytes, fields, stream.extended), compare(bytes, fields, stream.timestamp)];
      if (repeated.includes('equal')) this.length += 4;
      else if (repeated.includes('incomplete')) return false;
    }
    this.time = stream.timestampDelta;
    this.extended = stream.extended;
    this.messageLength = stream.length;
    this.typeId = stream.typeId;
    this.streamId = stream.streamId;
    return true;
  }
}

/** Compares a 32-bit field as far as it has arrived. */
function compare(bytes: Uint8Array, start: number, value: number): 'equal' | 'different' | 'incomplete' {
  for (let index = 0; index < 4; index += 1) {
    const received = bytes[start + index];
    if (received === undefined) return 'incomplete';
    if (received !== ((value >>> (24 - 8 * index)) & 0xff)) return 'different';
  }
  return 'equal';
}

function formatOf(first: number): HeaderFormat {
  const format = first >> 6;
  return format === 0 || format === 1 || format === 2 ? format : 3;
}
