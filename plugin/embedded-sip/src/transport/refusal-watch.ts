import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIpv6, isLoopback } from './local-address.js';
import type { Target } from './types.js';

/** Destinations watched at once; the one unused for longest makes room. */
const MAX_WATCHED = 128;

interface Watched {
  readonly socket: Socket;
  readonly target: Target;
  /** Sends that wait until the socket is connected. */
  waiting: (() => void)[] | undefined;
}

/**
 * Learns that nobody listens at a UDP destination. Only a connected socket is told of the ICMP message, so each destination
 * gets a second socket on the SIP port that is connected to it and otherwise idle. The system hands datagrams from that peer
 * to the connected socket, so it receives as well. Only for loopback: further away the message is rarely sent, and sharing
 * the port (SO_REUSEADDR) would let other programs bind it too.
 */
export class RefusalWatch {
  readonly #host: string;
  readonly #port: number;
  readonly #receive: (data: Buffer, remote: RemoteInfo) => void;
  readonly #refused: (target: Target) => void;
  readonly #watched = new Map<string, Watched>();

  constructor(
    host: string,
    port: number,
    receive: (data: Buffer, remote: RemoteInfo) => void,
    refused: (target: Target) => void,
  ) {
    this.#host = host;
    this.#port = port;
    this.#receive = receive;
    this.#refused = refused;
  }

  /** Calls `send` once the destination is watched: at once when it already is. */
  before(target: Target, send: () => void): void {
    const own = target.port === this.#port && target.address === this.#host;
    const key = `${target.address}|${target.port}`;
    const known = this.#watched.get(key);
    if (known) {
      this.#watched.delete(key);
      this.#watched.set(key, known);
    }
    if (own || !isLoopback(target.address)) send();
    else if (!known) this.#watchFirst(key, target, send);
    else if (known.waiting) known.waiting.push(send);
    else send();
  }

  close(): void {
    for (const { socket } of this.#watched.values()) socket.close();
    this.#watched.clear();
  }

  #watchFirst(key: string, target: Target, send: () => void): void {
    if (this.#watched.size >= MAX_WATCHED) this.#forgetOldest();
    const socket = createSocket({ type: isIpv6(this.#host) ? 'udp6' : 'udp4', reuseAddr: true });
    const watched: Watched = { socket, target, waiting: [send] };
    this.#watched.set(key, watched);
    const ready = () => {
      const waiting = watched.waiting ?? [];
      watched.waiting = undefined;
      for (const call of waiting) call();
    };
    socket.on('message', this.#receive);
    socket.on('error', () => {
      // Before it is connected an error means that watching failed (no more descriptors): send unwatched.
      if (watched.waiting) ready();
      else this.#refused(target);
    });
    socket.bind({ address: this.#host, port: this.#port, exclusive: true }, () =>
      socket.connect(target.port, target.address, (error?: Error) => {
        if (error) this.#drop(key, watched);
        ready();
      }),
    );
  }

  #forgetOldest(): void {
    const oldest = this.#watched.entries().next().value;
    if (oldest) this.#drop(oldest[0], oldest[1]);
  }

  #drop(key: string, watched: Watched): void {
    if (this.#watched.get(key) === watched) this.#watched.delete(key);
    watched.socket.close();
  }
}
