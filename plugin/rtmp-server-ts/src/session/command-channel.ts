import type { AmfObject, AmfValue } from '../amf/values.js';
import type { AmfEncoding } from '../message/amf3-prefix.js';
import type { CommandMessage } from '../message/command.js';

/** Commands on message stream 0. */
export class CommandChannel {
  /** As agreed in the answer to connect, which itself is AMF0 always. */
  encoding: AmfEncoding = 0;
  readonly #send: (command: CommandMessage) => void;

  constructor(send: (command: CommandMessage) => void) {
    this.#send = send;
  }

  call(name: string, transactionId: number, ...args: AmfValue[]): void {
    this.#send(this.command(name, transactionId, null, args));
  }

  /** Nothing is sent for transaction id 0: no answer is wanted. */
  result(transactionId: number, ...values: AmfValue[]): void {
    if (transactionId !== 0) this.#send(this.command('_result', transactionId, null, values));
  }

  error(transactionId: number, info: AmfObject): void {
    if (transactionId !== 0) this.#send(this.command('_error', transactionId, null, [info]));
  }

  /** The answer to connect has its first object in the place of the command object, and is sent even for transaction id 0. */
  connected(transactionId: number, properties: AmfObject, information: AmfObject): void {
    this.#send(this.command('_result', transactionId, properties, [information]));
  }

  rejected(transactionId: number, information: AmfObject): void {
    this.#send(this.command('_error', transactionId, null, [information]));
  }

  command(name: string, transactionId: number, commandObject: AmfValue, args: readonly AmfValue[]): CommandMessage {
    const origin = { streamId: 0, timestamp: 0 };
    return { type: 'command', encoding: this.encoding, ...origin, name, transactionId, commandObject, args };
  }
}
