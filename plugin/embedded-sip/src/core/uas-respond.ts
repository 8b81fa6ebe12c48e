import { tagOf } from '../message/message.js';
import { parseNameAddr } from '../message/name-addr.js';
import type { OutgoingResponse, SendResult } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Flow } from '../transport/types.js';
import type { CoreContext } from './context.js';
import type { LocalIdentity } from './local-contact.js';
import { ReliableProvisionals } from './reliable-provisionals.js';
import { hasBodyType, isDescription } from './request-text.js';
import { lists, responseText } from './response-text.js';
import { initialSequence } from './sequence.js';
import type { ServerEntry } from './server-entry.js';
import type { ServerTransactions } from './server-transactions.js';
import { restartSession, type SessionHooks, sessionGranted, sessionLines } from './session-timer.js';
import { uasDialog } from './uas-dialog.js';

export interface ResponderHooks {
  /** A final response has been sent. */
  onFinal(entry: ServerEntry, response: OutgoingResponse): void;
  readonly session: SessionHooks;
}

/** Sends the responses of transaction users, and makes the dialogs that come of them. */
export class Responder {
  readonly #context: CoreContext;
  readonly #transactions: ServerTransactions;
  readonly #hooks: ResponderHooks;

  constructor(context: CoreContext, transactions: ServerTransactions, hooks: ResponderHooks) {
    this.#context = context;
    this.#transactions = transactions;
    this.#hooks = hooks;
  }

  respond(transactionId: string, response: OutgoingResponse): SendResult {
    const entry = this.#transactions.answerable(transactionId);
    if (!entry) return { ok: false, reason: 'Response not sent due to unknown transaction' };
    // A second final response before the ACK: the first one is echoed, nothing is sent.
    if (entry.accepted) return sentResult(entry);
    const refusal = this.#refusal(entry, response);
    if (refusal !== undefined) return { ok: false, reason: refusal };
    if (!entry.answered) chooseTag(entry, response);
    if (!this.#makeDialog(entry, response.status)) return { ok: false, reason: 'Server error: too many dialogs' };
    this.#send(entry, response);
    const sent = sentResult(entry);
    if (response.status >= 200) this.#finish(entry, response);
    return sent;
  }

  #refusal(entry: ServerEntry, response: OutgoingResponse): string | undefined {
    if (!hasBodyType(response.headers, response.body)) return 'missing content-type';
    if (!wantsReliability(entry, response)) return undefined;
    const { headers } = entry.request;
    const supported = lists(headers, 'supported', '100rel') || lists(headers, 'require', '100rel');
    return supported ? undefined : 'Remote endpoint does not support 100rel';
  }

  #send(entry: ServerEntry, response: OutgoingResponse): void {
    const { flow } = entry;
    const reliable = wantsReliability(entry, response);
    if (reliable) entry.reliable ??= this.#reliableProvisionals(entry);
    const sequence = reliable ? entry.reliable?.next() : undefined;
    const success = response.status >= 200 && response.status < 300;
    const session = success ? sessionGranted(entry.request, response.headers) : undefined;
    const extra = sessionLines(session, response.headers);
    const text = responseText(entry, response, this.#identity(flow), sequence, extra);
    entry.lastText = text;
    const { dialog } = entry;
    if (dialog && isDescription(response.body)) dialog.localSdp = response.body;
    if (dialog && session) restartSession(this.#context, dialog, session, this.#hooks.session);
    entry.answered = true;
    entry.forget?.cancel();
    const send = () => entry.machine.transaction.respond(response.status, text);
    if (entry.reliable && (reliable || success)) entry.reliable.sendInTurn({ text, sequence, send });
    else send();
  }

  #reliableProvisionals(entry: ServerEntry): ReliableProvisionals {
    return new ReliableProvisionals({
      clock: this.#context.clock,
      send: (text) => this.#context.transport.send(text, targetOf(entry.flow)),
      // RFC 3262 section 3 asks for a 5xx.
      onTimeout: () => {
        this.#transactions.reply(entry, 504, 'Server Time-out');
        if (entry.initial && entry.dialog) this.#context.dialogs.remove(entry.dialog);
      },
    });
  }

  /** The dialog of an initial INVITE or SUBSCRIBE, from its first response on. False when there are too many. */
  #makeDialog(entry: ServerEntry, status: number): boolean {
    const { method } = entry.request;
    if (!entry.initial || status === 100 || (method !== 'INVITE' && method !== 'SUBSCRIBE') || !entry.owner)
      return true;
    const { dialogs, limits, log, clock } = this.#context;
    const lives = status < 300;
    if (!entry.dialog) {
      if (lives && dialogs.size >= limits.dialogs) {
        log({ event: 'limit-reached', limit: 'dialogs', value: limits.dialogs });
        return false;
      }
      entry.dialog = uasDialog(entry, entry.owner, dialogs, initialSequence(clock));
      if (lives) dialogs.add(entry.dialog);
    }
    // The caller may have ended the early dialog with a BYE in the meantime.
    if (lives && entry.dialog.state !== 'terminated') entry.dialog.state = status < 200 ? 'early' : 'confirmed';
    return true;
  }

  #finish(entry: ServerEntry, response: OutgoingResponse): void {
    const accepted = entry.machine.kind === 'invite' && response.status < 300;
    if (accepted) entry.accepted = true;
    else {
      entry.reliable?.stop();
      this.#transactions.settle(entry);
    }
    const { dialog, request } = entry;
    if (dialog && entry.initial && response.status >= 300) this.#context.dialogs.remove(dialog);
    const ended = /^terminated/i.test(request.headers.get('subscription-state') ?? '');
    if (dialog?.method === 'SUBSCRIBE' && request.method === 'NOTIFY' && ended) this.#context.dialogs.remove(dialog);
    this.#hooks.onFinal(entry, response);
  }

  #identity(flow: Flow): LocalIdentity {
    return { host: this.#context.local.facing(flow.remoteAddress), port: this.#context.port, protocol: flow.protocol };
  }
}

function wantsReliability(entry: ServerEntry, response: OutgoingResponse): boolean {
  const provisional = response.status > 100 && response.status < 200;
  return provisional && entry.request.method === 'INVITE' && lists(response.headers, 'require', '100rel');
}

/** The user may choose the To tag in its first response. */
function chooseTag(entry: ServerEntry, response: OutgoingResponse): void {
  const to = entry.initial ? parseNameAddr(response.headers.get('to') ?? '') : undefined;
  const tag = to && tagOf(to);
  if (tag !== undefined) entry.toTag = tag;
}

function sentResult(entry: ServerEntry): SendResult {
  const { request, flow, lastText, id, dialog, initial } = entry;
  const namesDialog = request.method === 'INVITE' || (request.method === 'SUBSCRIBE' && initial);
  return {
    ok: true,
    text: lastText,
    bytes: lastText.length,
    protocol: request.method === 'INVITE' ? flow.protocol : '',
    address: flow.remoteAddress,
    port: flow.remotePort,
    transactionId: id,
    dialogId: namesDialog ? (dialog?.id ?? '') : '',
  };
}
