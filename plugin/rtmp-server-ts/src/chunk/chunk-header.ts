import { readU24, readU32, readU32LittleEndian } from '../bytes/integers.js';
import type { ChunkStream } from './chunk-stream.js';
import { U24_MAX } from './constants.js';

export type HeaderFormat = 0 | 1 | 2 | 3;

/** Bytes of the message header by type, without the extended timestamp (section 5.3.1.2). */
export const MESSAGE_HEADER_LENGTH = [11, 7, 3, 0] as const;
/** Basic header, message header, extended timestamp. */
export const MAX_HEADER_LENGTH = 3 + 11 + 4;

/**
 * Section 5.3.1.1, where the six bits hold the chunk stream id, 0 when one more byte does, 1 when two do:
 *
 *      7 6 5 4 3 2 1 0
 *     +---+-----------+
 *     |fmt|  2 to 63  |
 *     +---+-----------+
 */
export function basicHeaderLength(first: number): number {
  const id = first & 0x3f;
  return id > 1 ? 1 : 2 + id;
}

export function headerFormat(first: number): HeaderFormat {
  return (first >> 6) as HeaderFormat;
}

/** @param start of a basic header that has arrived as a whole */
export function chunkStreamId(bytes: Uint8Array, start: number): number {
  const id = (bytes[start] ?? 0) & 0x3f;
  if (id > 1) return id;
  return 64 + (bytes[start + 1] ?? 0) + (id === 0 ? 0 : 256 * (bytes[start + 2] ?? 0));
}

/** In place of a length: the rest of the header has not arrived. */
export const INCOMPLETE = -1;

/**
 * Section 5.3.1.2, each type a beginning of the one before; the message stream id is little-endian:
 *
 *     | timestamp (delta) 3 | message length 3 | type id 1 | message stream id 4 | extended timestamp 0 or 4 |
 *      ---- type 2 --------
 *      ---- type 1 -------------------------------------
 *      ---- type 0 -----------------------------------------------------------
 *
 * @param start of the message header
 * @param stream takes the fields up, unless the header is incomplete; it keeps those that are left out
 * @returns bytes of the message header, or {@link INCOMPLETE}
 */
export function readMessageHeader(bytes: Uint8Array, start: number, format: 0 | 1 | 2, stream: ChunkStream): number {
  const length = MESSAGE_HEADER_LENGTH[format];
  const end = start + length;
  if (end > bytes.length) return INCOMPLETE;
  const field = readU24(bytes, start);
  const isExtended = field === U24_MAX;
  if (isExtended && end + 4 > bytes.length) return INCOMPLETE;
  const time = isExtended ? readU32(bytes, end) : field;
  stream.extended = isExtended ? time : undefined;
  // After a type 0 header a type 3 header repeats its timestamp as delta (section 5.3.1.2.4).
  stream.timestampDelta = time;
  stream.timestamp = (format === 0 ? time : stream.timestamp + time) >>> 0;
  if (format < 2) {
    stream.length = readU24(bytes, start + 3);
    stream.typeId = bytes[start + 6] ?? 0;
  }
  if (format === 0) stream.streamId = readU32LittleEndian(bytes, start + 7);
  return isExtended ? length + 4 : length;
}

/**
 * A type 3 header goes on with a message, or begins one like the last: it has no field. But after a header with an extended timestamp it has
 * that again (section 5.3.1.3). Old FFmpeg and librtmp leave it out, others put the message's timestamp where the header had a delta; as in
 * other servers, four bytes that are neither are payload.
 * @returns as {@link readMessageHeader}
 */
export function continueMessage(bytes: Uint8Array, start: number, stream: ChunkStream): number {
  const length = stream.extended === undefined ? 0 : repeatedLength(bytes, start, stream.extended, stream.timestamp);
  if (length !== INCOMPLETE && stream.payload === undefined) {
    stream.timestamp = (stream.timestamp + stream.timestampDelta) >>> 0;
  }
  return length;
}

function repeatedLength(bytes: Uint8Array, start: number, extended: number, timestamp: number): number {
  const repeated = [compare(bytes, start, extended), compare(bytes, start, timestamp)];
  if (repeated.includes('equal')) return 4;
  return repeated.includes('incomplete') ? INCOMPLETE : 0;
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
