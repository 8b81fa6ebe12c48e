/** How a client reaches the server, as in its URL; the `e` of RTMPE is the session's own. */
export type TransportProtocol = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts' | 'ws' | 'wss';

/** What carries a session's bytes: anything ordered and reliable can. */
export interface Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes given to write() that the system has not taken yet. */
  readonly pendingBytes: number;
  /** Begins to deliver; called once. */
  start(handler: TransportHandler): void;
  /** Takes all parts at once. They do not change afterwards. */
  write(parts: readonly Uint8Array[]): void;
  /** Sends what is queued, then ends. */
  end(): void;
  /** Ends at once. May be called after end(), and more than once. */
  destroy(): void;
}

export interface TransportHandler {
  /** The bytes do not change afterwards. */
  received(bytes: Uint8Array): void;
  /** Writes what was sent up to now; otherwise that is written at the end of the turn of the event loop. */
  flush(): void;
  /** Exactly once, the last call. An RtmpError is why the transport itself ended it. */
  closed(error?: Error): void;
}
