import type { AmfValue } from '../amf/values.js';
import type { RawMessage } from '../chunk/raw-message.js';
import type { AmfEncoding } from '../message/amf3-prefix.js';
import type { RtmpMessage } from '../message/message.js';
import { MessageType } from '../message/message-type.js';
import type { StreamChunkIds } from './chunk-stream-ids.js';

/** What a stream needs of its connection to send. */
export interface MessageSink {
  /** Of commands and data. */
  readonly encoding: AmfEncoding;
  send(message: RtmpMessage, chunkStreamId: number): void;
  /** @returns false when the peer reads too slowly. */
  sendMedia(type: 'audio' | 'video', message: RawMessage): boolean;
}

/** What either side sends on a NetStream. */
export class StreamOutput {
  readonly #streamId: number;
  readonly #audioChunkId: number;
  readonly #videoChunkId: number;
  readonly #dataChunkId: number;
  readonly #sink: MessageSink;
  /** Of the last media message: data is in time with it. */
  #timestamp = 0;

  constructor(streamId: number, { audio, video, data }: StreamChunkIds, sink: MessageSink) {
    this.#streamId = streamId;
    this.#audioChunkId = audio;
    this.#videoChunkId = video;
    this.#dataChunkId = data;
    this.#sink = sink;
  }

  /** @returns false when it was dropped. */
  media(type: 'audio' | 'video', timestamp: number, payload: Uint8Array): boolean {
    this.#timestamp = timestamp >>> 0;
    return this.#sink.sendMedia(type, {
      chunkStreamId: type === 'audio' ? this.#audioChunkId : this.#videoChunkId,
      typeId: MessageType[type],
      streamId: this.#streamId,
      timestamp: this.#timestamp,
      payload,
    });
  }

  data(name: string, values: readonly AmfValue[]): void {
    const origin = { streamId: this.#streamId, timestamp: this.#timestamp };
    this.#sink.send({ type: 'data', encoding: this.#sink.encoding, ...origin, name, values }, this.#dataChunkId);
  }

  /** A command that wants no answer, or is answered by a status. */
  command(name: string, args: readonly AmfValue[]): void {
    const origin = { streamId: this.#streamId, timestamp: 0, transactionId: 0, commandObject: null };
    this.#sink.send({ type: 'command', encoding: this.#sink.encoding, ...origin, name, args }, this.#dataChunkId);
  }
}
