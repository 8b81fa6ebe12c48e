import type { BufferList } from '../bytes/buffer-list.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { BytePool } from './byte-pool.js';
import {
  basicHeaderLength,
  chunkStreamId,
  continueMessage,
  type HeaderFormat,
  headerFormat,
  INCOMPLETE,
  MAX_HEADER_LENGTH,
  readMessageHeader,
} from './chunk-header.js';
import { ChunkStream } from './chunk-stream.js';
import { CONTROL_CHUNK_STREAM_ID, DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE } from './constants.js';
import type { RawMessage } from './raw-message.js';

export interface ChunkReaderLimits {
  /** Bytes of one message; checked when its header is read. */
  readonly messageSize: number;
  /** Declared bytes of all messages of which a part has arrived. */
  readonly bytesInFlight: number;
  /** Chunk streams in use on one connection. */
  readonly chunkStreams: number;
}

const EMPTY = new Uint8Array(0);

/**
 * Memory of messages that come in parts. A message that never becomes complete keeps a slab, and there is at most one on each chunk stream: by
 * default no more than `bytesInFlight` allows in any case. Shorter messages are rare here, longer ones have memory of their own.
 */
const pool = new BytePool(32 * 1024);
const POOLED = { from: 1024, to: 16 * 1024 } as const;

/**
 * Chunks to messages (section 5.3). A message that lies in one chunk and one received buffer is not copied; any other one is copied once,
 * into memory of its own.
 */
export class ChunkReader {
  readonly #input: BufferList;
  readonly #limits: ChunkReaderLimits;
  readonly #streams = new Map<number, ChunkStream>();
  /** The chunk stream of the last header: most often the next one's too, and a look into the map costs as much as reading the header. */
  #last = new ChunkStream(0);
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #bytesInFlight = 0;
  /** The chunk stream of a chunk that has arrived in part, and how much of the chunk is missing. */
  #current: ChunkStream | undefined;
  #missing = 0;

  constructor(input: BufferList, limits: ChunkReaderLimits) {
    this.#input = input;
    this.#limits = limits;
  }

  /**
   * The next complete message, undefined until more bytes arrive.
   * @throws RtmpError with a code `chunk.*`, after which nothing more can be read
   */
  next(): RawMessage | undefined {
    for (;;) {
      const stream = this.#current ?? this.#readHeader();
      if (stream === undefined) return undefined;
      const payload = this.#readPayload(stream);
      if (this.#missing > 0) {
        this.#current = stream;
        return undefined;
      }
      this.#current = undefined;
      if (payload !== undefined) return message(stream, payload);
    }
  }

  /** Set Chunk Size (section 5.4.1): from the next chunk on. @throws RtmpError `chunk.size` for 0 and for more than 31 bits */
  setChunkSize(size: number): void {
    if (size < 1 || size > 0x7fffffff) throw new RtmpError('chunk.size', `chunk size ${size}, it must be 1-2147483647`);
    this.#chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }

  /** Abort (section 5.4.2): the rest of the message in progress will not come. Nothing happens when there is none. */
  abort(chunkStreamId: number): void {
    const stream = this.#streams.get(chunkStreamId);
    if (stream !== undefined) this.#release(stream);
  }

  /** @returns the stream whose chunk begins, undefined while its header is incomplete. */
  #readHeader(): ChunkStream | undefined {
    const { first, offset } = this.#input;
    if (first === undefined) return undefined;
    // A header that may go on in the next buffer is read from a copy.
    if (offset + MAX_HEADER_LENGTH <= first.length) return this.#beginChunk(first, offset);
    return this.#beginChunk(this.#input.copy(MAX_HEADER_LENGTH), 0);
  }

  #beginChunk(bytes: Uint8Array, start: number): ChunkStream | undefined {
    const first = bytes[start] ?? 0;
    const fields = start + basicHeaderLength(first);
    if (fields > bytes.length) return undefined;
    const format = headerFormat(first);
    const id = chunkStreamId(bytes, start);
    const stream = this.#last.id === id ? this.#last : this.#find(format, id);
    const length =
      format === 3 ? continueMessage(bytes, fields, stream) : this.#beginMessage(bytes, fields, format, stream);
    if (length === INCOMPLETE) return undefined;
    this.#input.skip(fields - start + length);
    this.#missing = Math.min(this.#chunkSize, stream.length - stream.received);
    return stream;
  }

  /** @returns bytes of the message header, or INCOMPLETE */
  #beginMessage(bytes: Uint8Array, start: number, format: 0 | 1 | 2, stream: ChunkStream): number {
    if (stream.payload !== undefined) {
      const missing = stream.length - stream.received;
      throw new RtmpError(
        'chunk.interrupted',
        `new message on chunk stream ${stream.id} while ${missing} bytes are missing`,
      );
    }
    const length = readMessageHeader(bytes, start, format, stream);
    const { messageSize } = this.#limits;
    if (stream.length > messageSize) {
      throw new RtmpError('chunk.message-size', `message of ${stream.length} bytes, at most ${messageSize} are taken`);
    }
    return length;
  }

  #find(format: HeaderFormat, id: number): ChunkStream {
    this.#last = this.#streams.get(id) ?? this.#open(format, id);
    return this.#last;
  }

  /** librtmp, and so OBS, opens chunk stream 2 with a type 1 header; its message stream id can only be 0. */
  #open(format: HeaderFormat, chunkStreamId: number): ChunkStream {
    if (format !== 0 && !(format === 1 && chunkStreamId === CONTROL_CHUNK_STREAM_ID)) {
      throw new RtmpError('chunk.unknown-stream', `chunk stream ${chunkStreamId} begins with a type ${format} header`);
    }
    if (this.#streams.size >= this.#limits.chunkStreams) {
      throw new RtmpError('chunk.streams', `more than ${this.#limits.chunkStreams} chunk streams`);
    }
    const stream = new ChunkStream(chunkStreamId);
    this.#streams.set(chunkStreamId, stream);
    return stream;
  }

  /** @returns the payload when it is complete. */
  #readPayload(stream: ChunkStream): Uint8Array | undefined {
    if (stream.length === 0) return EMPTY;
    while (this.#missing > 0) {
      const part = this.#input.take(this.#missing);
      if (part.length === 0) return undefined;
      this.#missing -= part.length;
      if (part.length === stream.length) return part;
      this.#store(stream, part);
    }
    if (stream.received < stream.length) return undefined;
    const { payload } = stream;
    this.#release(stream);
    return payload;
  }

  #store(stream: ChunkStream, part: Uint8Array): void {
    stream.payload ??= this.#reserve(stream.length);
    stream.payload.set(part, stream.received);
    stream.received += part.length;
  }

  #reserve(length: number): Uint8Array {
    this.#bytesInFlight += length;
    if (this.#bytesInFlight > this.#limits.bytesInFlight) {
      throw new RtmpError(
        'chunk.bytes-in-flight',
        `messages in progress are longer than ${this.#limits.bytesInFlight} bytes`,
      );
    }
    return length < POOLED.from || length > POOLED.to ? new Uint8Array(length) : pool.take(length);
  }

  #release(stream: ChunkStream): void {
    this.#bytesInFlight -= stream.payload?.length ?? 0;
    stream.payload = undefined;
    stream.received = 0;
  }
}

function message(stream: ChunkStream, payload: Uint8Array): RawMessage {
  const { id, typeId, streamId, timestamp } = stream;
  return { chunkStreamId: id, typeId, streamId, timestamp, payload };
}
