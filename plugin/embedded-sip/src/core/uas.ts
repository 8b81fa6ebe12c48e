import type { Dialog } from '../dialog/dialog.js';
import { newTag, newUuid } from '../ids.js';
import type { Headers } from '../message/headers.js';
import { type SipRequest, tagOf } from '../message/message.js';
import { parseNameAddr } from '../message/name-addr.js';
import { replaceTopVia, topVia } from '../message/serialise.js';
import { stampVia } from '../message/via.js';
import { InviteServerTransaction } from '../transaction/invite-server.js';
import { NonInviteServerTransaction } from '../transaction/non-invite-server.js';
import { TIMEOUT } from '../transaction/timers.js';
import type { OutgoingResponse, SendResult, TransactionUser, UserEvent } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Flow } from '../transport/types.js';
import type { CoreContext } from './context.js';
import type { LocalIdentity } from './local-contact.js';
import { ReliableProvisionals } from './reliable-provisionals.js';
import { hasBodyType } from './request-text.js';
import { lists, plainResponse, responseText } from './response-text.js';
import { initialSequence } from './sequence.js';
import { inviteCallKey, type ServerEntry, serverKey } from './server-entry.js';
import { uasDialog } from './uas-dialog.js';

/** A request that no user answers is forgotten after this long, as the drachtio server does it. */
const FORGET = 2 * TIMEOUT;

/** Methods that an application may be given outside a dialog. */
const ROUTABLE = new Set(['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE', 'INFO', 'NOTIFY', 'SUBSCRIBE', 'PUBLISH']);
/** Methods that make sense only inside a dialog. */
const DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK', 'REFER']);
const ALLOW =
  'INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, SUBSCRIBE, NOTIFY, REFER, PUBLISH, PRACK';

const UNKNOWN_TRANSACTION = 'Response not sent due to unknown transaction';

export interface UasHooks {
  /** Who gets a request outside a dialog; undefined when nobody wants it. */
  selectUser(request: SipRequest): TransactionUser | undefined;
  /** The 2xx of a dialog's INVITE was never ACKed. */
  onAckTimeout(dialog: Dialog): void;
  /** A final response to a REGISTER has been sent. */
  onRegistered(request: SipRequest, response: OutgoingResponse, flow: Flow): void;
}

/** The server side: from a request on the wire to a transaction user and back. */
export class UasCore {
  readonly #context: CoreContext;
  readonly #hooks: UasHooks;
  readonly #byKey = new Map<string, ServerEntry>();
  readonly #byCall = new Map<string, ServerEntry>();
  readonly #byId = new Map<string, ServerEntry>();

  constructor(context: CoreContext, hooks: UasHooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#byKey.size;
  }

  receive(request: SipRequest, flow: Flow): void {
    const element = topVia(request.headers);
    const stamped = stampVia(element, request.via, flow.remoteAddress, flow.remotePort);
    const vias = request.headers.get('via') ?? '';
    request.headers.replaceFirst('via', stamped + vias.slice(element.length));
    const text = replaceTopVia(request.text, element, stamped);
    if (request.method === 'ACK') return this.#receiveAck(request, text, flow);
    const known = this.#byKey.get(serverKey(request));
    if (known) {
      if (known.machine.kind === 'invite') known.machine.transaction.receiveInvite();
      else known.machine.transaction.receiveRequest();
      return;
    }
    const entry = this.#open(request, text, flow);
    if (!entry) return;
    if (request.method === 'INVITE') this.#reject(entry, 100, 'Trying');
    if (request.method === 'CANCEL') this.#receiveCancel(entry);
    else if (tagOf(request.to) !== undefined) this.#receiveInDialog(entry);
    else this.#receiveOutsideDialog(entry);
  }

  /** Answers a message that is no valid request but has a Via to send an answer to. */
  refuseMalformed(method: string, headers: Headers, status: number, reason: string, flow: Flow): void {
    if (method === 'ACK') return;
    this.#context.transport.send(plainResponse(headers, status, reason, newTag()), targetOf(flow));
  }

  respond(transactionId: string, response: OutgoingResponse): SendResult {
    const entry = this.#byId.get(transactionId);
    if (!entry) return { ok: false, reason: UNKNOWN_TRANSACTION };
    if (entry.machine.kind === 'invite' && entry.machine.transaction.state === 'accepted') return this.#sent(entry);
    if (!hasBodyType(response.headers, response.body)) return { ok: false, reason: 'missing content-type' };
    const { request } = entry;
    const reliable =
      request.method === 'INVITE' &&
      response.status > 100 &&
      response.status < 200 &&
      lists(response.headers, 'require', '100rel');
    if (reliable && !lists(request.headers, 'supported', '100rel') && !lists(request.headers, 'require', '100rel')) {
      return { ok: false, reason: 'Remote endpoint does not support 100rel' };
    }
    if (!entry.answered) this.#chooseTag(entry, response.headers);
    const dialogs = this.#context.dialogs;
    if (!this.#makeDialog(entry, response.status)) return { ok: false, reason: 'Server error: too many dialogs' };

    const repeats = (entry.reliable ??= reliable
      ? new ReliableProvisionals(this.#context.clock, (text) =>
          this.#context.transport.send(text, targetOf(entry.flow)),
        )
      : undefined);
    const sequence = reliable ? repeats?.next() : undefined;
    entry.lastText = responseText(entry, response, this.#identity(entry.flow), sequence);
    entry.answered = true;
    entry.forget?.cancel();
    entry.machine.transaction.respond(response.status, entry.lastText);
    if (sequence !== undefined) repeats?.repeat(sequence, entry.lastText);
    const sent = this.#sent(entry);
    if (response.status >= 200) this.#finished(entry, response);
    if (response.status >= 300 && entry.initial && entry.dialog) dialogs.remove(entry.dialog);
    return sent;
  }

  /** A user has gone: what it has not answered is forgotten. */
  userGone(user: TransactionUser): void {
    for (const entry of this.#byKey.values()) {
      if (entry.owner !== user) continue;
      entry.forget?.cancel();
      entry.forget = this.#context.clock.schedule(FORGET, () => this.#forget(entry));
    }
  }

  close(): void {
    for (const entry of [...this.#byKey.values()]) entry.machine.transaction.terminate();
  }

  #open(request: SipRequest, text: string, flow: Flow): ServerEntry | undefined {
    const target = targetOf(flow);
    if (this.#byKey.size >= this.#context.limits.transactions) {
      this.#context.log({ event: 'limit-reached', limit: 'transactions', value: this.#byKey.size });
      this.#context.transport.send(
        plainResponse(request.headers, 503, 'Service Unavailable', newTag(), [['Retry-After', '5']]),
        target,
      );
      return undefined;
    }
    const key = serverKey(request);
    const parts = {
      clock: this.#context.clock,
      reliable: flow.protocol === 'tcp',
      send: (message: string) => this.#context.transport.send(message, target),
      onTerminated: () => this.#closed(entry),
      onAckTimeout: () => this.#ackTimedOut(entry),
    };
    const entry: ServerEntry = {
      id: newUuid(),
      key,
      request,
      text,
      flow,
      machine:
        request.method === 'INVITE'
          ? { kind: 'invite', transaction: new InviteServerTransaction(parts) }
          : { kind: 'other', transaction: new NonInviteServerTransaction(parts) },
      toTag: tagOf(request.to) ?? newTag(),
      owner: undefined,
      dialog: undefined,
      initial: tagOf(request.to) === undefined,
      answered: false,
      lastText: '',
      acknowledged: false,
      reliable: undefined,
      forget: this.#context.clock.schedule(FORGET, () => this.#forget(entry)),
    };
    this.#byKey.set(key, entry);
    if (entry.machine.kind === 'invite') this.#byCall.set(inviteCallKey(request), entry);
    return entry;
  }

  /** A response that the server gives by itself, 100 included. */
  #reject(entry: ServerEntry, status: number, reason: string, extra: [string, string][] = []): void {
    const text = plainResponse(entry.request.headers, status, reason, status === 100 ? undefined : entry.toTag, extra);
    entry.machine.transaction.respond(status, text);
    if (status >= 200) {
      entry.forget?.cancel();
      entry.reliable?.stop();
      this.#byId.delete(entry.id);
    }
  }

  #receiveOutsideDialog(entry: ServerEntry): void {
    const { request } = entry;
    if (DIALOG_ONLY.has(request.method)) return this.#reject(entry, 481, 'Call/Transaction Does Not Exist');
    if (!ROUTABLE.has(request.method)) return this.#reject(entry, 501, 'Not Implemented', [['Allow', ALLOW]]);
    const hops = request.headers.get('max-forwards');
    if (hops !== undefined && Number(hops) === 0 && this.#isSpiral(request))
      return this.#reject(entry, 483, 'Too Many Hops');
    const user = this.#hooks.selectUser(request);
    if (!user) return this.#reject(entry, 503, 'Service Unavailable');
    const { address, port } = {
      address: this.#context.local.facing(entry.flow.remoteAddress),
      port: this.#context.port,
    };
    this.#offer(entry, user, { receivedOn: { address, port } });
  }

  /** Whether this server itself has sent the request. */
  #isSpiral(request: SipRequest): boolean {
    return request.via.port === this.#context.port && this.#context.local.isOurs(request.via.host);
  }

  #receiveInDialog(entry: ServerEntry): void {
    const { request } = entry;
    const dialog = this.#context.dialogs.match(request.callId, tagOf(request.to) ?? '', tagOf(request.from));
    if (!dialog) {
      if (request.method === 'INVITE' || DIALOG_ONLY.has(request.method)) {
        return this.#reject(entry, 481, 'Call/Transaction Does Not Exist');
      }
      return this.#receiveOutsideDialog(entry);
    }
    if (!dialog.owner.alive) {
      if (request.method === 'BYE') this.#context.dialogs.remove(dialog);
      return this.#reject(entry, 481, 'Call/Transaction Does Not Exist');
    }
    // RFC 3261 section 12.2.2: a lower number than the last is out of order.
    if (dialog.remoteSequence !== undefined && request.cseq.number < dialog.remoteSequence) {
      return this.#reject(entry, 500, 'Server Internal Error');
    }
    dialog.remoteSequence = request.cseq.number;
    dialog.remoteTag ??= tagOf(request.from);
    entry.dialog = dialog;
    if (request.method === 'PRACK' && !this.#acknowledgeProvisional(dialog, request)) {
      return this.#reject(entry, 481, 'Call/Transaction Does Not Exist');
    }
    if (request.method === 'INVITE' || request.method === 'UPDATE' || request.method === 'SUBSCRIBE') {
      dialog.refreshTarget(request.headers.get('contact'));
    }
    if (request.method === 'BYE') this.#context.dialogs.remove(dialog);
    this.#offer(entry, dialog.owner, { dialogId: dialog.id });
  }

  #acknowledgeProvisional(dialog: Dialog, request: SipRequest): boolean {
    for (const entry of this.#byId.values()) {
      if (entry.dialog !== dialog || !entry.reliable) continue;
      if (entry.reliable.acknowledge(request.headers.get('rack') ?? '', entry.request.cseq.number)) return true;
    }
    return false;
  }

  #offer(entry: ServerEntry, user: TransactionUser, more: Partial<UserEvent>): void {
    entry.owner = user;
    this.#byId.set(entry.id, entry);
    user.receive(this.#event(entry.request, entry.text, entry.flow, { transactionId: entry.id, ...more }));
  }

  #receiveCancel(cancel: ServerEntry): void {
    const invite = this.#byKey.get(serverKey(cancel.request, 'INVITE'));
    const state = invite?.machine.kind === 'invite' ? invite.machine.transaction.state : undefined;
    if (!invite || state === undefined || state === 'accepted' || state === 'terminated') {
      return this.#reject(cancel, 481, 'Call/Transaction Does Not Exist');
    }
    cancel.toTag = invite.toTag;
    this.#reject(cancel, 200, 'OK');
    if (state !== 'proceeding') return;
    const answered = invite.answered;
    this.#reject(invite, 487, 'Request Terminated');
    if (invite.initial && invite.dialog) this.#context.dialogs.remove(invite.dialog);
    if (!invite.owner?.alive) return;
    invite.owner.receive(
      this.#event(cancel.request, cancel.text, cancel.flow, {
        transactionId: invite.id,
        dialogId: answered ? (invite.dialog?.id ?? '') : '',
        bytes: answered ? invite.request.text.length : cancel.request.text.length,
      }),
    );
  }

  #receiveAck(request: SipRequest, text: string, flow: Flow): void {
    const entry = this.#byKey.get(serverKey(request, 'INVITE')) ?? this.#byCall.get(inviteCallKey(request));
    const invite = entry?.machine.kind === 'invite' ? entry.machine.transaction : undefined;
    if (invite?.state === 'completed' || invite?.state === 'confirmed') return invite.receiveAck();
    const dialog = this.#context.dialogs.match(request.callId, tagOf(request.to) ?? '', tagOf(request.from));
    if (!dialog?.owner.alive) return invite?.acknowledged();
    const first = entry !== undefined && !entry.acknowledged;
    if (entry) {
      entry.acknowledged = true;
      invite?.acknowledged();
      this.#byId.delete(entry.id);
    }
    // A repeated ACK and the ACK of a re-INVITE carry an id of their own.
    const transactionId = first && entry.initial ? entry.id : newUuid();
    dialog.owner.receive(this.#event(request, text, flow, { transactionId, dialogId: dialog.id, protocol: '' }));
  }

  #event(
    message: SipRequest,
    text: string,
    flow: Flow,
    more: Partial<UserEvent> & { transactionId: string },
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

  #chooseTag(entry: ServerEntry, headers: Headers): void {
    const to = entry.initial ? parseNameAddr(headers.get('to') ?? '') : undefined;
    const tag = to && tagOf(to);
    if (tag !== undefined) entry.toTag = tag;
  }

  /** The dialog of an initial INVITE or SUBSCRIBE, from its first response on. False when there are too many. */
  #makeDialog(entry: ServerEntry, status: number): boolean {
    const { method } = entry.request;
    if (!entry.initial || status === 100 || (method !== 'INVITE' && method !== 'SUBSCRIBE') || !entry.owner)
      return true;
    if (!entry.dialog) {
      if (status < 300 && this.#context.dialogs.size >= this.#context.limits.dialogs) {
        this.#context.log({ event: 'limit-reached', limit: 'dialogs', value: this.#context.dialogs.size });
        return false;
      }
      entry.dialog = uasDialog(entry, entry.owner, this.#context.dialogs, initialSequence(this.#context.clock));
      if (status < 300) this.#context.dialogs.add(entry.dialog);
    }
    if (status < 300 && entry.dialog.state !== 'terminated') entry.dialog.state = status < 200 ? 'early' : 'confirmed';
    return true;
  }

  #finished(entry: ServerEntry, response: OutgoingResponse): void {
    entry.reliable?.stop();
    const accepted = entry.machine.kind === 'invite' && response.status < 300;
    if (!accepted) this.#byId.delete(entry.id);
    if (entry.request.method === 'REGISTER') this.#hooks.onRegistered(entry.request, response, entry.flow);
    const ended = entry.request.headers.get('subscription-state')?.toLowerCase().startsWith('terminated');
    if (entry.request.method === 'NOTIFY' && ended && entry.dialog?.method === 'SUBSCRIBE')
      this.#context.dialogs.remove(entry.dialog);
  }

  #sent(entry: ServerEntry): SendResult {
    const { method } = entry.request;
    const inDialog = method === 'INVITE' || (method === 'SUBSCRIBE' && entry.initial);
    return {
      ok: true,
      text: entry.lastText,
      bytes: entry.lastText.length,
      protocol: method === 'INVITE' ? entry.flow.protocol : '',
      address: entry.flow.remoteAddress,
      port: entry.flow.remotePort,
      transactionId: entry.id,
      dialogId: inDialog ? (entry.dialog?.id ?? '') : '',
    };
  }

  #ackTimedOut(entry: ServerEntry): void {
    // Of a re-INVITE only the repeats end; the call goes on.
    if (entry.initial && entry.dialog?.state === 'confirmed') this.#hooks.onAckTimeout(entry.dialog);
  }

  #forget(entry: ServerEntry): void {
    if (entry.initial && entry.dialog?.state === 'early') this.#context.dialogs.remove(entry.dialog);
    entry.machine.transaction.terminate();
  }

  #closed(entry: ServerEntry): void {
    entry.forget?.cancel();
    entry.reliable?.stop();
    this.#byId.delete(entry.id);
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key);
    const call = inviteCallKey(entry.request);
    if (this.#byCall.get(call) === entry) this.#byCall.delete(call);
  }

  #identity(flow: Flow): LocalIdentity {
    return { host: this.#context.local.facing(flow.remoteAddress), port: this.#context.port, protocol: flow.protocol };
  }
}
