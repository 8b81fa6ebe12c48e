import type { SessionDescription } from '../session-description.js';
import type { Caller } from './client.js';
import type { MediaSession } from './media.js';
import type { SignallingEvent } from './signalling-event.js';

/** The SIP side of an answered call. Before the answer its methods do nothing. */
export interface CallLeg {
  /** Ends the call: `ended` follows. */
  bye(reason?: string): void;
  /** Offers other media, by re-INVITE: `changed` or `unchanged` follows. One offer at a time. */
  change(offer: SessionDescription): void;
  /** Says yes to the far end's `offered`: with an answer, or with an offer where it made none. */
  acceptChange(description: SessionDescription): void;
  /** Says no to it, with a final status, 400-699. */
  refuseChange(sipStatus: number): void;
  /** Presses keys as {@link MediaSession.sendDtmf}, by INFO. */
  sendDtmf(digits: string, ms: number): void;
  /** Asks the far end for a key frame, by INFO (RFC 5168). */
  requestKeyFrame(): void;
  /** Asks the far end to call this SIP URI instead: `transferred` or `transfer-failed` follows. */
  transfer(uri: string): void;
  /** Says yes to the far end's `referred`; the outcome is to be told. */
  acceptReferral(): void;
  refuseReferral(sipStatus: number): void;
  /** Tells the far end the final response that the call had which it asked for. */
  reportReferral(sipStatus: number, reason: string): void;
}

export interface OutgoingInvite extends CallLeg {
  /** Gives up before the answer: `failed` follows, or `answered` when the answer crossed it. */
  cancel(): void;
}

/** Somebody calls. Whoever takes it listens first, then rings and answers, or rejects. */
export interface IncomingInvite extends CallLeg {
  readonly callId: string;
  readonly caller: Caller;
  /** Absent when the caller wants to hear an offer. */
  readonly offer: SessionDescription | undefined;
  /** `failed` follows when the caller gives up. */
  listen(listener: (event: SignallingEvent) => void): void;
  ring(): void;
  /** Accepts, with an answer, or with an offer where the caller made none: `established` follows, or `failed`. */
  answer(description: SessionDescription): void;
  reject(sipStatus: number): void;
}
