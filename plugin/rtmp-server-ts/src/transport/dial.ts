import type { Clock } from '../session/clock.js';
import type { RtmpClientLimits } from '../session/limits.js';
import type { Transport } from '../session/transport.js';
import type { Target } from './target.js';

export interface DialOptions {
  readonly clock: Clock;
  readonly limits: RtmpClientLimits;
  /** Aborted when the time is over, with the error to reject with. */
  readonly signal: AbortSignal;
}

/** Connects to a server. @throws whatever was in the way */
export type Dial = (target: Target, options: DialOptions) => Promise<Transport>;
