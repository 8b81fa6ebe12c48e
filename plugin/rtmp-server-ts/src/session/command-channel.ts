import type { AmfObject, AmfValue } from '../amf/values.js';
import type { CommandMessage } from '../message/command.js';

/** Commands on message stream 0. They are AMF0 whatever the object encoding of the connection: every client reads that. */
export class CommandChannel {
  readonly #send: (command: CommandMessage) => void;

  constructor(send: (command: CommandMessage) => void) {
    this.#send = send;
  }

  call(name: string, transactionId: number, ...args: AmfValue[]): void {
    this.#send(command(name, transactionId, null, args));
  }

  /** Nothing is sent for transaction id 0: no answer is wanted. */
  result(transactionId: number, ...values: AmfValue[]): void {
    if (transactionId !== 0) this.#send(command('_result', transactionId, null, values));
  }

  error(transactionId: number, info: AmfObject): void {
    if (transactionId !== 0) this.#send(command('_error', transactionId, null, [info]));
  }

  /** The answer to connect has its first object in the place of the command object, and is sent even for transaction id 0. */
  connected(transactionId: number, properties: AmfObject, information: AmfObject): void {
    this.#send(command('_result', transactionId, properties, [information]));
  }

  rejected(transactionId: number, information: AmfObject): void {
    this.#send(command('_error', transactionId, null, [information]));
  }
}

export function command(
  name: string,
  transactionId: number,
  commandObject: AmfValue,
  args: readonly AmfValue[],
): CommandMessage {
  return { type: 'command', encoding: 0, streamId: 0, timestamp: 0, name, transactionId, commandObject, args };
}
