import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Transport, TransportHandler, TransportProtocol } from '../session/transport.js';
import type { DialOptions } from './dial.js';
import { formatTarget, type Target } from './target.js';
import { type ClientTlsOptions, clientPort, isSecure, plainAddress } from './tcp.js';

export interface WebSocketHandler {
  opened(transport: Transport): void;
  /** Not a WebSocket request after all; it was answered. */
  refused(error: RtmpError): void;
}

/** Answers WebSocket requests (RFC 6455). */
export class WebSocketUpgrade {
  readonly #server: WebSocketServer;
  readonly #handlers = new WeakMap<IncomingMessage, WebSocketHandler>();

  /** @param messageSize bytes of one WebSocket message, which is kept until it is whole */
  constructor(messageSize: number) {
    this.#server = new WebSocketServer({ noServer: true, maxPayload: messageSize, perMessageDeflate: false });
    this.#server.on('wsClientError', (cause, socket, request) => {
      rejectUpgrade(socket, '400 Bad Request');
      const error = new RtmpError('http.request', `not a WebSocket request: ${cause.message}`, { cause });
      this.#handlers.get(request)?.refused(error);
    });
  }

  /** @param clientAddress seen through proxies */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    clientAddress: string,
    handler: WebSocketHandler,
  ): void {
    this.#handlers.set(request, handler);
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      handler.opened(new WebSocketTransport(webSocket, request.socket, clientAddress)),
    );
  }
}

/** Answers a request to upgrade with an HTTP status, and closes. */
export function rejectUpgrade(socket: Duplex, status: string): void {
  socket.on('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** @throws the system's error, or that of TLS or ws; RtmpError `connect.failed` when the server does not answer as it should */
export function dialWebSocket(
  target: Target,
  { limits, signal }: DialOptions,
  tls: ClientTlsOptions,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(formatTarget(target), {
      ...tls,
      maxPayload: limits.webSocketMessageSize,
      perMessageDeflate: false,
    });
    const abort = () => {
      reject(signal.reason);
      webSocket.terminate();
    };
    webSocket.on('error', reject);
    webSocket.on('upgrade', ({ socket }) => {
      webSocket.on('open', () => {
        signal.removeEventListener('abort', abort);
        resolve(new WebSocketTransport(webSocket, socket, plainAddress(socket.remoteAddress ?? '')));
      });
    });
    signal.addEventListener('abort', abort);
  });
}

/** The stream of RTMP's bytes in binary messages; where one ends and the next begins means nothing. */
class WebSocketTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, socket: Socket, remoteAddress: string) {
    this.#webSocket = webSocket;
    this.protocol = isSecure(socket) ? 'wss' : 'ws';
    this.remoteAddress = remoteAddress;
    this.remotePort = clientPort({ socket }, remoteAddress);
  }

  get pendingBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  start(handler: TransportHandler): void {
    const webSocket = this.#webSocket;
    let failure: Error | undefined;
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (failure !== undefined) return;
      if (isBinary && Buffer.isBuffer(data)) {
        handler.received(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      } else {
        failure = new RtmpError('websocket.message', 'a text message; RTMP comes in binary ones');
        webSocket.close(1003);
        webSocket.terminate();
      }
    });
    webSocket.on('error', (cause) => {
      // Those of ws are the peer's breaches of RFC 6455 and of the limit; the others are the connection's.
      const breach = 'code' in cause && String(cause.code).startsWith('WS_ERR');
      failure ??= breach ? new RtmpError('websocket.message', cause.message, { cause }) : cause;
      if (breach) webSocket.terminate();
    });
    webSocket.on('close', () => handler.closed(failure));
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.send(Buffer.concat(parts));
  }

  end(): void {
    this.#webSocket.close(1000);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}
