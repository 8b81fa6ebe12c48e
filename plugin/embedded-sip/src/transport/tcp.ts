import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { ListenError } from '../errors.js';
import type { SipLogger } from '../log.js';
import type { EmbeddedSipLimits } from '../options.js';
import { isIpv6, isWildcard } from './local-address.js';
import { TcpConnection } from './tcp-connection.js';
import type { Target, TransportEvents } from './types.js';

/** How long a peer may take to accept a connection, in milliseconds. */
const CONNECT_MS = 10_000;

/** SIP over TCP: one listener, and connections in both directions that are reused by remote address and port. */
export class TcpTransport {
  readonly port: number;
  readonly #host: string;
  readonly #server: Server;
  readonly #events: TransportEvents;
  readonly #limits: EmbeddedSipLimits;
  readonly #clock: Clock;
  readonly #log: SipLogger;
  readonly #connections = new Map<string, TcpConnection>();
  readonly #acceptedFrom = new Map<string, number>();
  #closed = false;

  private constructor(server: Server, host: string, port: number, events: TransportEvents, parts: TcpParts) {
    this.#server = server;
    this.#host = host;
    this.port = port;
    this.#events = events;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#log = parts.log;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', () => undefined);
  }

  /** @throws ListenError */
  static bind(host: string, port: number, events: TransportEvents, parts: TcpParts): Promise<TcpTransport> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, keepAlive: true });
      server.once('error', (error) => reject(new ListenError('SIP over TCP', host, port, error)));
      server.listen({ host, port, exclusive: true, ipv6Only: isIpv6(host) }, () => {
        server.removeAllListeners('error');
        const bound = server.address();
        const actual = typeof bound === 'object' && bound ? bound.port : port;
        resolve(new TcpTransport(server, host, actual, events, parts));
      });
    });
  }

  /** Whether a connection with that peer is open. */
  has(address: string, port: number): boolean {
    return this.#connections.has(`${address}|${port}`);
  }

  send(text: string, target: Target): void {
    if (this.#closed) return;
    const key = `${target.address}|${target.port}`;
    const connection = this.#connections.get(key) ?? this.#open(key, target);
    if (connection) connection.send(text);
    else queueMicrotask(() => this.#events.onUnreachable(target));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress;
    const port = socket.remotePort;
    if (this.#closed || address === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= this.#limits.tcpConnections) {
      this.#log({ event: 'limit-reached', limit: 'tcpConnections', value: this.#limits.tcpConnections });
      socket.destroy();
      return;
    }
    const accepted = this.#acceptedFrom.get(address) ?? 0;
    if (accepted >= this.#limits.tcpConnectionsPerAddress) {
      this.#log({ event: 'limit-reached', limit: 'tcpConnectionsPerAddress', value: accepted });
      socket.destroy();
      return;
    }
    this.#acceptedFrom.set(address, accepted + 1);
    socket.once('close', () => this.#left(address));
    this.#adopt(`${address}|${port}`, socket, { protocol: 'tcp', address, port });
  }

  #left(address: string): void {
    const others = (this.#acceptedFrom.get(address) ?? 1) - 1;
    if (others > 0) this.#acceptedFrom.set(address, others);
    else this.#acceptedFrom.delete(address);
  }

  #open(key: string, target: Target): TcpConnection | undefined {
    if (this.#connections.size >= this.#limits.tcpConnections) {
      this.#log({ event: 'limit-reached', limit: 'tcpConnections', value: this.#limits.tcpConnections });
      return undefined;
    }
    const local = isWildcard(this.#host) ? {} : { localAddress: this.#host };
    const socket = connect({ host: target.address, port: target.port, noDelay: true, keepAlive: true, ...local });
    const timer = this.#clock.schedule(CONNECT_MS, () => socket.destroy(new Error('connect timed out')));
    socket.once('connect', () => timer.cancel());
    socket.once('close', () => timer.cancel());
    return this.#adopt(key, socket, target);
  }

  #adopt(key: string, socket: Socket, target: Target): TcpConnection {
    const connection = new TcpConnection(socket, target, {
      limits: this.#limits,
      clock: this.#clock,
      localAddress: this.#host,
      localPort: this.port,
      onMessage: (text, flow) => this.#events.onMessage(text, flow),
      onClose: (reason) => {
        if (this.#connections.get(key) === connection) this.#connections.delete(key);
        if (this.#closed) return;
        if (reason !== undefined) {
          this.#log({ event: 'tcp-closed', reason, peer: `${target.address}:${target.port}` });
        }
        this.#events.onUnreachable(target);
      },
    });
    this.#connections.set(key, connection);
    return connection;
  }
}

export interface TcpParts {
  readonly limits: EmbeddedSipLimits;
  readonly clock: Clock;
  readonly log: SipLogger;
}
