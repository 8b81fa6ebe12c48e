import type { RawMessage } from '../chunk/raw-message.js';

/** A raw message without the chunk stream, which is the sender's to choose. */
export type Envelope = Omit<RawMessage, 'chunkStreamId'>;

/** What every message knows of where and when it belongs. */
export interface MessageOrigin {
  /** Message stream id, unsigned 32 bits; 0 is the NetConnection. */
  readonly streamId: number;
  /** Milliseconds, absolute, unsigned 32 bits: wraps after 49.7 days. */
  readonly timestamp: number;
}

export function envelope({ streamId, timestamp }: MessageOrigin, typeId: number, payload: Uint8Array): Envelope {
  return { typeId, streamId, timestamp, payload };
}

/** Protocol control and user control messages belong to no stream and to no time. */
export function controlEnvelope(typeId: number, payload: Uint8Array): Envelope {
  return { typeId, streamId: 0, timestamp: 0, payload };
}
