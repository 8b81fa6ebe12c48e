import { concat, totalLength } from '../bytes/concat.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Transport, TransportHandler, TransportProtocol } from '../session/transport.js';
import type { DialOptions } from './dial.js';
import { formatTarget, type Target } from './target.js';

/** What is used of the browsers' WebSocket; the types of Node know none. */
interface PlatformWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly wasClean: boolean }) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number): void;
}

type PlatformWebSocketClass = new (url: string) => PlatformWebSocket;

const OPEN = 1;
/** RFC 6455 section 7.4.1. */
const NORMAL = 1000;
const GOING_AWAY = 1001;

/** @throws RtmpError `connect.failed`; browsers do not tell pages why */
export function dialPlatformWebSocket(target: Target, { limits, signal }: DialOptions): Promise<Transport> {
  const { WebSocket } = globalThis as unknown as { readonly WebSocket: PlatformWebSocketClass };
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(formatTarget(target));
    webSocket.binaryType = 'arraybuffer';
    const abort = () => {
      webSocket.close();
      reject(signal.reason);
    };
    webSocket.onopen = () => {
      signal.removeEventListener('abort', abort);
      resolve(new PlatformWebSocketTransport(webSocket, target, limits.webSocketMessageSize));
    };
    webSocket.onclose = ({ code }) => reject(new RtmpError('connect.failed', `no WebSocket (close code ${code})`));
    signal.addEventListener('abort', abort);
  });
}

/** The stream of RTMP's bytes in binary messages of the platform's WebSocket. */
class PlatformWebSocketTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #webSocket: PlatformWebSocket;
  readonly #messageSize: number;
  #handler: TransportHandler | undefined;

  constructor(webSocket: PlatformWebSocket, { protocol, host, port }: Target, messageSize: number) {
    this.protocol = protocol === 'wss' ? 'wss' : 'ws';
    this.remoteAddress = host;
    this.remotePort = port;
    this.#webSocket = webSocket;
    this.#messageSize = messageSize;
  }

  get pendingBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#webSocket.onmessage = ({ data }) => this.#received(data);
    this.#webSocket.onclose = ({ code, wasClean }) => {
      const orderly = wasClean && (code === NORMAL || code === GOING_AWAY);
      this.#finish(orderly ? undefined : new Error(`the WebSocket ended with code ${code}`));
    };
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#webSocket.readyState === OPEN) this.#webSocket.send(concat(parts, totalLength(parts)));
  }

  end(): void {
    this.#webSocket.close(NORMAL);
  }

  /** A page cannot cut a WebSocket off; what it still says is not listened to. */
  destroy(): void {
    this.#webSocket.close();
    queueMicrotask(() => this.#finish());
  }

  #received(data: unknown): void {
    if (data instanceof ArrayBuffer && data.byteLength <= this.#messageSize) {
      this.#handler?.received(new Uint8Array(data));
      return;
    }
    const what =
      data instanceof ArrayBuffer ? `${data.byteLength} bytes, at most ${this.#messageSize}` : 'text, binary';
    this.#webSocket.close();
    this.#finish(new RtmpError('websocket.message', `a message of ${what} is taken`));
  }

  #finish(error?: Error): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.closed(error);
  }
}
