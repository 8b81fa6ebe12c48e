import { Dialog } from '../dialog/dialog.js';
import { Headers } from '../message/headers.js';
import { type SipResponse, tagOf } from '../message/message.js';
import { parseNameAddr } from '../message/name-addr.js';
import type { NotSent, OutgoingRequest, SendResult, TransactionUser } from '../transaction-user.js';
import { resolveTarget } from '../transport/resolve.js';
import type { Flow, Protocol, Target } from '../transport/types.js';
import type { ClientEntry } from './client-entry.js';
import { type ClientHandlers, ClientTransactions, DNS_ERROR } from './client-transactions.js';
import type { CoreContext } from './context.js';
import { DialogRequests } from './dialog-requests.js';
import { InviteClient, NO_DIALOG } from './invite-client.js';
import { fieldsOutsideDialog, nextHopOf } from './outgoing.js';
import { hasBodyType, type RequestFields } from './request-text.js';
import { initialSequence } from './sequence.js';
import type { SessionHooks } from './session-timer.js';
import { completeUacDialog } from './uac-dialog.js';
import { dialogIdOf } from './uas-dialog.js';

export type Reply = (result: SendResult) => void;

export interface UacHooks extends Pick<ClientHandlers, 'show'> {
  /** Where a peer has registered over TCP: requests to it use that connection. */
  registeredAt(uri: string): Target | undefined;
  /** Shows a request that the server has sent by itself. */
  showGenerated(dialog: Dialog, entry: ClientEntry): void;
}

/** The client side: from a transaction user's request to the wire, and the responses back. */
export class UacCore {
  readonly #context: CoreContext;
  readonly #hooks: UacHooks;
  readonly #transactions: ClientTransactions;
  readonly #requests: DialogRequests;
  readonly #invites: InviteClient;

  constructor(context: CoreContext, hooks: UacHooks) {
    this.#context = context;
    this.#hooks = hooks;
    this.#transactions = new ClientTransactions(context, {
      show: hooks.show,
      onResponse: (entry, response) => this.#onResponse(entry, response),
      onFailed: (entry, status) => this.#onFailed(entry, status),
      onRingTimeout: (entry) => this.#invites.requestCancel(entry, new Headers()),
    });
    this.#requests = new DialogRequests(context, this.#transactions);
    this.#invites = new InviteClient(context, this.#transactions, this.#requests, hooks.showGenerated);
  }

  send(owner: TransactionUser, request: OutgoingRequest, reply: Reply): void {
    const refusal = this.#refusal(request);
    if (refusal) reply(refusal);
    else if (request.dialogId !== undefined) this.#sendInDialog(owner, request, request.dialogId, reply);
    else if (request.transactionId !== undefined) this.#invites.cancel(request, request.transactionId, reply);
    else this.#sendOutsideDialog(owner, request, reply);
  }

  receive(response: SipResponse, flow: Flow): void {
    this.#transactions.receive(response, flow);
  }

  unreachable(target: Target): void {
    this.#transactions.unreachable(target);
  }

  /** A user has gone: nobody can take the answers to its INVITEs any more. */
  userGone(user: TransactionUser): void {
    for (const entry of this.#transactions) {
      const invite = entry.initial && entry.fields.method === 'INVITE';
      if (entry.owner === user && invite) this.#invites.requestCancel(entry, new Headers());
    }
  }

  get session(): SessionHooks {
    return this.#invites.session;
  }

  /** Ends a dialog in the name of its owner, which is shown the BYE. */
  bye(dialog: Dialog, text: string): void {
    this.#invites.bye(dialog, text);
  }

  close(): void {
    this.#transactions.close();
  }

  #refusal(request: OutgoingRequest): NotSent | undefined {
    if (!hasBodyType(request.headers, request.body)) return { ok: false, reason: 'missing content-type' };
    if (request.method === 'ACK' || this.#context.budget.admits(request.body.length)) return undefined;
    return { ok: false, reason: 'Server error: too many transactions' };
  }

  #sendOutsideDialog(owner: TransactionUser, request: OutgoingRequest, reply: Reply): void {
    const startLine = `${request.method} ${request.uri} SIP/2.0`;
    const hop = nextHopOf(request.nextHop ?? request.uri, startLine);
    if (hop.kind === 'refused') {
      reply({ ok: false, reason: hop.reason });
      return;
    }
    const unsent = hop.kind === 'sips' ? ([416, 'Unsupported URI Scheme'] as const) : DNS_ERROR;
    const launch = (target: Target | undefined, protocol: Protocol) => {
      // Resolving a name takes time in which the application may go.
      if (!owner.alive) return;
      const local = this.#requests.identity(target?.address, protocol);
      const fields = fieldsOutsideDialog(request, local, initialSequence(this.#context.clock));
      const dialog = typeof fields === 'string' ? undefined : this.#pendingDialog(owner, fields);
      if (typeof fields === 'string') reply({ ok: false, reason: fields });
      else if (dialog === 'full') reply({ ok: false, reason: 'Server error: too many dialogs' });
      else this.#launch(owner, { request, fields, local, target, dialog, initial: true, unsent }, reply);
    };
    const registered = request.nextHop === undefined ? this.#hooks.registeredAt(request.uri) : undefined;
    if (hop.kind === 'sips') launch(undefined, 'udp');
    else if (registered) launch(registered, registered.protocol);
    else resolveTarget(hop.uri, hop.protocol, this.#context.local.bound, (target) => launch(target, hop.protocol));
  }

  #launch(
    owner: TransactionUser,
    launch: Omit<Parameters<ClientTransactions['launch']>[0], 'owner'>,
    reply: Reply,
  ): void {
    this.#transactions.launch({ owner, ...launch }, (result, entry) => {
      if (entry.fields.method === 'INVITE') this.#invites.sent(entry);
      reply(result);
    });
  }

  #pendingDialog(owner: TransactionUser, fields: RequestFields): Dialog | 'full' | undefined {
    const { method, callId, from, sequence } = fields;
    if (method !== 'INVITE' && method !== 'SUBSCRIBE') return undefined;
    const { dialogs, limits, log } = this.#context;
    if (dialogs.size >= limits.dialogs) {
      log({ event: 'limit-reached', limit: 'dialogs', value: limits.dialogs });
      return 'full';
    }
    const address = parseNameAddr(from);
    const localTag = (address && tagOf(address)) ?? '';
    const id = dialogIdOf(callId, localTag);
    const dialog = new Dialog({
      id,
      role: 'uac',
      callId,
      localTag,
      local: from,
      localSequence: sequence,
      method,
      owner,
    });
    dialogs.add(dialog);
    return dialog;
  }

  #sendInDialog(owner: TransactionUser, request: OutgoingRequest, dialogId: string, reply: Reply): void {
    const dialog = this.#context.dialogs.byId(dialogId);
    if (dialog && request.method === 'ACK') {
      this.#invites.ack(request, dialog, reply);
    } else if (!dialog?.established) {
      reply({ ok: false, reason: NO_DIALOG });
    } else if (request.method === 'PRACK' && !request.headers.has('rack')) {
      reply({ ok: false, reason: 'Server error: Error creating sip transaction for request' });
    } else {
      const toTarget = request.method === 'PRACK' || request.uri.includes('placeholder');
      this.#requests.send(owner, request, dialog, toTarget ? dialog.remoteTarget : request.uri, (result, entry) => {
        if (entry && request.method === 'INVITE') this.#invites.sent(entry);
        reply(result);
      });
    }
  }

  #onResponse(entry: ClientEntry, response: SipResponse): void {
    if (entry.fields.method === 'INVITE') {
      this.#invites.onResponse(entry, response);
      return;
    }
    const { dialog, flow } = entry;
    const { status } = response;
    if (dialog && flow && status >= 200 && status < 300) {
      const refreshes = entry.fields.method === 'UPDATE' || entry.fields.method === 'SUBSCRIBE';
      if (entry.initial) completeUacDialog(dialog, response, flow, entry.fields.uri);
      else if (refreshes) dialog.refreshTarget(response.headers.list('contact')[0]);
      if (entry.fields.method === 'UPDATE') this.#invites.session.follow(dialog, response);
    }
    if (status >= 200) this.#endDialog(entry, status);
    if (status !== 100) this.#transactions.show(entry, response);
  }

  #onFailed(entry: ClientEntry, status: number): void {
    if (entry.fields.method === 'INVITE') this.#invites.failed(entry, status);
    else this.#endDialog(entry, status);
  }

  /** Removes the dialog that the final response to a request ends. */
  #endDialog(entry: ClientEntry, status: number): void {
    const { dialog, fields, headers, initial } = entry;
    if (!dialog) return;
    // A challenged BYE is sent again with credentials.
    const bye = fields.method === 'BYE' && status !== 401 && status !== 407;
    const lastNotify = fields.method === 'NOTIFY' && /^terminated/i.test(headers.get('subscription-state') ?? '');
    const refused = initial && status >= 300;
    if (bye || refused || (lastNotify && dialog.method === 'SUBSCRIBE')) this.#context.dialogs.remove(dialog);
  }
}
