import type { Dialog } from '../dialog/dialog.js';
import type { Headers } from '../message/headers.js';
import type { InviteClientTransaction } from '../transaction/invite-client.js';
import type { NonInviteClientTransaction } from '../transaction/non-invite-client.js';
import type { TransactionUser } from '../transaction-user.js';
import type { Flow, Target } from '../transport/types.js';
import type { LocalIdentity } from './local-contact.js';
import type { RequestFields } from './request-text.js';

/** One outgoing request and everything known about it until its transaction ends. */
export interface ClientEntry {
  readonly id: string;
  readonly fields: RequestFields;
  /** The user's own headers, from which an ACK takes the credentials. */
  readonly headers: Headers;
  readonly text: string;
  readonly local: LocalIdentity;
  /** Undefined when the next hop's name did not resolve: nothing was sent. */
  readonly target: Target | undefined;
  /** Undefined where the server itself asks: nobody is told the outcome. */
  readonly owner: TransactionUser | undefined;
  readonly dialog: Dialog | undefined;
  /** The request makes its dialog, instead of being in it. */
  readonly initial: boolean;
  machine:
    | { readonly kind: 'invite'; readonly transaction: InviteClientTransaction }
    | { readonly kind: 'other'; readonly transaction: NonInviteClientTransaction }
    | undefined;
  /** Where the latest response came from. */
  flow: Flow | undefined;
  /** Headers of a CANCEL that the user wants, from the moment it asks. */
  cancel: Headers | undefined;
  cancelSent: boolean;
  /** To tag of the first 2xx of an INVITE. */
  acceptedTag: string | undefined;
  /** The ACK of that 2xx, once the user has sent it. */
  ack: { readonly text: string; readonly target: Target } | undefined;
  /** RSeq of the last reliable provisional response. */
  lastReliable: number;
  failed: boolean;
}

export function clientKey(branch: string, method: string): string {
  return `${branch}|${method}`;
}
