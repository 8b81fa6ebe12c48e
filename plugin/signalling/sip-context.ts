import type { Timers } from '../call/call-ports.js';
import type { DialTarget, InCallEvent } from '../call/ports.js';
import type { DrachtioConnection } from './drachtio/drachtio.js';
import type { Leg } from './in-call/leg.js';

/** What all calls share. */
export interface SipContext {
  readonly connection: DrachtioConnection;
  readonly timers: Timers;
  /** The answered calls, and who is told of what happens in them. */
  readonly legs: Map<Leg, (event: InCallEvent) => void>;
  /** Where a call may go: what holds for a person who dials holds for a far end that redirects. */
  readonly resolve: (uri: string, from: string) => DialTarget;
  /** Where a request of this address goes next, when not to its Request-URI. */
  readonly nextHop: (uri: string, from: string) => string | undefined;
}
