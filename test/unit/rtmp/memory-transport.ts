import type { Transport, TransportHandler } from 'rtmp-server-ts';

/** Carries what a test gives it, in one process. */
export class MemoryTransport implements Transport {
  readonly protocol = 'rtmp';
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1935;
  pendingBytes = 0;
  sentBytes = 0;
  #handler: TransportHandler | undefined;

  start(handler: TransportHandler): void {
    this.#handler = handler;
  }

  receive(bytes: Uint8Array): void {
    // A copy: the list of received bytes keeps what it is given.
    this.#handler?.received(bytes.slice());
  }

  write(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.sentBytes += part.length;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    queueMicrotask(() => handler?.closed());
  }
}
