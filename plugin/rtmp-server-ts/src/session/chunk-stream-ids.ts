/** Chunk stream of commands on the NetConnection. */
export const CONNECTION_CHUNK_STREAM_ID = 3;

export interface StreamChunkIds {
  readonly audio: number;
  readonly video: number;
  /** Status and data. */
  readonly data: number;
}

/** A chunk stream for each kind of message of each NetStream lets most headers be one or four bytes. */
export function streamChunkIds(streamId: number): StreamChunkIds {
  const first = CONNECTION_CHUNK_STREAM_ID + 1 + 3 * (streamId - 1);
  return { audio: first, video: first + 1, data: first + 2 };
}
