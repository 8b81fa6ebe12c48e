import type { AmfObject, AmfValue } from '../amf/values.js';
import type { CommandMessage } from '../message/command.js';
import { statusInfo } from './status.js';

/** What the commands that a connection answers itself do to it. */
export interface CommandTarget {
  result(transactionId: number, ...values: AmfValue[]): void;
  push(name: string, ...args: AmfValue[]): void;
  createStream(transactionId: number): void;
  deleteStream(id: number): void;
  unpublish(name: string): void;
  settleCall(answer: CommandMessage): void;
}

type Handler = (target: CommandTarget, command: CommandMessage) => void;

/** Commands that encoders and players send as a matter of form, and what they expect in return. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['createStream', (target, { transactionId }) => target.createStream(transactionId)],
  ['deleteStream', (target, { args: [id] }) => (typeof id === 'number' ? target.deleteStream(id) : undefined)],
  ['getStreamLength', (target, { transactionId }) => target.result(transactionId, 0)],
  ['_checkbw', (target, { transactionId }) => target.result(transactionId)],
  ['releaseStream', (target, { transactionId }) => target.result(transactionId)],
  [
    'FCPublish',
    (target, { transactionId, args: [name] }) => {
      target.result(transactionId);
      target.push('onFCPublish', flashStatus('NetStream.Publish.Start', name));
    },
  ],
  [
    'FCUnpublish',
    (target, { transactionId, args: [name] }) => {
      target.result(transactionId);
      target.push('onFCUnpublish', flashStatus('NetStream.Unpublish.Success', name));
      if (typeof name === 'string') target.unpublish(name);
    },
  ],
  ['_result', (target, command) => target.settleCall(command)],
  ['_error', (target, command) => target.settleCall(command)],
]);

/** @returns false when the command is none of these. */
export function handleConnectionCommand(target: CommandTarget, command: CommandMessage): boolean {
  const handler = HANDLERS.get(command.name);
  handler?.(target, command);
  return handler !== undefined;
}

function flashStatus(code: string, name: AmfValue): AmfObject {
  return statusInfo(code, typeof name === 'string' ? name : '');
}
