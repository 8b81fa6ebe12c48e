import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RtmpError, RtmpErrorCode } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { RtmpeType } from '../handshake/constants.js';
import { type Clock, systemClock } from '../session/clock.js';
import { DEFAULT_RTMP_LIMITS, type RtmpLimits, resolveLimits } from '../session/limits.js';
import { type ConnectionHost, NetConnection } from '../session/net-connection.js';
import type { Transport } from '../session/transport.js';
import type { RtmpSession, SessionCloseReason } from '../session/types.js';
import { Origins } from '../transport/origins.js';
import { httpPolicyFile, socketPolicyFile } from '../transport/policy-file.js';
import { plainAddress, TcpTransport } from '../transport/tcp.js';
import { TrustedProxies } from '../transport/trusted-proxies.js';
import { TunnelRequests } from '../transport/tunnel-requests.js';
import { rejectUpgrade, WebSocketUpgrade } from '../transport/web-socket.js';
import { Admission } from './admission.js';
import { RtmpCounters } from './counters.js';
import { FrontDoor } from './front-door.js';
import { HttpDoor } from './http-door.js';
import { ListeningPort, type ListenOptions } from './listening-port.js';
import type { RtmpLogEvent } from './log-event.js';

export interface RtmpServerOptions {
  /** Those not given are as in DEFAULT_RTMP_LIMITS. */
  readonly limits?: Partial<RtmpLimits>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** `fmsVer` of the answer to connect. Default `FMS/3,5,1,525`. */
  readonly fmsVersion?: string;
  /** The type that RTMPE is answered with, which the client follows. Default: the one that it asks for. */
  readonly rtmpeType?: RtmpeType;
  /**
   * Whose web pages may connect, such as `https://phone.example.com`, or `*` for all: to be found in WebSocket requests, and told to Flash
   * Player in policy files. Default: for WebSocket the host that the request is for; in policy files nobody.
   */
  readonly origins?: readonly string[];
  /**
   * Addresses (`10.0.0.7`) and networks (`10.0.0.0/8`) of HTTP proxies whose X-Forwarded-For is believed: RTMPT and WebSocket through them
   * count, and are shown, as from the client's address, and the limit for one address does not hold for them. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  readonly logger?: (event: RtmpLogEvent) => void;
}

export type RtmpServerEvents = {
  /** A client has finished the handshake. Its connect command comes after the listeners have returned. */
  connection: [session: RtmpSession];
  /** A listening socket failed after listen(). */
  error: [error: Error];
};

/** RTMP over TCP, TLS, WebSocket and HTTP tunnels, on the same port. */
export class RtmpServer extends TypedEmitter<RtmpServerEvents> {
  readonly #limits: RtmpLimits;
  readonly #clock: Clock;
  readonly #origins: Origins;
  readonly #proxies: TrustedProxies;
  readonly #logger: (event: RtmpLogEvent) => void;
  readonly #counters = new RtmpCounters();
  readonly #admission: Admission;
  readonly #frontDoor: FrontDoor;
  readonly #httpDoor: HttpDoor;
  readonly #webSocketUpgrade: WebSocketUpgrade;
  readonly #tunnelRequests: TunnelRequests;
  readonly #ports = new Set<ListeningPort>();
  readonly #sockets = new Set<Duplex>();
  readonly #sessions = new Set<RtmpSession>();
  readonly #host: ConnectionHost;
  /** Called when the last session is gone, after close(); from then on until listen() nobody is let in. */
  #drained: (() => void) | undefined;

  /** @throws RangeError for a limit that is unknown or not above 0, for an origin or a trusted proxy that is none */
  constructor(options: RtmpServerOptions = {}) {
    super();
    const { clock = systemClock, fmsVersion = 'FMS/3,5,1,525', rtmpeType, logger = () => {} } = options;
    this.#limits = resolveLimits(DEFAULT_RTMP_LIMITS, options.limits);
    this.#clock = clock;
    this.#origins = new Origins(options.origins);
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#logger = logger;
    this.#admission = new Admission(this.#limits, (address) => this.#proxies.has(address));
    this.#host = {
      clock,
      limits: this.#limits,
      fmsVersion,
      rtmpeType,
      handshakeDone: (session) => this.emit('connection', session),
      refused: (session, code, message, cause) =>
        this.#refused(code, message, session.remoteAddress, session.id, cause),
      closed: (session, reason) => this.#closed(session, reason),
    };
    this.#webSocketUpgrade = new WebSocketUpgrade(this.#limits.webSocketMessageSize);
    this.#tunnelRequests = new TunnelRequests({
      clock,
      limits: this.#limits,
      admit: (address) => this.#admitAddress(address),
      released: (address) => this.#admission.release(address),
      clientAddress: (request) => this.#proxies.clientAddress(request),
      opened: (transport) => this.#open(transport, clock.now()),
      refused: (error, address) => this.#refused(error.code, error.message, address),
    });
    this.#httpDoor = new HttpDoor(clock, this.#limits.httpTimeout, {
      request: (request, response) => this.#request(request, response),
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      refused: (error, socket) => this.#refusedSocket(error, socket),
    });
    this.#frontDoor = new FrontDoor(clock, this.#limits.handshakeTimeout, {
      rtmp: (socket, enteredAt) => this.#open(new TcpTransport(socket), enteredAt),
      http: (socket) => this.#httpDoor.enter(socket),
      policyFile: () => socketPolicyFile(this.#origins.domains, this.#portNumbers()),
      refused: (error, socket) => this.#refusedSocket(error, socket),
    });
  }

  /** All connections that have begun to speak RTMP, those in their handshake included. */
  get sessions(): ReadonlySet<RtmpSession> {
    return this.#sessions;
  }

  /** `sessions.accepted`, `sessions.refused`, `sessions.closed`, and how often each error code occurred. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters.values;
  }

  /**
   * May be called more than once, for several ports.
   * @returns the address and port that are listened on
   * @throws the system's error, e.g. with code EADDRINUSE; RtmpError `tls.certificate`
   */
  async listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    const port = await ListeningPort.open(options, this.#clock, this.#limits.handshakeTimeout, {
      admit: (socket) => {
        const admitted = this.#admit(socket, socket);
        if (!admitted) socket.destroy();
        return admitted;
      },
      connected: (socket) => this.#frontDoor.enter(socket),
      refused: (error, socket) => this.#refusedSocket(error, socket),
      failed: (error) => {
        this.#log({ event: 'server.error', error });
        this.emit('error', error);
      },
    });
    this.#ports.add(port);
    this.#drained = undefined;
    return port.address;
  }

  /**
   * RTMP over WebSocket on an HTTP server of the program: takes over its `upgrade` event, or those of a path. The connection counts as one of
   * this server's; it is answered with 403 when the origin is not allowed, 503 when a limit is passed, 400 when it is no WebSocket request.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#admit(socket, request.socket)) this.#upgrade(request, socket, head);
    else rejectUpgrade(socket, '503 Service Unavailable');
  }

  /** Stops listening and closes every session; resolves when all are gone, after at most `closeTimeout`. */
  async close(): Promise<void> {
    const stopped = [...this.#ports].map((port) => port.close());
    this.#ports.clear();
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    for (const session of [...this.#sessions]) session.close('the server is closing');
    if (this.#sessions.size > 0) await drained;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(stopped);
  }

  /** A `connection` listener that fails costs that session, nothing else. */
  protected override listenerFailed(error: unknown, event: string, [session]: readonly unknown[]): void {
    if (session instanceof NetConnection) session.reportListenerFailure(error, event);
    else this.#refused('server.listener', `a listener of ${event} failed`, '', undefined, error);
  }

  /** @param peer knows the address */
  #admit(socket: Duplex, peer: Socket): boolean {
    const address = plainAddress(peer.remoteAddress ?? '');
    socket.on('error', () => {});
    if (!this.#admitAddress(address)) return false;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#admission.release(address);
    });
    return true;
  }

  #admitAddress(address: string): boolean {
    const refusal = this.#admission.admit(address);
    if (refusal === undefined) return true;
    this.#counters.count('sessions.refused');
    this.#refused(refusal.code, refusal.message, address);
    return false;
  }

  #open(transport: Transport, openedAt: number): void {
    const session = new NetConnection(transport, this.#host);
    this.#counters.count('sessions.accepted');
    this.#sessions.add(session);
    const { id: sessionId, protocol, remoteAddress, remotePort } = session;
    this.#log({ event: 'session.opened', sessionId, protocol, remoteAddress, remotePort });
    session.start(openedAt);
    if (this.#drained !== undefined) session.close('the server is closing');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = this.#proxies.clientAddress(request);
    if (!this.#origins.allows(request)) {
      this.#refused('websocket.origin', `WebSocket from ${request.headers.origin}`, address);
      rejectUpgrade(socket, '403 Forbidden');
      return;
    }
    if (address !== plainAddress(request.socket.remoteAddress ?? '')) {
      if (!this.#admitAddress(address)) {
        rejectUpgrade(socket, '503 Service Unavailable');
        return;
      }
      socket.on('close', () => this.#admission.release(address));
    }
    this.#webSocketUpgrade.upgrade(request, socket, head, address, {
      opened: (transport) => this.#open(transport, this.#clock.now()),
      refused: ({ code, message, cause }) => this.#refused(code, message, address, undefined, cause),
    });
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#origins.answerPreflight(request, response)) return;
    if (this.#tunnelRequests.handle(request, response)) return;
    const { method, url } = request;
    if (method === 'GET' && url === '/crossdomain.xml') {
      response.setHeader('Content-Type', 'text/x-cross-domain-policy');
      response.end(httpPolicyFile(this.#origins.domains));
      return;
    }
    // Flash Player asks for /fcs/ident2 first; without an answer it keeps to the address that it has, and to the connection.
    const connection = url?.startsWith('/fcs/') ? {} : { Connection: 'close' };
    response.writeHead(404, { 'Content-Length': 0, ...connection });
    response.end();
  }

  #portNumbers(): number[] {
    return [...this.#ports].map(({ address }) => address.port);
  }

  #closed(session: RtmpSession, reason: SessionCloseReason): void {
    const { id: sessionId, remoteAddress } = session;
    this.#sessions.delete(session);
    this.#counters.count('sessions.closed');
    this.#counters.count(reason.code);
    this.#log({ event: 'session.closed', sessionId, remoteAddress, reason });
    if (this.#sessions.size === 0) this.#drained?.();
  }

  #refusedSocket({ code, message, cause }: RtmpError, socket?: Socket): void {
    this.#refused(code, message, plainAddress(socket?.remoteAddress ?? ''), undefined, cause);
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
