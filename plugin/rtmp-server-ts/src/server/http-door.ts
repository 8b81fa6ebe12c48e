import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';

export interface HttpDoorHandler {
  request(request: IncomingMessage, response: ServerResponse): void;
  /** From now on the socket is the handler's. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Something was refused; the socket is being closed. */
  refused(error: RtmpError, socket: Socket): void;
}

/** Enough for the headers of browsers and proxies. */
const MAX_HEADER_SIZE = 8 * 1024;

/** HTTP on sockets that are open already. Its time limit holds between requests, and for the arrival of each. */
export class HttpDoor {
  readonly #server = createServer({ maxHeaderSize: MAX_HEADER_SIZE, keepAliveTimeout: 0, requestTimeout: 0 });
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #handler: HttpDoorHandler;
  /** Of the sockets from which a request is awaited. */
  readonly #timers = new Map<Socket, unknown>();

  /** @param timeout milliseconds */
  constructor(clock: Clock, timeout: number, handler: HttpDoorHandler) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#handler = handler;
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      this.#stopWaiting(request.socket);
      handler.upgrade(request, socket, head);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // The other errors are those of the connection, which tell nothing.
      if (error.code?.startsWith('HPE_')) this.#badRequest(socket as Socket, error);
      else socket.destroy();
    });
  }

  enter(socket: Socket): void {
    socket.on('close', () => this.#stopWaiting(socket));
    this.#await(socket, () => this.#handler.refused(new RtmpError('http.timeout', 'no whole request in time'), socket));
    this.#server.emit('connection', socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    let answered = false;
    // The end of a body that nobody wanted comes after the answer.
    request.on('end', () => answered || this.#stopWaiting(socket));
    response.on('close', () => {
      answered = true;
      // A connection that was of use is closed without a word.
      this.#await(socket, () => {});
    });
    this.#handler.request(request, response);
  }

  #badRequest(socket: Socket, cause: Error): void {
    // The parser complains of each further piece of the same request too.
    if (!socket.writable) return;
    this.#handler.refused(new RtmpError('http.request', `not an HTTP request: ${cause.message}`, { cause }), socket);
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  }

  #await(socket: Socket, timedOut: () => void): void {
    this.#stopWaiting(socket);
    if (socket.destroyed) return;
    const ring = () => {
      timedOut();
      socket.destroy();
    };
    this.#timers.set(socket, this.#clock.setTimeout(ring, this.#timeout));
  }

  #stopWaiting(socket: Socket): void {
    this.#clock.clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }
}
