import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Envelope, MessageOrigin } from './envelope.js';
import { MessageType } from './message-type.js';

/** Section 7.1.6: several messages in one, as FLV tags. The parts are not decoded; their timestamps are absolute. */
export interface AggregateMessage extends MessageOrigin {
  readonly type: 'aggregate';
  readonly parts: readonly Envelope[];
}

/** FLV has bits 24-31 of the timestamp after the other 24. */
const TAG_HEADER_LENGTH = 11;
const ALLOWED: ReadonlySet<number> = new Set([
  MessageType.audio,
  MessageType.video,
  MessageType.dataAmf0,
  MessageType.dataAmf3,
]);

/**
 * Splits the body:
 *
 *     | type 1 | length 3 | timestamp 3 + 1 | stream id 3 | payload | back pointer 4 | type 1 | ...
 *
 * The difference between the timestamps of the aggregate and of its first part is added to every part; stream ids in it are ignored.
 *
 * @throws RtmpError `message.truncated`, `message.aggregate` for a part that is neither audio, video nor data
 */
export function decodeAggregate({ streamId, timestamp, payload }: Envelope): AggregateMessage {
  const reader = new ByteReader(payload, 'message.truncated');
  const parts: Envelope[] = [];
  let shift: number | undefined;
  while (reader.remaining > 0) {
    const typeId = reader.u8();
    if (!ALLOWED.has(typeId)) throw new RtmpError('message.aggregate', `message of type ${typeId} in an aggregate`);
    const length = reader.u24();
    const tagTimestamp = reader.u24() + reader.u8() * 0x1000000;
    reader.u24();
    shift ??= timestamp - tagTimestamp;
    parts.push({ typeId, streamId, timestamp: (tagTimestamp + shift) >>> 0, payload: reader.bytes(length) });
    // The back pointer, which some leave out after the last tag, says nothing new.
    reader.bytes(Math.min(4, reader.remaining));
  }
  return { type: 'aggregate', streamId, timestamp, parts };
}

export function encodeAggregate({ streamId, timestamp, parts }: AggregateMessage): Envelope {
  const writer = new ByteWriter();
  for (const part of parts) {
    writer.u8(part.typeId);
    writer.u24(part.payload.length);
    writer.u24(part.timestamp & 0xffffff);
    writer.u8(part.timestamp >>> 24);
    writer.u24(part.streamId & 0xffffff);
    writer.bytes(part.payload);
    writer.u32(TAG_HEADER_LENGTH + part.payload.length);
  }
  return { typeId: MessageType.aggregate, streamId, timestamp, payload: writer.finish() };
}
