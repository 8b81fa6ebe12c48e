import { BufferList, ChunkReader, decodeMessage, type RtmpMessage } from 'rtmp-server-ts';

/** A message with the chunk stream that it came on. */
export type Received = RtmpMessage & { readonly chunkStreamId: number };

/** Bytes of either side's part of the handshake. */
export const handshakeBytes = 1 + 2 * 1536;

/** What one side of a connection sends, as messages. */
export class MessageReader {
  readonly #input = new BufferList();
  readonly #reader = new ChunkReader(this.#input, {
    messageSize: 0xffffff,
    bytesInFlight: 0xffffff,
    chunkStreams: 100,
  });
  /** Bytes that are not looked at. */
  #skip: number;

  /** @param skip bytes before the first chunk; those of the handshake unless given */
  constructor(skip = handshakeBytes) {
    this.#skip = skip;
  }

  /** @returns the messages that these bytes complete */
  read(data: Uint8Array): Received[] {
    const skipped = Math.min(this.#skip, data.length);
    this.#skip -= skipped;
    this.#input.push(new Uint8Array(data.subarray(skipped)));
    const messages: Received[] = [];
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      const message = decodeMessage(raw);
      if (message.type === 'setChunkSize') this.#reader.setChunkSize(message.chunkSize);
      messages.push({ ...message, chunkStreamId: raw.chunkStreamId });
    }
    return messages;
  }
}
