import type { Call } from './call.js';
import type { ClientPort, MediaPort, MediaReport, SignallingPort } from './ports.js';
import type { CallState } from './state.js';
import type { Termination } from './termination.js';

/** What one call is run against. */
export interface CallPorts {
  readonly client: ClientPort;
  readonly signalling: SignallingPort;
  readonly media: MediaPort;
  readonly timers: Timers;
  readonly observer: CallObserver;
  /** Whether the far end is to be heard before it answers. Default true. */
  readonly earlyMedia?: boolean;
}

export interface Timers {
  /** Runs `fire` once after `ms` milliseconds unless the returned function is called before. */
  after(ms: number, fire: () => void): () => void;
}

/** Is told what becomes of a call, for the log and the metrics. */
export interface CallObserver {
  changed(call: Call, state: CallState['name']): void;
  /** The call goes on with somebody else. */
  transferred(call: Call, uri: string): void;
  /** Once per call. */
  finished(call: Call, termination: Termination, media: MediaReport): void;
}
