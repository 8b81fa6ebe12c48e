import type { Credentials, IncomingInvite } from './ports.js';

/** Who calls whom, as SIP addresses. */
export type CallParties = OutgoingParties | IncomingParties;

export interface OutgoingParties {
  readonly direction: 'outgoing';
  readonly id: string;
  readonly uri: string;
  readonly from: string;
  readonly credentials?: Credentials;
}

export interface IncomingParties {
  readonly direction: 'incoming';
  readonly invite: IncomingInvite;
  /** The client's SIP address, and what a server may want to know of it, for calls that this one is passed on to. */
  readonly from: string;
  readonly credentials?: Credentials;
  /** How long the client may ring before the caller is told that nobody answers. */
  readonly ringTimeMs: number;
}
