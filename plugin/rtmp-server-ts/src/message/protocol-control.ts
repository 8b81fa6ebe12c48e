import { ByteReader } from '../bytes/byte-reader.js';
import { writeU32 } from '../bytes/integers.js';
import { controlEnvelope, type Envelope } from './envelope.js';
import { MessageType } from './message-type.js';

/** Section 5.4.1. The highest bit must be 0; the chunk reader checks the value. */
export interface SetChunkSizeMessage {
  readonly type: 'setChunkSize';
  readonly chunkSize: number;
}

/** Section 5.4.2. */
export interface AbortMessage {
  readonly type: 'abort';
  readonly chunkStreamId: number;
}

/** Section 5.4.3. Bytes received so far, modulo 2^32. */
export interface AcknowledgementMessage {
  readonly type: 'acknowledgement';
  readonly sequenceNumber: number;
}

/** Section 5.4.4. Bytes after which the receiver is to acknowledge. */
export interface WindowAcknowledgementSizeMessage {
  readonly type: 'windowAcknowledgementSize';
  readonly size: number;
}

/** Section 5.4.5. Bytes that the receiver may send without acknowledgement. */
export interface SetPeerBandwidthMessage {
  readonly type: 'setPeerBandwidth';
  readonly size: number;
  /** 0 hard, 1 soft, 2 dynamic; others are reserved. */
  readonly limitType: number;
}

export type ProtocolControlMessage =
  | SetChunkSizeMessage
  | AbortMessage
  | AcknowledgementMessage
  | WindowAcknowledgementSizeMessage
  | SetPeerBandwidthMessage;

/** Bytes beyond the fields are ignored. @throws RtmpError `message.truncated` */
export function decodeProtocolControl(typeId: number, payload: Uint8Array): ProtocolControlMessage | undefined {
  const reader = new ByteReader(payload, 'message.truncated');
  switch (typeId) {
    case MessageType.setChunkSize:
      return { type: 'setChunkSize', chunkSize: reader.u32() };
    case MessageType.abort:
      return { type: 'abort', chunkStreamId: reader.u32() };
    case MessageType.acknowledgement:
      return { type: 'acknowledgement', sequenceNumber: reader.u32() };
    case MessageType.windowAcknowledgementSize:
      return { type: 'windowAcknowledgementSize', size: reader.u32() };
    case MessageType.setPeerBandwidth:
      return { type: 'setPeerBandwidth', size: reader.u32(), limitType: reader.u8() };
    default:
      return undefined;
  }
}

export function encodeProtocolControl(message: ProtocolControlMessage): Envelope {
  return controlEnvelope(MessageType[message.type], payloadOf(message));
}

function payloadOf(message: ProtocolControlMessage): Uint8Array {
  switch (message.type) {
    case 'setChunkSize':
      return u32(message.chunkSize);
    case 'abort':
      return u32(message.chunkStreamId);
    case 'acknowledgement':
      return u32(message.sequenceNumber);
    case 'windowAcknowledgementSize':
      return u32(message.size);
    case 'setPeerBandwidth':
      return u32(message.size, message.limitType);
  }
}

function u32(value: number, ...more: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + more.length);
  writeU32(bytes, 0, value);
  bytes.set(more, 4);
  return bytes;
}
