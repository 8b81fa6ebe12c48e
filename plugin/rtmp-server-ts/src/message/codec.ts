import type { AmfLimits } from '../amf/limits.js';
import { decodeAggregate, encodeAggregate } from './aggregate.js';
import { decodeCommand, encodeCommand } from './command.js';
import { decodeData, encodeData } from './data.js';
import type { Envelope } from './envelope.js';
import { encodeMedia } from './media.js';
import type { RtmpMessage } from './message.js';
import { MessageType } from './message-type.js';
import { decodeProtocolControl, encodeProtocolControl } from './protocol-control.js';
import { decodeUserControl, encodeUserControl } from './user-control.js';

/** @throws RtmpError with a code `message.*` or `amf.*`, and nothing else, whatever the payload */
export function decodeMessage(raw: Envelope, amfLimits?: AmfLimits): RtmpMessage {
  const { typeId, streamId, timestamp, payload } = raw;
  switch (typeId) {
    case MessageType.audio:
      return { type: 'audio', streamId, timestamp, payload };
    case MessageType.video:
      return { type: 'video', streamId, timestamp, payload };
    case MessageType.userControl:
      return decodeUserControl(payload);
    case MessageType.commandAmf0:
      return decodeCommand(raw, 0, amfLimits);
    case MessageType.commandAmf3:
      return decodeCommand(raw, 3, amfLimits);
    case MessageType.dataAmf0:
      return decodeData(raw, 0, amfLimits);
    case MessageType.dataAmf3:
      return decodeData(raw, 3, amfLimits);
    case MessageType.aggregate:
      return decodeAggregate(raw);
    default:
      return decodeProtocolControl(typeId, payload) ?? { type: 'unknown', typeId, streamId, timestamp, payload };
  }
}

/** @throws RtmpError with a code `amf.*` for a value that cannot be encoded */
export function encodeMessage(message: RtmpMessage): Envelope {
  switch (message.type) {
    case 'audio':
    case 'video':
      return encodeMedia(message);
    case 'userControl':
      return encodeUserControl(message);
    case 'command':
      return encodeCommand(message);
    case 'data':
      return encodeData(message);
    case 'aggregate':
      return encodeAggregate(message);
    case 'unknown': {
      const { typeId, streamId, timestamp, payload } = message;
      return { typeId, streamId, timestamp, payload };
    }
    default:
      return encodeProtocolControl(message);
  }
}
