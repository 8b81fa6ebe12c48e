import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';
import { type CertificateFiles, CertificateWatch, readCertificate } from '../transport/certificate.js';

export interface TlsOptions extends CertificateFiles {
  /**
   * Default TLSv1.2: librtmp with GnuTLS, as in Debian's rtmpdump, takes the session tickets that come unasked in TLS 1.3 for
   * the end of the connection.
   */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM files, for TLS. They are looked at every 10 s; when they have changed, connections made from then on get the new certificate. */
  readonly tls?: TlsOptions;
}

export interface ListeningPortHandler {
  /** @returns whether a new connection may stay */
  admit(socket: Socket): boolean;
  /** A connection can be read; through TLS the socket is the one within. */
  connected(socket: Socket): void;
  /** A connection, or a certificate (then without a socket), was refused. */
  refused(error: RtmpError, socket?: Socket): void;
  failed(error: Error): void;
}

/** One listening socket, with TLS or without. */
export class ListeningPort {
  readonly #server: Server;
  readonly #handler: ListeningPortHandler;
  #watch: CertificateWatch | undefined;

  private constructor(handler: ListeningPortHandler, enter: (socket: Socket) => void) {
    this.#handler = handler;
    this.#server = createServer((socket) => {
      if (handler.admit(socket)) enter(socket);
    });
  }

  /**
   * @param timeout milliseconds for the TLS handshake
   * @throws the system's error, e.g. with code EADDRINUSE; RtmpError `tls.certificate`
   */
  static async open(
    { host, port, tls }: ListenOptions,
    clock: Clock,
    timeout: number,
    handler: ListeningPortHandler,
  ): Promise<ListeningPort> {
    if (tls === undefined) {
      const listening = new ListeningPort(handler, (socket) => handler.connected(socket));
      await listening.#listen(host, port);
      return listening;
    }
    const { maxVersion = 'TLSv1.2' } = tls;
    const certificate = await readCertificate(tls);
    const secure = createTlsServer({ ...certificate, maxVersion, handshakeTimeout: timeout });
    const listening = new ListeningPort(handler, (socket) => secure.emit('connection', socket));
    listening.#serveTls(secure);
    await listening.#listen(host, port);
    listening.#watch = new CertificateWatch(tls, certificate, clock, {
      renewed: (renewed) => secure.setSecureContext({ ...renewed, maxVersion }),
      failed: (error) => handler.refused(error),
    });
    return listening;
  }

  get address(): { host: string; port: number } {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) return { host: '', port: 0 };
    return { host: address.address, port: address.port };
  }

  /** Takes no more connections; resolves when those that there are have ended. */
  close(): Promise<void> {
    this.#watch?.stop();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serveTls(secure: TlsServer): void {
    secure.on('secureConnection', (socket) => this.#handler.connected(socket));
    secure.on('tlsClientError', (cause, socket) => {
      this.#handler.refused(new RtmpError('tls.handshake', cause.message, { cause }), socket);
      socket.destroy();
    });
  }

  #listen(host: string, port: number): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#handler.failed(error));
        resolve();
      });
    });
  }
}
