import type { Caller, ClientPort } from '../call/ports.js';
import type { FarParty } from './line-call.js';

/** The client of a line. */
export interface LineClient extends ClientPort {
  /** What it is played from now on is another call's. */
  switching(): void;
  /** Tells it what becomes of two calls at a time. */
  calls(notice: CallsNotice): void;
}

export type CallsNotice =
  /** Somebody calls while there is a call. */
  | { readonly type: 'waiting'; readonly caller: Caller }
  /** The client talks to this party now. */
  | { readonly type: 'switched'; readonly party: FarParty }
  /** The call that waited, or was held, is over. */
  | { readonly type: 'waiting-ended'; readonly party: FarParty; readonly reason: string };
