import type { Dialog } from '../dialog/dialog.js';
import { newTag, newUuid } from '../ids.js';
import type { Headers } from '../message/headers.js';
import { type SipRequest, tagOf } from '../message/message.js';
import { replaceTopVia, topVia } from '../message/serialise.js';
import { stampVia } from '../message/via.js';
import type { OutgoingResponse, SendResult, TransactionUser, UserEvent } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Flow } from '../transport/types.js';
import type { CoreContext } from './context.js';
import { ForwardingProxy } from './proxy/forwarding-proxy.js';
import type { ReliableProvisionals } from './reliable-provisionals.js';
import { plainResponse } from './response-text.js';
import type { ServerEntry } from './server-entry.js';
import { ServerTransactions } from './server-transactions.js';
import { isIntervalTooShort, MIN_SESSION_EXPIRES, type SessionHooks } from './session-timer.js';
import { Responder } from './uas-respond.js';

/** Methods that an application may be given outside a dialog. */
const ROUTABLE = new Set(['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE', 'INFO', 'NOTIFY', 'SUBSCRIBE', 'PUBLISH']);
/** Methods that make sense only inside a dialog. */
const DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK', 'REFER']);
const REFRESHES_TARGET = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE']);
const ALLOW =
  'INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, SUBSCRIBE, NOTIFY, REFER, PUBLISH, PRACK';

export interface UasHooks {
  /** Who gets a request outside a dialog; undefined when nobody wants it. */
  selectUser(request: SipRequest): TransactionUser | undefined;
  /** The 2xx of a dialog's INVITE was never ACKed. */
  onAckTimeout(dialog: Dialog): void;
  readonly session: SessionHooks;
  /** A final response to a REGISTER has been sent. */
  onRegistered(request: SipRequest, response: OutgoingResponse, flow: Flow): void;
}

/** The server side: from a request on the wire to a transaction user. */
export class UasCore {
  readonly #context: CoreContext;
  readonly #hooks: UasHooks;
  readonly #transactions: ServerTransactions;
  readonly #responder: Responder;
  readonly #proxy: ForwardingProxy;

  constructor(context: CoreContext, hooks: UasHooks) {
    this.#context = context;
    this.#hooks = hooks;
    this.#transactions = new ServerTransactions(context, (entry) => {
      // Of a re-INVITE only the repetitions end; the call goes on, as at the drachtio server.
      if (entry.initial && entry.dialog?.state === 'confirmed') hooks.onAckTimeout(entry.dialog);
    });
    this.#proxy = new ForwardingProxy(context, this.#transactions);
    this.#responder = new Responder(context, this.#transactions, {
      onFinal: (entry, response) => {
        if (entry.request.method === 'REGISTER') hooks.onRegistered(entry.request, response, entry.flow);
      },
      session: hooks.session,
    });
  }

  receive(request: SipRequest, flow: Flow): void {
    const text = stamp(request, flow);
    if (request.method === 'ACK') {
      this.#receiveAck(request, text, flow);
      return;
    }
    const known = this.#transactions.find(request);
    if (known) {
      if (known.machine.kind === 'invite') known.machine.transaction.receiveInvite();
      else known.machine.transaction.receiveRequest();
      return;
    }
    const entry = this.#transactions.create(request, text, flow);
    if (!entry) return;
    if (request.method === 'INVITE') this.#transactions.reply(entry, 100, 'Trying');
    if (request.method === 'CANCEL') this.#receiveCancel(entry);
    else if (entry.initial) this.#receiveOutsideDialog(entry);
    else this.#receiveInDialog(entry);
  }

  /** Answers a message that is no valid request but has a Via to send an answer to. */
  refuseMalformed(method: string, headers: Headers, status: number, reason: string, flow: Flow): void {
    if (method !== 'ACK')
      this.#context.transport.send(plainResponse(headers, status, reason, newTag()), targetOf(flow));
  }

  respond(transactionId: string, response: OutgoingResponse): SendResult {
    return this.#responder.respond(transactionId, response);
  }

  get proxy(): ForwardingProxy {
    return this.#proxy;
  }

  userGone(user: TransactionUser): void {
    this.#transactions.userGone(user);
  }

  close(): void {
    this.#proxy.close();
    this.#transactions.close();
  }

  #noSuchCall(entry: ServerEntry): void {
    this.#transactions.reply(entry, 481, 'Call/Transaction Does Not Exist');
  }

  #receiveOutsideDialog(entry: ServerEntry): void {
    const { request, flow } = entry;
    if (DIALOG_ONLY.has(request.method)) {
      this.#noSuchCall(entry);
      return;
    }
    if (!ROUTABLE.has(request.method)) {
      this.#transactions.reply(entry, 501, 'Not Implemented', [['Allow', ALLOW]]);
      return;
    }
    if (Number(request.headers.get('max-forwards') ?? 70) === 0 && this.#isSpiral(request)) {
      this.#transactions.reply(entry, 483, 'Too Many Hops');
      return;
    }
    const user = this.#hooks.selectUser(request);
    if (!user) {
      this.#transactions.reply(entry, 503, 'Service Unavailable');
      return;
    }
    const receivedOn = { address: this.#context.local.facing(flow.remoteAddress), port: this.#context.port };
    this.#offer(entry, user, { receivedOn });
  }

  /** Whether this server itself has sent the request. */
  #isSpiral(request: SipRequest): boolean {
    return (request.via.port ?? 5060) === this.#context.port && this.#context.local.isOurs(request.via.host);
  }

  #receiveInDialog(entry: ServerEntry): void {
    const { request } = entry;
    const { method } = request;
    const dialog = this.#context.dialogs.match(request.callId, tagOf(request.to) ?? '', tagOf(request.from));
    // Before it has answered, a callee has no call to end (RFC 3261 section 15).
    const premature = method === 'BYE' && dialog?.role === 'uac' && dialog.state !== 'confirmed';
    if (!dialog && this.#proxy.remainsIn(request)) this.#proxy.follow(entry);
    else if (!dialog || premature) {
      if (method === 'INVITE') this.#noSuchCall(entry);
      else this.#receiveOutsideDialog(entry);
    } else if (!dialog.owner.alive) {
      if (method === 'BYE') this.#context.dialogs.remove(dialog);
      this.#noSuchCall(entry);
    } else if (request.cseq.number < (dialog.remoteSequence ?? 0)) {
      // RFC 3261 section 12.2.2: a lower number than the last is out of order.
      this.#transactions.reply(entry, 500, 'Server Internal Error');
    } else if (isIntervalTooShort(request)) {
      this.#transactions.reply(entry, 422, 'Session Interval Too Small', [['Min-SE', String(MIN_SESSION_EXPIRES)]]);
    } else {
      const acknowledged = method === 'PRACK' ? this.#acknowledgeProvisional(dialog, request) : undefined;
      if (method === 'PRACK' && !acknowledged) {
        this.#noSuchCall(entry);
        return;
      }
      dialog.remoteSequence = request.cseq.number;
      dialog.remoteTag ??= tagOf(request.from);
      entry.dialog = dialog;
      if (REFRESHES_TARGET.has(method)) dialog.refreshTarget(request.headers.list('contact')[0]);
      if (method === 'BYE') this.#context.dialogs.remove(dialog);
      this.#offer(entry, dialog.owner, { dialogId: dialog.id });
      acknowledged?.goOn();
    }
  }

  /** The reliable responses, one of which a PRACK acknowledges. */
  #acknowledgeProvisional(dialog: Dialog, request: SipRequest): ReliableProvisionals | undefined {
    const rack = request.headers.get('rack') ?? '';
    for (const { dialog: of, reliable, request: invite } of this.#transactions.unanswered) {
      if (of === dialog && reliable?.acknowledge(rack, invite.cseq.number)) return reliable;
    }
    return undefined;
  }

  #offer(entry: ServerEntry, user: TransactionUser, more: Partial<UserEvent>): void {
    this.#transactions.give(entry, user);
    user.receive(requestEvent(entry.request, entry.text, entry.flow, { transactionId: entry.id, ...more }));
  }

  #receiveCancel(cancel: ServerEntry): void {
    const invite = this.#transactions.inviteOfCancel(cancel.request);
    const state = invite?.machine.kind === 'invite' ? invite.machine.transaction.state : undefined;
    // RFC 3261 section 9.2: the same To tag as in the responses to the INVITE.
    if (invite) cancel.toTag = invite.toTag;
    if (!invite || state === undefined || state === 'accepted') {
      this.#noSuchCall(cancel);
      return;
    }
    this.#transactions.reply(cancel, 200, 'OK');
    if (state !== 'proceeding') return;
    const { answered, dialog, owner, proxied } = invite;
    this.#transactions.reply(invite, 487, 'Request Terminated');
    if (invite.initial && dialog) this.#context.dialogs.remove(dialog);
    proxied?.cancelled();
    if (proxied || !owner?.alive) return;
    owner.receive(
      requestEvent(cancel.request, cancel.text, cancel.flow, {
        transactionId: invite.id,
        dialogId: answered ? (dialog?.id ?? '') : '',
        bytes: answered ? invite.request.text.length : cancel.request.text.length,
      }),
    );
  }

  #receiveAck(request: SipRequest, text: string, flow: Flow): void {
    const entry = this.#transactions.inviteOfAck(request);
    const invite = entry?.machine.kind === 'invite' ? entry.machine.transaction : undefined;
    if (invite?.state === 'completed' || invite?.state === 'confirmed') {
      invite.receiveAck();
      return;
    }
    const dialog = this.#context.dialogs.match(request.callId, tagOf(request.to) ?? '', tagOf(request.from));
    const first = entry !== undefined && !entry.acknowledged;
    if (entry && invite?.state === 'accepted') {
      entry.acknowledged = true;
      invite.acknowledged();
      this.#transactions.settle(entry);
    }
    if (!dialog && this.#proxy.remainsIn(request)) this.#proxy.followAck(request);
    if (!dialog?.owner.alive) return;
    // A repeated ACK and the ACK of a re-INVITE carry an id of their own.
    const transactionId = first && entry.initial ? entry.id : newUuid();
    dialog.owner.receive(requestEvent(request, text, flow, { transactionId, dialogId: dialog.id, protocol: '' }));
  }
}

/** Puts the source address into the request's top Via; gives the text to show to users. */
function stamp(request: SipRequest, flow: Flow): string {
  const element = topVia(request.headers);
  const stamped = stampVia(element, request.via, flow.remoteAddress, flow.remotePort);
  const line = request.headers.get('via') ?? '';
  request.headers.replaceFirst('via', stamped + line.slice(element.length));
  return replaceTopVia(request.text, element, stamped);
}

function requestEvent(
  message: SipRequest,
  text: string,
  flow: Flow,
  more: Partial<UserEvent> & { readonly transactionId: string },
): UserEvent {
  return {
    source: 'network',
    message,
    text,
    bytes: message.text.length,
    protocol: flow.protocol,
    address: flow.remoteAddress,
    port: flow.remotePort,
    dialogId: '',
    ...more,
  };
}
