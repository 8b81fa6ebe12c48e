import { totalLength } from '../bytes/concat.js';
import { writeU24, writeU32, writeU32LittleEndian } from '../bytes/integers.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { BytePool } from './byte-pool.js';
import { type HeaderFormat, MESSAGE_HEADER_LENGTH } from './chunk-header.js';
import { DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE, MAX_CHUNK_STREAM_ID, U24_MAX } from './constants.js';
import type { RawMessage } from './raw-message.js';
import { type Chunks, SharedChunks } from './shared-chunks.js';

/** The fields of the last header on a chunk stream that the next one may leave out. */
interface WrittenHeader {
  readonly chunkStreamId: number;
  typeId: number;
  streamId: number;
  timestamp: number;
  length: number;
  /** What a type 3 header would repeat; undefined where receivers disagree on it. */
  delta: number | undefined;
}

/** Bytes of a payload up to which a copy behind the header costs less than a part of its own. */
const SMALL_PAYLOAD = 512;

/** Of headers and small messages, which live until the socket has written them. */
const pool = new BytePool(8192);
const shared = new SharedChunks();

/** The caller has handed on all that was written in this turn: whose the payloads are may change them again. */
export function forgetSharedChunks(): void {
  shared.forget();
}

/** Messages to chunks (section 5.3), each with the shortest header that says it. Large payloads are not copied. */
export class ChunkWriter {
  readonly #written = new Map<number, WrittenHeader>();
  /** The last of them: most often the next message's too. */
  #last: WrittenHeader | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;

  /** From the next message on; the caller sends the Set Chunk Size message that says so. */
  setChunkSize(size: number): void {
    if (size < 1 || size > MAX_CHUNK_SIZE)
      throw new RtmpError('chunk.size', `chunk size ${size}, it must be 1-${MAX_CHUNK_SIZE}`);
    this.#chunkSize = size;
  }

  /**
   * Appends the parts of the message to `output`: headers, and slices of its payload, which must not change until they are sent.
   * @returns the number of bytes
   * @throws RtmpError `chunk.message-size` for a payload that the 24-bit length cannot say
   */
  write(message: RawMessage, output: Uint8Array[]): number {
    const { chunkStreamId, timestamp, payload } = message;
    if (payload.length > U24_MAX) {
      throw new RtmpError('chunk.message-size', `message of ${payload.length} bytes, at most ${U24_MAX} can be sent`);
    }
    const last = this.#last?.chunkStreamId === chunkStreamId ? this.#last : this.#written.get(chunkStreamId);
    const delta = last === undefined ? 0 : (timestamp - last.timestamp) >>> 0;
    const format = chooseFormat(message, last, delta);
    const time = format === 0 ? timestamp >>> 0 : delta;
    // By section 5.3.1.2.4 the delta after a type 0 header is its timestamp; some receivers take 0. With 0 they agree.
    const repeatable = format === 0 && time !== 0 ? undefined : time;
    this.#remember(last, message, repeatable);

    const chunks =
      shared.find(message, format, time, this.#chunkSize) ??
      shared.keep(makeChunks(message, format, time, this.#chunkSize));
    const first = chunks.parts[0];
    if (chunks.parts.length === 1 && first !== undefined) output.push(first);
    else output.push(...chunks.parts);
    return chunks.length;
  }

  #remember(last: WrittenHeader | undefined, message: RawMessage, delta: number | undefined): void {
    const { chunkStreamId, typeId, streamId, timestamp, payload } = message;
    if (last === undefined) {
      this.#last = { chunkStreamId, typeId, streamId, timestamp: timestamp >>> 0, length: payload.length, delta };
      this.#written.set(chunkStreamId, this.#last);
      return;
    }
    this.#last = last;
    last.typeId = typeId;
    last.streamId = streamId;
    last.timestamp = timestamp >>> 0;
    last.length = payload.length;
    last.delta = delta;
  }
}

function chooseFormat(message: RawMessage, last: WrittenHeader | undefined, delta: number): HeaderFormat {
  // A difference that looks like half the circle and more is a step back, which only an absolute timestamp can say; and a delta that
  // needs the extended field saves nothing.
  if (last === undefined || last.streamId !== message.streamId || delta >= U24_MAX) return 0;
  if (last.length !== message.payload.length || last.typeId !== message.typeId) return 1;
  return last.delta === delta ? 3 : 2;
}

function makeChunks(message: RawMessage, format: HeaderFormat, time: number, chunkSize: number): Chunks {
  const { chunkStreamId, typeId, streamId, payload } = message;
  const extended = time >= U24_MAX ? time : undefined;
  const start = basicHeaderLength(chunkStreamId);
  const end = start + MESSAGE_HEADER_LENGTH[format];
  const headerLength = extended === undefined ? end : end + 4;
  const joined = payload.length <= SMALL_PAYLOAD && payload.length <= chunkSize;
  const first = pool.take(joined ? headerLength + payload.length : headerLength);
  writeBasicHeader(first, format, chunkStreamId);
  if (format < 3) writeU24(first, start, extended === undefined ? time : U24_MAX);
  if (format < 2) {
    writeU24(first, start + 3, payload.length);
    first[start + 6] = typeId;
  }
  if (format === 0) writeU32LittleEndian(first, start + 7, streamId);
  if (extended !== undefined) writeU32(first, end, extended);
  if (joined) {
    first.set(payload, headerLength);
    return { message, format, time, chunkSize, parts: [first], length: first.length };
  }
  const parts = [first, ...cutPayload(message, extended, chunkSize)];
  return { message, format, time, chunkSize, parts, length: totalLength(parts) };
}

/** Slices of the payload, and before each but the first a header that says nothing but where it belongs. */
function cutPayload(
  { chunkStreamId, payload }: RawMessage,
  extended: number | undefined,
  chunkSize: number,
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length; offset += chunkSize) {
    if (offset > 0) parts.push(continuationHeader(chunkStreamId, extended));
    parts.push(payload.subarray(offset, offset + chunkSize));
  }
  return parts;
}

/** Repeats the extended timestamp, as section 5.3.1.3 has it. */
function continuationHeader(chunkStreamId: number, extended: number | undefined): Uint8Array {
  const start = basicHeaderLength(chunkStreamId);
  const header = pool.take(extended === undefined ? start : start + 4);
  writeBasicHeader(header, 3, chunkStreamId);
  if (extended !== undefined) writeU32(header, start, extended);
  return header;
}

function basicHeaderLength(chunkStreamId: number): number {
  if (chunkStreamId < 2 || chunkStreamId > MAX_CHUNK_STREAM_ID) {
    throw new RangeError(`chunk stream id ${chunkStreamId}, it must be 2-${MAX_CHUNK_STREAM_ID}`);
  }
  if (chunkStreamId < 64) return 1;
  return chunkStreamId < 320 ? 2 : 3;
}

function writeBasicHeader(header: Uint8Array, format: HeaderFormat, chunkStreamId: number): void {
  const high = format << 6;
  const rest = chunkStreamId - 64;
  if (rest < 0) {
    header[0] = high | chunkStreamId;
  } else if (rest < 256) {
    header[0] = high;
    header[1] = rest;
  } else {
    header[0] = high | 1;
    header[1] = rest & 0xff;
    header[2] = rest >> 8;
  }
}
