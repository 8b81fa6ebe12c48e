import { type AmfObject, type AmfValue, amfProperties } from '../amf/values.js';
import type { RawMessage } from '../chunk/raw-message.js';
import type { RtmpError } from '../errors/rtmp-error.js';
import { type CommandMessage, decodeCommandHead } from '../message/command.js';
import { MessageType } from '../message/message-type.js';
import { readEnhancedCapabilities } from './enhanced-capabilities.js';
import { errorInfo } from './status.js';
import type { ConnectRequest, RpcCall } from './types.js';

type ConnectAnswers = Pick<ConnectRequest, 'accept' | 'reject'>;

/** The connect command (section 7.2.1.1) as a program sees it. Fields of the wrong type count as not sent. */
export function connectRequest({ commandObject, args }: CommandMessage, answers: ConnectAnswers): ConnectRequest {
  const properties: AmfObject = amfProperties(commandObject) ?? {};
  const { audioCodecs, videoCodecs } = properties;
  const enhanced = readEnhancedCapabilities(properties);
  return {
    commandObject: properties,
    app: text(properties.app),
    tcUrl: text(properties.tcUrl),
    flashVer: text(properties.flashVer),
    objectEncoding: properties.objectEncoding === 3 ? 3 : 0,
    ...(typeof audioCodecs === 'number' && { audioCodecs }),
    ...(typeof videoCodecs === 'number' && { videoCodecs }),
    ...(enhanced && { enhanced }),
    args,
    ...answers,
  };
}

export interface RpcAnswers {
  result(transactionId: number, ...values: AmfValue[]): void;
  error(transactionId: number, info: AmfObject): void;
}

/** A call that can be answered once. */
export function rpcCall({ name, transactionId, commandObject, args }: CommandMessage, answers: RpcAnswers): RpcCall {
  let answered = false;
  const once = (answer: () => void) => {
    if (answered) return;
    answer();
    answered = true;
  };
  return {
    name,
    transactionId,
    commandObject,
    args,
    result: (...values) => once(() => answers.result(transactionId, ...values)),
    error: (info) => once(() => answers.error(transactionId, info)),
  };
}

/** Answers a command of whose arguments one cannot be read; any other message has no answer. */
export function refuseUnreadable(raw: RawMessage, { message }: RtmpError, answers: RpcAnswers): void {
  if (raw.typeId !== MessageType.commandAmf0 && raw.typeId !== MessageType.commandAmf3) return;
  const { name, transactionId } = decodeCommandHead(raw);
  answers.error(transactionId, errorInfo('NetConnection.Call.Failed', `${name}: ${message}`));
}

function text(value: AmfValue): string {
  return typeof value === 'string' ? value : '';
}
