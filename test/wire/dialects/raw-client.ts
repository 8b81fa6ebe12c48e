import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { handshakeBytes, MessageReader, type Received } from '../../support/message-reader.js';

/** Sends recorded bytes and shows what comes back, with the chunk stream it came on. */
export class RawClient {
  readonly received: Received[] = [];
  readonly #socket: Socket;
  readonly #reader = new MessageReader();
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(handshakeBytes - 1)]));
    return new RawClient(socket);
  }

  send(hex: string): void {
    this.#socket.write(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  }

  /** The first message, from the given one on, that `accept` takes. */
  async find(accept: (message: Received) => boolean, from = 0): Promise<Received> {
    for (;;) {
      const found = this.received.slice(from).find(accept);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.received.push(...this.#reader.read(bytes));
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
