import type { Socket } from 'node:net';
import type { Clock, ScheduledCall } from '../clock.js';
import type { EmbeddedSipLimits } from '../options.js';
import { StreamFramer } from './stream-framer.js';
import type { Flow, Target } from './types.js';

/** How long a peer may take to read the last answer before its connection is closed, in milliseconds. */
const LINGER_MS = 1_000;

interface ConnectionParts {
  readonly limits: EmbeddedSipLimits;
  readonly clock: Clock;
  readonly localAddress: string;
  readonly localPort: number;
  onMessage(text: string, flow: Flow): void;
  /** Called once; the reason is absent when the peer simply closed. */
  onClose(reason: string | undefined): void;
}

/** One SIP connection over TCP. */
export class TcpConnection {
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #framer: StreamFramer;
  readonly #flow: Flow;
  #messageTimer: ScheduledCall | undefined;
  #reason: string | undefined;
  #ended = false;

  constructor(socket: Socket, target: Target, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#framer = new StreamFramer(parts.limits.messageBytes);
    this.#flow = {
      protocol: 'tcp',
      remoteAddress: target.address,
      remotePort: target.port,
      localAddress: parts.localAddress,
      localPort: parts.localPort,
    };
    socket.setTimeout(parts.limits.tcpIdleMs, () => this.#end('idle'));
    socket.on('data', (chunk) => this.#receive(chunk.toString('latin1')));
    socket.on('error', (error) => {
      this.#reason ??= error.message;
    });
    socket.on('close', () => {
      this.#messageTimer?.cancel();
      parts.onClose(this.#reason);
    });
  }

  send(text: string): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(text, 'latin1');
    if (this.#socket.writableLength > this.#parts.limits.pendingBytes) this.#end('peer reads too slowly');
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    if (this.#ended) return;
    const { messages, keepAlives, error } = this.#framer.push(chunk);
    if (keepAlives > 0) this.send('\r\n'.repeat(keepAlives));
    for (const message of messages) this.#parts.onMessage(message, this.#flow);
    if (error !== undefined) {
      this.#endPolitely(error);
      return;
    }
    if (messages.length > 0 || !this.#framer.midMessage) {
      this.#messageTimer?.cancel();
      this.#messageTimer = undefined;
    }
    if (this.#framer.midMessage) {
      this.#messageTimer ??= this.#parts.clock.schedule(this.#parts.limits.tcpMessageMs, () =>
        this.#end('unfinished message'),
      );
    }
  }

  /** Closes once what has been said, an answer to the last message perhaps, has gone. */
  #endPolitely(reason: string): void {
    this.#reason ??= reason;
    this.#ended = true;
    this.#socket.end();
    this.#messageTimer?.cancel();
    this.#messageTimer = this.#parts.clock.schedule(LINGER_MS, () => this.#socket.destroy());
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }
}
