import { RtmpError } from '../errors/rtmp-error.js';
import type { CommandMessage } from '../message/command.js';

/** Commands that a client sends before its connect command is answered. */
export class CommandBacklog {
  readonly #limits: { readonly commandBacklog: number; readonly commandBacklogBytes: number };
  #commands: CommandMessage[] = [];
  #bytes = 0;

  constructor(limits: { readonly commandBacklog: number; readonly commandBacklogBytes: number }) {
    this.#limits = limits;
  }

  /** @param size bytes of the message */
  add(command: CommandMessage, size: number): void {
    this.#commands.push(command);
    this.#bytes += size;
    const { commandBacklog, commandBacklogBytes } = this.#limits;
    if (this.#commands.length > commandBacklog || this.#bytes > commandBacklogBytes) {
      const allowed = `${commandBacklog} or ${commandBacklogBytes} bytes`;
      throw new RtmpError('connect.backlog', `more commands than ${allowed} before connect was answered`);
    }
  }

  takeAll(): CommandMessage[] {
    const commands = this.#commands;
    this.#commands = [];
    this.#bytes = 0;
    return commands;
  }
}
