import { Amf0Decoder } from '../amf/amf0-decoder.js';
import type { AmfLimits } from '../amf/limits.js';
import type { AmfValue } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { type AmfEncoding, encodeValues, withoutPrefix } from './amf3-prefix.js';
import { type Envelope, envelope, type MessageOrigin } from './envelope.js';
import { MessageType } from './message-type.js';

/** Section 7.1.2: metadata and NetStream.send(), a handler's name and values for it, in time with the media. */
export interface DataMessage extends MessageOrigin {
  readonly type: 'data';
  readonly encoding: AmfEncoding;
  /** `@setDataFrame` is handed on as the name, with the name of the frame, usually `onMetaData`, as the first value. */
  readonly name: string;
  readonly values: readonly AmfValue[];
}

/** @throws RtmpError `message.data` without a name, `amf.*` */
export function decodeData(raw: Envelope, encoding: AmfEncoding, limits?: AmfLimits): DataMessage {
  const [name, ...values] = new Amf0Decoder(withoutPrefix(raw.payload, encoding), limits).rest();
  if (typeof name !== 'string') throw new RtmpError('message.data', `data name is ${typeof name}, it must be a string`);
  return { type: 'data', encoding, streamId: raw.streamId, timestamp: raw.timestamp, name, values };
}

/** @throws RtmpError `amf.*` */
export function encodeData(message: DataMessage): Envelope {
  const { encoding, name, values } = message;
  const typeId = encoding === 3 ? MessageType.dataAmf3 : MessageType.dataAmf0;
  return envelope(message, typeId, encodeValues([name, ...values], encoding));
}
