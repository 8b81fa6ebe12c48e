import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export interface HttpOptions {
  /** Why the gateway cannot take calls; `undefined` when it can. */
  readonly notReady: () => string | undefined;
  /** Further lines of `/readyz`. */
  readonly details?: () => readonly string[];
  /** Takes WebSocket connections at `/rtmp`. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Liveness at `/healthz`, readiness at `/readyz`, RTMP over WebSocket at `/rtmp`. */
export class HttpServer {
  readonly #server: Server;

  constructor({ notReady, details = () => [], upgrade }: HttpOptions) {
    this.#server = createServer((request, response) => {
      const reply = (status: number, text: string) => {
        response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return reply(405, 'only GET and HEAD');
      const path = request.url?.split('?', 1)[0];
      if (path === '/healthz') return reply(200, 'ok');
      if (path === '/readyz') {
        const reason = notReady();
        return reply(reason === undefined ? 200 : 503, [reason ?? 'ready', ...details()].join('\n'));
      }
      reply(404, 'not found; there are /healthz, /readyz and, for WebSocket, /rtmp');
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?', 1)[0] === '/rtmp') upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    this.#server.requestTimeout = 10_000;
    this.#server.headersTimeout = 10_000;
    this.#server.maxConnections = 1_000;
  }

  /** @throws Error with code `EADDRINUSE` or `EACCES` when the address cannot be had. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
