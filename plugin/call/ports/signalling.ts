import type { SessionDescription } from '../session-description.js';
import type { OutgoingInvite } from './call-leg.js';
import type { Credentials } from './registration.js';
import type { SignallingEvent } from './signalling-event.js';

/** Places outgoing calls. */
export interface SignallingPort {
  /**
   * Reads what a person dialled.
   * @param from The caller's SIP address: a number without a domain is meant in the caller's, unless configured otherwise.
   */
  resolve(dialled: string, from: string): DialTarget;
  /** Sends an INVITE. Never throws: what goes wrong arrives as a `failed` event, and exactly one of `failed` and `ended` is the last. */
  invite(request: InviteRequest, listener: (event: SignallingEvent) => void): OutgoingInvite;
}

/** The SIP URI to call, or why there can be no call, in words for a person. */
export type DialTarget = { readonly uri: string } | { readonly refusal: string };

export interface InviteRequest {
  readonly callId: string;
  /** A SIP URI as {@link SignallingPort.resolve} gave it. */
  readonly uri: string;
  /** The caller's SIP address. */
  readonly from: string;
  /** For a server that wants to know who calls. */
  readonly credentials?: Credentials;
  readonly offer: SessionDescription;
  /** Who asked for this call, and the dialog that it is to take over, where it is made for a transfer. */
  readonly referral?: Referral;
}

/** What a REFER asks for: a call to somebody else in the place of the present one (RFC 3515). */
export interface Referral {
  /** SIP URI, without the headers that it had. */
  readonly uri: string;
  /** Value of the Replaces header that the new INVITE is to have (RFC 3891). */
  readonly replaces?: string;
  /** Value of Referred-By (RFC 3892). */
  readonly referredBy?: string;
}

/** Sends texts outside of calls. */
export interface MessagePort {
  /** Resolves when the far end, or a server for it, has taken the text; rejects with words for a person. */
  sendMessage(request: TextRequest): Promise<void>;
}

export interface TextRequest {
  /** A SIP URI as {@link SignallingPort.resolve} gave it. */
  readonly uri: string;
  /** The sender's SIP address. */
  readonly from: string;
  readonly text: string;
  readonly credentials?: Credentials;
}
