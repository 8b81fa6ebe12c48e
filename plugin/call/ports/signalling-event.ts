import type { SessionDescription } from '../session-description.js';
import type { Termination } from '../termination.js';
import type { IncomingInvite } from './call-leg.js';
import type { TextMessage } from './client.js';
import type { Referral } from './signalling.js';
import type { Tone } from './tone.js';

/** What becomes of an INVITE and its call. */
export type CallSetupEvent =
  | { readonly type: 'provisional'; readonly status: number; readonly reason: string }
  /** The far end's description before its answer: it may send, and wants to be heard. */
  | { readonly type: 'early'; readonly answer: SessionDescription }
  | { readonly type: 'answered'; readonly answer: SessionDescription }
  /** `answer` is there when the offer was ours. */
  | { readonly type: 'established'; readonly answer?: SessionDescription }
  | { readonly type: 'failed'; readonly termination: Termination }
  | { readonly type: 'ended'; readonly termination: Termination };

/** What happens within an answered call. */
export type InCallEvent =
  /** The answer to {@link CallLeg.change}. */
  | { readonly type: 'changed'; readonly answer: SessionDescription }
  /** The far end has refused it: the call goes on as before. */
  | { readonly type: 'unchanged'; readonly reason: string }
  /** The far end wants other media, or, without `offer`, to hear what we offer. */
  | { readonly type: 'offered'; readonly offer?: SessionDescription }
  /** The far end's answer to an offer that it had asked for. */
  | { readonly type: 'described'; readonly answer: SessionDescription }
  | { readonly type: 'tone'; readonly tone: Tone }
  /** The far end asks for a key frame. */
  | { readonly type: 'key-frame-wanted' }
  | { readonly type: 'message'; readonly message: TextMessage }
  | { readonly type: 'transferred' }
  | { readonly type: 'transfer-failed'; readonly reason: string }
  /** The far end wants us to call somebody else. */
  | { readonly type: 'referred'; readonly referral: Referral }
  /** Somebody takes over the far end's side of the call (RFC 3891). */
  | { readonly type: 'replaced'; readonly invite: IncomingInvite };

export type SignallingEvent = CallSetupEvent | InCallEvent;

const setupEvents: ReadonlySet<SignallingEvent['type']> = new Set<CallSetupEvent['type']>([
  'provisional',
  'early',
  'answered',
  'established',
  'failed',
  'ended',
]);

/** Whether it belongs to setting the call up, or taking it down. */
export function isSetup(event: SignallingEvent): event is CallSetupEvent {
  return setupEvents.has(event.type);
}
