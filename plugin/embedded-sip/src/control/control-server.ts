import { createServer, type Server, type Socket } from 'node:net';
import { ListenError } from '../errors.js';
import type { SipLogger } from '../log.js';
import { type ConnectionParts, ControlConnection } from './connection.js';

interface ControlParts extends Omit<ConnectionParts, 'onClose'> {
  readonly log: SipLogger;
}

/** The port on which applications connect. */
export class ControlServer {
  readonly port: number;
  readonly #server: Server;
  readonly #parts: ControlParts;
  readonly #connections = new Set<ControlConnection>();

  private constructor(server: Server, port: number, parts: ControlParts) {
    this.#server = server;
    this.#parts = parts;
    this.port = port;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', () => undefined);
  }

  /** @throws ListenError */
  static listen(host: string, port: number, parts: ControlParts): Promise<ControlServer> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, keepAlive: true });
      server.once('error', (error) => reject(new ListenError('drachtio control', host, port, error)));
      server.listen({ host, port, exclusive: true }, () => {
        server.removeAllListeners('error');
        const address = server.address();
        resolve(new ControlServer(server, typeof address === 'object' && address ? address.port : port, parts));
      });
    });
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const { log, limits } = this.#parts;
    if (this.#connections.size >= limits.controlConnections) {
      log({ event: 'limit-reached', limit: 'controlConnections', value: limits.controlConnections });
      socket.destroy();
      return;
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    log({ event: 'control-connected', peer });
    const connection: ControlConnection = new ControlConnection(socket, {
      ...this.#parts,
      onClose: (reason) => {
        this.#connections.delete(connection);
        log({ event: 'control-closed', peer, reason });
      },
    });
    this.#connections.add(connection);
  }
}
