import type { Envelope, MessageOrigin } from './envelope.js';
import { MessageType } from './message-type.js';

/**
 * Section 7.1.4. The payload is the body of an FLV audio tag. It stays valid as long as it is held, but may be a slice of the buffer that
 * was read from the socket: copy it to keep it for long without keeping that.
 */
export interface AudioMessage extends MessageOrigin {
  readonly type: 'audio';
  readonly payload: Uint8Array;
}

/** Section 7.1.5. The payload is the body of an FLV video tag; as to its lifetime see {@link AudioMessage}. */
export interface VideoMessage extends MessageOrigin {
  readonly type: 'video';
  readonly payload: Uint8Array;
}

export function encodeMedia({ type, streamId, timestamp, payload }: AudioMessage | VideoMessage): Envelope {
  return { typeId: MessageType[type], streamId, timestamp, payload };
}
