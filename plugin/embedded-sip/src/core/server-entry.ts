import type { ScheduledCall } from '../clock.js';
import type { Dialog } from '../dialog/dialog.js';
import { type SipRequest, tagOf } from '../message/message.js';
import { MAGIC_COOKIE } from '../message/via.js';
import type { InviteServerTransaction } from '../transaction/invite-server.js';
import type { NonInviteServerTransaction } from '../transaction/non-invite-server.js';
import type { TransactionUser } from '../transaction-user.js';
import type { Flow } from '../transport/types.js';
import type { ReliableProvisionals } from './reliable-provisionals.js';

/** One incoming request and everything known about it until its transaction ends. */
export interface ServerEntry {
  readonly id: string;
  readonly key: string;
  readonly request: SipRequest;
  /** The request as shown to users: with the source in its top Via. */
  readonly text: string;
  readonly flow: Flow;
  readonly machine:
    | { readonly kind: 'invite'; readonly transaction: InviteServerTransaction }
    | { readonly kind: 'other'; readonly transaction: NonInviteServerTransaction };
  /** Tag of the To header in responses; the user's choice until the first response has gone. */
  toTag: string;
  owner: TransactionUser | undefined;
  /** The dialog the request is in or, once answered, has made. */
  dialog: Dialog | undefined;
  readonly initial: boolean;
  /** A response other than 100 has been sent. */
  answered: boolean;
  lastText: string;
  /** The user has said 2xx to an INVITE; it may still wait for a PRACK. */
  accepted: boolean;
  acknowledged: boolean;
  reliable: ReliableProvisionals | undefined;
  /** Set once the request is passed on instead of answered. */
  proxied: { cancelled(): void } | undefined;
  /** Ends a request that nobody answers. */
  forget: ScheduledCall | undefined;
}

/**
 * What makes a request the same as one before: RFC 3261 section 17.2.3, with Call-ID and CSeq added as the drachtio server
 * does it, so that a peer that reuses a branch is still understood.
 */
export function serverKey(request: SipRequest, method = request.method): string {
  const via = request.via;
  const branch = via.params.get('branch') ?? '';
  const identity = branch.startsWith(MAGIC_COOKIE)
    ? `${branch}|${via.host}|${via.port ?? ''}`
    : // RFC 2543 peers: everything that stays the same in a repetition, in the ACK and in the CANCEL.
      `${request.uri}|${tagOf(request.from) ?? ''}|${via.host}|${via.port ?? ''}|${branch}`;
  return `${identity}|${request.callId}|${request.cseq.number}|${method}`;
}

/** Names an INVITE for the ACK of its final response when that carries another branch, as some peers have it. */
export function inviteCallKey(request: SipRequest): string {
  return `${request.callId}|${request.cseq.number}|${tagOf(request.from) ?? ''}`;
}
