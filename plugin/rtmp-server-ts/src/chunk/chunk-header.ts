import type { BufferList } from '../bytes/buffer-list.js';
import type { ChunkStream } from './chunk-stream.js';
import { U24_MAX } from './constants.js';

export type HeaderFormat = 0 | 1 | 2 | 3;

/** Bytes of the message header by type, without the extended timestamp (section 5.3.1.2). */
export const MESSAGE_HEADER_LENGTH = [11, 7, 3, 0] as const;

/**
 * Section 5.3.1.1, where the six bits hold the chunk stream id, 0 when one more byte does, 1 when two do:
 *
 *      7 6 5 4 3 2 1 0
 *     +---+-----------+
 *     |fmt|  2 to 63  |
 *     +---+-----------+
 */
export interface BasicHeader {
  readonly format: HeaderFormat;
  readonly chunkStreamId: number;
  /** 1-3 bytes. */
  readonly length: number;
}

/** A message header with the fields that it leaves out filled in from the one before. */
export interface MessageHeader {
  /** Whether `time` is a timestamp or the difference to the last one. */
  readonly absolute: boolean;
  readonly time: number;
  readonly extended: number | undefined;
  readonly messageLength: number;
  readonly typeId: number;
  readonly streamId: number;
  /** Bytes of the whole chunk header. */
  readonly end: number;
}

/** @returns undefined while it is incomplete. */
export function readBasicHeader(input: BufferList): BasicHeader | undefined {
  const first = input.at(0);
  if (first === undefined) return undefined;
  const format = formatOf(first);
  const id = first & 0x3f;
  if (id > 1) return { format, chunkStreamId: id, length: 1 };
  const second = input.at(1);
  if (second === undefined) return undefined;
  if (id === 0) return { format, chunkStreamId: 64 + second, length: 2 };
  const third = input.at(2);
  return third === undefined ? undefined : { format, chunkStreamId: 64 + second + 256 * third, length: 3 };
}

/**
 * Section 5.3.1.2, each type a beginning of the one before; the message stream id is little-endian:
 *
 *     | timestamp (delta) 3 | message length 3 | type id 1 | message stream id 4 | extended timestamp 0 or 4 |
 *      ---- type 2 --------
 *      ---- type 1 -------------------------------------
 *      ---- type 0 -----------------------------------------------------------
 *
 * @returns undefined while it is incomplete.
 */
export function readMessageHeader(
  input: BufferList,
  basic: BasicHeader,
  stream: ChunkStream,
): MessageHeader | undefined {
  const { format, length: start } = basic;
  if (format === 3) return readType3(input, start, stream);
  const field = u24(input, start);
  const end = start + MESSAGE_HEADER_LENGTH[format];
  if (field === U24_MAX && input.length < end + 4) return undefined;
  const extended = field === U24_MAX ? u32(input, end) : undefined;
  return {
    absolute: format === 0,
    time: extended ?? field,
    extended,
    messageLength: format < 2 ? u24(input, start + 3) : stream.length,
    typeId: format < 2 ? byte(input, start + 6) : stream.typeId,
    streamId: format === 0 ? u32LittleEndian(input, start + 7) : stream.streamId,
    end: extended === undefined ? end : end + 4,
  };
}

/**
 * A type 3 header has no field but, after a header with an extended timestamp, that again (section 5.3.1.3). Old FFmpeg and librtmp leave
 * it out, others put the message's timestamp where the header had a delta; as in other servers, four bytes that are neither are payload.
 */
function readType3(input: BufferList, start: number, stream: ChunkStream): MessageHeader | undefined {
  const end = stream.extended === undefined ? start : skipExtended(input, start, stream.extended, stream.timestamp);
  if (end === undefined) return undefined;
  return {
    absolute: false,
    time: stream.timestampDelta,
    extended: stream.extended,
    messageLength: stream.length,
    typeId: stream.typeId,
    streamId: stream.streamId,
    end,
  };
}

/** @returns where the payload begins, undefined while that cannot be told. */
function skipExtended(input: BufferList, start: number, extended: number, timestamp: number): number | undefined {
  const repeated = [compare(input, start, extended), compare(input, start, timestamp)];
  if (repeated.includes('equal')) return start + 4;
  return repeated.includes('incomplete') ? undefined : start;
}

/** Compares a 32-bit field as far as it has arrived. */
function compare(input: BufferList, start: number, value: number): 'equal' | 'different' | 'incomplete' {
  for (let index = 0; index < 4; index += 1) {
    const received = input.at(start + index);
    if (received === undefined) return 'incomplete';
    if (received !== ((value >>> (24 - 8 * index)) & 0xff)) return 'different';
  }
  return 'equal';
}

function formatOf(first: number): HeaderFormat {
  const format = first >> 6;
  return format === 0 || format === 1 || format === 2 ? format : 3;
}

function byte(input: BufferList, position: number): number {
  return input.at(position) ?? 0;
}

function u24(input: BufferList, position: number): number {
  return (byte(input, position) << 16) | (byte(input, position + 1) << 8) | byte(input, position + 2);
}

function u32(input: BufferList, position: number): number {
  return ((byte(input, position) << 24) | u24(input, position + 1)) >>> 0;
}

function u32LittleEndian(input: BufferList, position: number): number {
  return (
    ((byte(input, position + 3) << 24) |
      (byte(input, position + 2) << 16) |
      (byte(input, position + 1) << 8) |
      byte(input, position)) >>>
    0
  );
}
