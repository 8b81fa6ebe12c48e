/** What the reader remembers of one chunk stream: the last header, for those that leave fields out, and the message in progress. */
export class ChunkStream {
  readonly id: number;
  timestamp = 0;
  timestampDelta = 0;
  length = 0;
  typeId = 0;
  streamId = 0;
  /** The extended timestamp field of the last header of type 0-2, if it had one. */
  extended: number | undefined;
  /** The message in progress, as long as it will be; undefined between messages. */
  payload: Uint8Array | undefined;
  received = 0;

  constructor(id: number) {
    this.id = id;
  }
}
