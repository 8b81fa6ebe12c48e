import { createServer, type Server, type Socket } from 'node:net';
import type { RtmpErrorCode } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import { type Clock, systemClock } from '../session/clock.js';
import { type RtmpLimits, resolveLimits } from '../session/limits.js';
import { type ConnectionHost, NetConnection } from '../session/net-connection.js';
import type { RtmpSession, SessionCloseReason } from '../session/types.js';
import { plainAddress, TcpTransport } from '../transport/tcp.js';
import { RtmpCounters } from './counters.js';
import type { RtmpLogEvent } from './log-event.js';

export interface RtmpServerOptions {
  /** Those not given are as in DEFAULT_RTMP_LIMITS. */
  readonly limits?: Partial<RtmpLimits>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** `fmsVer` of the answer to connect. Default `FMS/3,5,1,525`. */
  readonly fmsVersion?: string;
  readonly logger?: (event: RtmpLogEvent) => void;
}

export type RtmpServerEvents = {
  /** A client has finished the handshake. Its connect command comes after the listeners have returned. */
  connection: [session: RtmpSession];
  /** The listening socket failed after listen(). */
  error: [error: Error];
};

/** RTMP over TCP. */
export class RtmpServer extends TypedEmitter<RtmpServerEvents> {
  readonly #limits: RtmpLimits;
  readonly #logger: (event: RtmpLogEvent) => void;
  readonly #counters = new RtmpCounters();
  readonly #sessions = new Set<RtmpSession>();
  readonly #perAddress = new Map<string, number>();
  readonly #host: ConnectionHost;
  readonly #server: Server;
  /** Called when the last session is gone, after close(). */
  #drained: (() => void) | undefined;

  /** @throws RangeError for a limit that is unknown or not above 0 */
  constructor(options: RtmpServerOptions = {}) {
    super();
    const { clock = systemClock, fmsVersion = 'FMS/3,5,1,525', logger = () => {} } = options;
    this.#limits = resolveLimits(options.limits);
    this.#logger = logger;
    this.#host = {
      clock,
      limits: this.#limits,
      fmsVersion,
      handshakeDone: (session) => this.emit('connection', session),
      refused: (session, code, message, cause) =>
        this.#refused(code, message, session.remoteAddress, session.id, cause),
      closed: (session, reason) => this.#closed(session, reason),
    };
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** All connections, those in their handshake included. */
  get sessions(): ReadonlySet<RtmpSession> {
    return this.#sessions;
  }

  /** `sessions.accepted`, `sessions.refused`, `sessions.closed`, and how often each error code occurred. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters.values;
  }

  /**
   * @param options port 0 takes a free one
   * @returns the address and port that are listened on
   * @throws the system's error, e.g. with code EADDRINUSE
   */
  listen({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number }> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => {
          this.#log({ event: 'server.error', error });
          this.emit('error', error);
        });
        const address = server.address();
        resolve(
          typeof address === 'object' && address !== null
            ? { host: address.address, port: address.port }
            : { host, port },
        );
      });
    });
  }

  /** Stops listening and closes every session; resolves when all are gone, after at most `closeTimeout`. */
  async close(): Promise<void> {
    const stopped = this.#server.listening ? new Promise((resolve) => this.#server.close(resolve)) : undefined;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    for (const session of [...this.#sessions]) session.close('the server is closing');
    if (this.#sessions.size > 0) await drained;
    await stopped;
  }

  /** A `connection` listener that fails costs that session, nothing else. */
  protected override listenerFailed(error: unknown, event: string, [session]: readonly unknown[]): void {
    if (session instanceof NetConnection) session.reportListenerFailure(error, event);
    else this.#refused('server.listener', `a listener of ${event} failed`, '', undefined, error);
  }

  #accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const refusal = this.#refusal(address);
    if (refusal !== undefined) {
      this.#counters.count('sessions.refused');
      this.#refused(refusal.code, refusal.message, address);
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const session = new NetConnection(new TcpTransport(socket), this.#host);
    this.#counters.count('sessions.accepted');
    this.#sessions.add(session);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    const { id: sessionId, remoteAddress, remotePort } = session;
    this.#log({ event: 'session.opened', sessionId, remoteAddress, remotePort });
    session.start();
  }

  #refusal(address: string): { code: RtmpErrorCode; message: string } | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#sessions.size >= connections) {
      return { code: 'server.connections', message: `${connections} connections are open` };
    }
    if ((this.#perAddress.get(address) ?? 0) >= connectionsPerAddress) {
      return {
        code: 'server.connections-per-address',
        message: `${connectionsPerAddress} connections from ${address} are open`,
      };
    }
    return undefined;
  }

  #closed(session: RtmpSession, reason: SessionCloseReason): void {
    const { id: sessionId, remoteAddress } = session;
    this.#sessions.delete(session);
    const left = (this.#perAddress.get(remoteAddress) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(remoteAddress, left);
    else this.#perAddress.delete(remoteAddress);
    this.#counters.count('sessions.closed');
    this.#counters.count(reason.code);
    this.#log({ event: 'session.closed', sessionId, remoteAddress, reason });
    if (this.#sessions.size === 0) this.#drained?.();
  }

  #refused(code: RtmpErrorCode, message: string, remoteAddress: string, sessionId?: string, cause?: unknown): void {
    this.#counters.count(code);
    this.#log({
      event: 'refused',
      remoteAddress,
      code,
      message,
      ...(sessionId !== undefined && { sessionId }),
      ...(cause !== undefined && { cause }),
    });
  }

  /** A logger that fails is no reason to fail a client. */
  #log(event: RtmpLogEvent): void {
    try {
      this.#logger(event);
    } catch {
      this.#counters.count('server.listener');
    }
  }
}
