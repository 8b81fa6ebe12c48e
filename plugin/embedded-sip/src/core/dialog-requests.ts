import type { Dialog } from '../dialog/dialog.js';
import { newBranch } from '../ids.js';
import type { OutgoingRequest, SendResult, TransactionUser } from '../transaction-user.js';
import { resolveTarget } from '../transport/resolve.js';
import type { Protocol, Target } from '../transport/types.js';
import type { ClientEntry } from './client-entry.js';
import { type ClientTransactions, DNS_ERROR } from './client-transactions.js';
import type { CoreContext } from './context.js';
import type { LocalIdentity } from './local-contact.js';
import { contactInDialog, nextHopOf } from './outgoing.js';
import type { RequestFields } from './request-text.js';

/** A request made ready to be sent, or the reason why it cannot be. */
export type Prepared =
  | {
      readonly ok: true;
      readonly fields: RequestFields;
      readonly local: LocalIdentity;
      readonly target: Target | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** Requests inside dialogs: route set, remote target and the headers that the dialog dictates (RFC 3261 section 12.2.1). */
export class DialogRequests {
  readonly #context: CoreContext;
  readonly #transactions: ClientTransactions;

  constructor(context: CoreContext, transactions: ClientTransactions) {
    this.#context = context;
    this.#transactions = transactions;
  }

  /** Sends a request in a new transaction; the entry is absent when it could not be sent. */
  send(
    owner: TransactionUser | undefined,
    request: OutgoingRequest,
    dialog: Dialog,
    requestUri: string,
    reply: (result: SendResult, entry: ClientEntry | undefined) => void,
  ): void {
    const sequence = dialog.nextSequence();
    this.prepare(request, dialog, requestUri, sequence, (prepared) => {
      if (!prepared.ok) reply(prepared, undefined);
      else this.#transactions.launch({ owner, request, dialog, initial: false, unsent: DNS_ERROR, ...prepared }, reply);
    });
  }

  /** Fills a request in and finds where it goes; done at once unless a name has to be resolved. */
  prepare(
    request: OutgoingRequest,
    dialog: Dialog,
    requestUri: string,
    sequence: number,
    done: (prepared: Prepared) => void,
  ): void {
    const { uri, routes, nextHop } = dialog.routing(requestUri);
    const finish = (target: Target | undefined) => {
      const local = this.identity(target?.address, target?.protocol ?? 'udp');
      const fields: RequestFields = {
        method: request.method,
        uri,
        branch: newBranch(),
        routes,
        maxForwards: request.headers.get('max-forwards') ?? '70',
        from: dialog.local,
        to: dialog.remote,
        callId: dialog.callId,
        sequence,
        contact: contactInDialog(request, local),
      };
      done({ ok: true, fields, local, target });
    };
    if (dialog.natTarget && routes.length === 0) {
      finish(dialog.natTarget);
      return;
    }
    const hop = nextHopOf(nextHop, nextHop);
    if (hop.kind === 'refused') done({ ok: false, reason: hop.reason });
    else if (hop.kind === 'sips') finish(undefined);
    else resolveTarget(hop.uri, hop.protocol, this.#context.local.bound, finish);
  }

  /** How this server names itself to a peer; without one, as on loopback. */
  identity(peer: string | undefined, protocol: Protocol): LocalIdentity {
    return { host: this.#context.local.facing(peer ?? '127.0.0.1'), port: this.#context.port, protocol };
  }
}
