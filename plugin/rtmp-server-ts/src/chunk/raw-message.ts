/** A message as chunks carry it: the header fields and the payload, not looked at. */
export interface RawMessage {
  /** Chunk stream id, 2-65599. Matters for the header's compression only. */
  readonly chunkStreamId: number;
  /** Message type id, 0-255. */
  readonly typeId: number;
  /** Message stream id, unsigned 32 bits; 0 is the NetConnection. */
  readonly streamId: number;
  /** Milliseconds, absolute, unsigned 32 bits: wraps after 49.7 days. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}
