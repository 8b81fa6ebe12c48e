import type { BufferList } from '../bytes/buffer-list.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { ChunkHeader, MAX_HEADER_LENGTH } from './chunk-header.js';
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
 * Chunks to messages (section 5.3). A message that lies in one chunk and one received buffer is not copied; any other one is copied once,
 * into an array of its size.
 */
export class ChunkReader {
  readonly #input: BufferList;
  readonly #limits: ChunkReaderLimits;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = new ChunkHeader();
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #bytesInFlight = 0;
  /** The chunk stream whose chunk is being read, and how much of that chunk is missing. */
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
      if (this.#missing > 0) return undefined;
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
    const header = this.#header;
    if (!header.readBasic(bytes, start)) return undefined;
    const stream = this.#streams.get(header.chunkStreamId) ?? this.#open(header);
    if (!header.readMessage(bytes, start, stream)) return undefined;
    this.#input.skip(header.length);
    if (header.format !== 3 || stream.payload === undefined) this.#begin(stream, header);
    this.#current = stream;
    this.#missing = Math.min(this.#chunkSize, stream.length - stream.received);
    return stream;
  }

  /** librtmp, and so OBS, opens chunk stream 2 with a type 1 header; its message stream id can only be 0. */
  #open({ format, chunkStreamId }: ChunkHeader): ChunkStream {
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

  #begin(stream: ChunkStream, header: ChunkHeader): void {
    if (stream.payload !== undefined) {
      const missing = stream.length - stream.received;
      throw new RtmpError(
        'chunk.interrupted',
        `new message on chunk stream ${stream.id} while ${missing} bytes are missing`,
      );
    }
    const { messageSize } = this.#limits;
    if (header.messageLength > messageSize) {
      throw new RtmpError(
        'chunk.message-size',
        `message of ${header.messageLength} bytes, at most ${messageSize} are taken`,
      );
    }
    stream.timestamp = (header.format === 0 ? header.time : stream.timestamp + header.time) >>> 0;
    // After a type 0 header a type 3 header repeats its timestamp as delta (section 5.3.1.2.4).
    stream.timestampDelta = header.time;
    stream.length = header.messageLength;
    stream.typeId = header.typeId;
    stream.streamId = header.streamId;
    stream.extended = header.extended;
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
    return new Uint8Array(length);
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
