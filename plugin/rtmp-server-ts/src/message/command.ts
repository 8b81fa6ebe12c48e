import { Amf0Decoder } from '../amf/amf0-decoder.js';
import type { AmfLimits } from '../amf/limits.js';
import type { AmfValue } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { type AmfEncoding, encodeValues, withoutPrefix } from './amf3-prefix.js';
import { type Envelope, envelope, type MessageOrigin } from './envelope.js';
import { MessageType } from './message-type.js';

/** Section 7.1.1: a call (a name and a transaction id), or the answer to one (`_result` or `_error` and the id of the call). */
export interface CommandMessage extends MessageOrigin {
  readonly type: 'command';
  readonly encoding: AmfEncoding;
  readonly name: string;
  /** 0 when no answer is wanted. */
  readonly transactionId: number;
  readonly commandObject: AmfValue;
  readonly args: readonly AmfValue[];
}

export type CommandHead = Pick<CommandMessage, 'name' | 'transactionId'>;

/** @throws RtmpError `message.command` without a name, `amf.*` */
export function decodeCommand(raw: Envelope, encoding: AmfEncoding, limits?: AmfLimits): CommandMessage {
  const decoder = new Amf0Decoder(withoutPrefix(raw.payload, encoding), limits);
  const { name, transactionId } = decodeHead(decoder);
  const [commandObject = null, ...args] = decoder.rest();
  const { streamId, timestamp } = raw;
  return { type: 'command', encoding, streamId, timestamp, name, transactionId, commandObject, args };
}

/** Name and transaction id only: enough to refuse a command whose arguments cannot be read. @throws as {@link decodeCommand} */
export function decodeCommandHead(raw: Envelope): CommandHead {
  return decodeHead(new Amf0Decoder(withoutPrefix(raw.payload, raw.typeId === MessageType.commandAmf3 ? 3 : 0)));
}

/** @throws RtmpError `amf.*` */
export function encodeCommand(message: CommandMessage): Envelope {
  const { encoding, name, transactionId, commandObject, args } = message;
  const typeId = encoding === 3 ? MessageType.commandAmf3 : MessageType.commandAmf0;
  return envelope(message, typeId, encodeValues([name, transactionId, commandObject, ...args], encoding));
}

function decodeHead(decoder: Amf0Decoder): CommandHead {
  const name = decoder.done ? undefined : decoder.next();
  if (typeof name !== 'string')
    throw new RtmpError('message.command', `command name is ${typeof name}, it must be a string`);
  // Some clients send a command that wants no answer without a transaction id, or with null.
  const transactionId = decoder.done ? 0 : decoder.next();
  return { name, transactionId: typeof transactionId === 'number' ? transactionId : 0 };
}
