import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebFiles } from './web-files.js';

export interface HttpOptions {
  /** Why the gateway cannot take calls; `undefined` when it can. */
  readonly notReady: () => string | undefined;
  /** Further lines of `/readyz`. */
  readonly details?: () => readonly string[];
  /** Takes WebSocket connections at `/rtmp`. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** The web phone and the JavaScript API. */
  readonly webFiles: WebFiles;
  /** What the web phone wants to know of this gateway, at `/phone.json`. */
  readonly phoneSettings: () => Readonly<Record<string, string>>;
}

/** The web phone at `/`, liveness at `/healthz`, readiness at `/readyz`, RTMP over WebSocket at `/rtmp`. */
export class HttpServer {
  readonly #server: Server;

  constructor({ notReady, details = () => [], upgrade, webFiles, phoneSettings }: HttpOptions) {
    this.#server = createServer((request, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      const reply = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        // RFC 9110 section 15.5.6.
        response.setHeader('Allow', 'GET, HEAD');
        return reply(405, 'only GET and HEAD');
      }
      const path = request.url?.split('?', 1)[0];
      if (path === '/healthz') return reply(200, 'ok');
      if (path === '/readyz') {
        const reason = notReady();
        return reply(reason === undefined ? 200 : 503, [reason ?? 'ready', ...details()].join('\n'));
      }
      if (path === '/phone.json') return reply(200, JSON.stringify(phoneSettings()), 'application/json');
      if (path !== undefined && webFiles.serve(path, request, response)) return;
      if (path === '/' && webFiles.empty) return reply(503, 'the web phone is not built; npm run build builds it');
      reply(404, 'not found; there are / (the web phone), /healthz, /readyz and, for WebSocket, /rtmp');
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url?.split('?', 1)[0] === '/rtmp') upgrade(request, socket, head);
      else refuseUpgrade(socket);
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

/** From its upgrade event on node:http leaves a socket to itself: errors of it, and peers that do not close. */
function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => undefined);
  socket.on('finish', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
