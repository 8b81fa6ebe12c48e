import { createServer, type Socket } from 'node:net';
import { type AmfValue, ChunkWriter, type CommandMessage, encodeMessage, type RtmpMessage } from 'rtmp-server-ts';
import { EventLog } from '../../support/event-log.js';
import { handshakeBytes, MessageReader } from '../../support/message-reader.js';
import type { Scope } from '../../support/scope.js';
import { command } from './client.js';

const SUCCESS = { level: 'status', code: 'NetConnection.Connect.Success' };

/** What the server says of itself, from the first byte on: S0, S1 and S2 of a server that does not care. */
export function serverHandshake(): Uint8Array {
  return Uint8Array.of(3, ...new Uint8Array(handshakeBytes - 1));
}

/** Messages as chunks of the initial size, each with a type 0 header. */
export function chunked(...messages: readonly RtmpMessage[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const message of messages) {
    new ChunkWriter().write({ ...encodeMessage(message), chunkStreamId: 3 }, parts);
  }
  return Buffer.concat(parts);
}

export function result(transactionId: number, ...args: AmfValue[]): CommandMessage {
  return command('_result', transactionId, args);
}

export function status(streamId: number, code: string, level = 'status'): CommandMessage {
  return command('onStatus', 0, [{ level, code }], streamId);
}

/** An RTMP server that does what a test tells it, right or wrong, to one client. It does not answer anything by itself. */
export class ScriptedServer {
  readonly port: number;
  /** Everything after the handshake. */
  readonly received = new EventLog<RtmpMessage>('scripted server');
  readonly #sockets: Socket[];

  private constructor(port: number, sockets: Socket[]) {
    this.port = port;
    this.#sockets = sockets;
  }

  static async start(scope: Scope): Promise<ScriptedServer> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.setNoDelay(true).on('error', () => {});
      scripted.#read(socket);
    });
    scope.defer(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    const scripted = new ScriptedServer(port, sockets);
    scope.report(() => scripted.received.tail());
    return scripted;
  }

  get url(): string {
    return `rtmp://127.0.0.1:${this.port}/live`;
  }

  get connections(): number {
    return this.#sockets.length;
  }

  write(bytes: Uint8Array): void {
    this.#sockets.at(-1)?.write(bytes);
  }

  send(...messages: readonly RtmpMessage[]): void {
    this.write(chunked(...messages));
  }

  /** Ends the connection, in order or by a reset. */
  end(how: 'end' | 'reset' = 'end'): void {
    if (how === 'end') this.#sockets.at(-1)?.end();
    else this.#sockets.at(-1)?.resetAndDestroy();
  }

  async connected(): Promise<void> {
    for (let attempt = 0; attempt < 1000 && this.#sockets.length === 0; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The client's command of this name. */
  command(name: string): Promise<CommandMessage> {
    const isIt = (message: RtmpMessage) => message.type === 'command' && message.name === name;
    return this.received.find(name, isIt) as Promise<CommandMessage>;
  }

  /** Handshake and connect. @param more sent together with the answer */
  async accept(...more: readonly RtmpMessage[]): Promise<void> {
    await this.connected();
    this.write(serverHandshake());
    await this.command('connect');
    this.send(result(1, SUCCESS), ...more);
  }

  #read(socket: Socket): void {
    const reader = new MessageReader();
    socket.on('data', (data) => {
      for (const message of reader.read(data)) this.received.push(message);
    });
  }
}
