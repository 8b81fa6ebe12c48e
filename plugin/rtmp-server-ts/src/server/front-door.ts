import type { Socket } from 'node:net';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';
import { type FirstBytes, tellFirstBytes } from '../transport/first-bytes.js';

export interface FrontDoorHandler {
  /** @param enteredAt when the connection began, by the clock */
  rtmp(socket: Socket, enteredAt: number): void;
  http(socket: Socket): void;
  /** What to answer to a Flash socket policy request. */
  policyFile(): string;
  /** The socket is being closed. */
  refused(error: RtmpError, socket: Socket): void;
}

/** Waits for a connection's first bytes and leads it where they belong, those bytes included. */
export class FrontDoor {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #handler: FrontDoorHandler;

  /** @param timeout milliseconds for the first bytes */
  constructor(clock: Clock, timeout: number, handler: FrontDoorHandler) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#handler = handler;
  }

  enter(socket: Socket): void {
    const enteredAt = this.#clock.now();
    let received = Buffer.alloc(0);
    const leave = () => {
      this.#clock.clearTimeout(timer);
      socket.off('close', leave).off('data', read);
    };
    const read = (data: Buffer) => {
      received = Buffer.concat([received, data]);
      const first = tellFirstBytes(received);
      if (first === 'undecided') return;
      leave();
      this.#lead(socket, first, received, enteredAt);
    };
    const timer = this.#clock.setTimeout(() => {
      leave();
      this.#refuse(
        socket,
        new RtmpError('handshake.timeout', `nothing to tell the protocol by in ${this.#timeout} ms`),
      );
    }, this.#timeout);
    socket.on('error', ignore);
    socket.on('close', leave).on('data', read);
  }

  #lead(socket: Socket, first: Exclude<FirstBytes, 'undecided'>, received: Buffer, enteredAt: number): void {
    switch (first) {
      case 'rtmp':
        handOver(socket, received, () => this.#handler.rtmp(socket, enteredAt));
        return;
      case 'http':
        handOver(socket, received, () => this.#handler.http(socket));
        return;
      case 'policy':
        socket.end(this.#handler.policyFile());
        // The other side may keep its half open.
        socket.on('finish', () => socket.destroySoon());
        return;
      case 'tls':
        this.#refuse(socket, new RtmpError('handshake.tls', 'TLS on a port, or in a connection, that has none'));
        return;
      case 'unknown':
        this.#refuse(
          socket,
          new RtmpError('handshake.version', `first byte ${received[0]} is of no protocol known here`),
        );
    }
  }

  #refuse(socket: Socket, error: RtmpError): void {
    this.#handler.refused(error, socket);
    socket.destroy();
  }
}

/** What became of the socket shows in `close`. Outside of any function, whose variables it would keep as long as the socket. */
const ignore = (): void => {};

/** Lets the next reader read what was read already. */
function handOver(socket: Socket, received: Buffer, take: () => void): void {
  socket.pause();
  socket.unshift(received);
  take();
  socket.resume();
}
