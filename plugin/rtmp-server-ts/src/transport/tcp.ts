import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { Transport, TransportHandler, TransportProtocol } from '../session/transport.js';
import type { DialOptions } from './dial.js';
import type { Target } from './target.js';

/** What of TLS a client may say: whom it trusts, and who it is itself. */
export type ClientTlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'minVersion' | 'maxVersion'
>;

/** Bytes up to which parts are joined before they are written. */
const joinedLength = 1_024;

/** A connected TCP socket, or the inside of TLS, as a session's transport. Each read comes in a buffer of its own, so slices of it stay valid. */
export class TcpTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.protocol = isSecure(socket) ? 'rtmps' : 'rtmp';
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: TransportHandler): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.setNoDelay(true);
    socket.on('data', handler.received.bind(handler));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => handler.closed(failure));
  }

  /** All parts in one system call: as they are, or copied together where that is less work than handing over each. */
  write(parts: readonly Uint8Array[]): void {
    if (!this.#socket.writable) return;
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) {
      this.#socket.write(first);
      return;
    }
    let length = 0;
    for (const part of parts) length += part.length;
    if (length <= joinedLength) {
      this.#socket.write(Buffer.concat(parts, length));
      return;
    }
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** @param tls for TLS @throws the system's error, or that of TLS */
export function dialTcp({ host, port }: Target, { signal }: DialOptions, tls?: ClientTlsOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const opened = () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', reject);
      resolve(new TcpTransport(socket));
    };
    const socket = tls === undefined ? connect({ host, port }, opened) : connectTls({ ...tls, host, port }, opened);
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    socket.on('error', reject);
    signal.addEventListener('abort', abort);
  });
}

export function isSecure(socket: unknown): boolean {
  return socket instanceof TLSSocket;
}

/** @returns 0 for a client behind a proxy: the port is the proxy's */
export function clientPort({ socket }: { readonly socket: Socket }, clientAddress: string): number {
  return plainAddress(socket.remoteAddress ?? '') === clientAddress ? (socket.remotePort ?? 0) : 0;
}

/** An IPv4 client of a socket that listens on both families counts, and is shown, as such. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
