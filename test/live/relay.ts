import { connect, createServer, type Socket } from 'node:net';
import { freePort, loopback } from '../support/ports.js';
import type { Scope } from '../support/scope.js';
import type { LiveSettings } from './settings.js';

/** Stands between the gateway and the server's control port: the connection can fail while the server goes on. */
export class Relay {
  readonly port: number;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.port = port;
  }

  static async open(scope: Scope, { host, port }: LiveSettings): Promise<Relay> {
    const relay = new Relay(await freePort());
    const server = createServer((near) => {
      const far = connect(port, host);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) relay.#keep(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(relay.port, loopback, resolve);
    });
    scope.defer(() => {
      server.close();
      relay.cut();
    });
    return relay;
  }

  /** Ends the connections that there are; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // A reset is one of the ways to end.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
    });
  }
}
