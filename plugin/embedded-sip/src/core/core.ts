import type { Dialog } from '../dialog/dialog.js';
import type { SipRequest, SipResponse } from '../message/message.js';
import { parseMessage } from '../message/parser.js';
import type { OutgoingRequest, OutgoingResponse, SendResult, TransactionUser } from '../transaction-user.js';
import type { Flow, Target } from '../transport/types.js';
import type { ClientEntry } from './client-entry.js';
import type { CoreContext } from './context.js';
import type { ProxyObserver, ProxyOptions } from './proxy/proxied-request.js';
import { RegisteredConnections } from './registered-connections.js';
import { TransactionBudget } from './transaction-budget.js';
import { type Reply, UacCore } from './uac.js';
import { UasCore } from './uas.js';

/** The user agent core: transactions and dialogs between the transport below and the transaction users above. */
export class SipCore {
  readonly #context: CoreContext;
  readonly #uas: UasCore;
  readonly #uac: UacCore;
  #dropped = 0;

  constructor(parts: Omit<CoreContext, 'budget'>, selectUser: (request: SipRequest) => TransactionUser | undefined) {
    const context = { ...parts, budget: new TransactionBudget(parts.limits, parts.log) };
    this.#context = context;
    const registered = new RegisteredConnections(context.clock);
    this.#uac = new UacCore(context, {
      registeredAt: (uri) => {
        const target = registered.find(uri);
        return target && context.transport.hasConnection(target.address, target.port) ? target : undefined;
      },
      show: (owner, entry, response, flow) => this.#showResponse(owner, entry, response, flow),
      showGenerated: (dialog, entry) => this.#showGenerated(dialog, entry),
    });
    this.#uas = new UasCore(context, {
      selectUser,
      onAckTimeout: (dialog) => this.#uac.bye(dialog, 'ACK timeout'),
      session: this.#uac.session,
      onRegistered: (request, response, flow) => registered.onRegistered(request, response, flow),
    });
  }

  /** Transactions alive, and datagrams and messages dropped since the start because they made no sense. */
  get counts(): { readonly transactions: number; readonly dialogs: number; readonly dropped: number } {
    return {
      transactions: this.#context.budget.count,
      dialogs: this.#context.dialogs.size,
      dropped: this.#dropped,
    };
  }

  onMessage(text: string, flow: Flow): void {
    const outcome = parseMessage(text, this.#context.limits);
    if (outcome.ok) {
      if (outcome.message.kind === 'request') this.#uas.receive(outcome.message, flow);
      else if (!this.#uas.proxy.receive(outcome.message, flow)) this.#uac.receive(outcome.message, flow);
      return;
    }
    if (outcome.answerable) {
      const reason = outcome.status === 505 ? 'Version Not Supported' : 'Bad Request';
      this.#uas.refuseMalformed(outcome.answerable.method, outcome.answerable.headers, outcome.status, reason, flow);
    }
    this.#dropped++;
    const from = `${flow.protocol}/${flow.remoteAddress}:${flow.remotePort}`;
    this.#context.log({ event: 'sip-dropped', reason: outcome.reason, from, count: this.#dropped });
  }

  onUnreachable(target: Target): void {
    this.#uac.unreachable(target);
    this.#uas.proxy.unreachable(target);
  }

  request(owner: TransactionUser, request: OutgoingRequest, reply: Reply): void {
    this.#uac.send(owner, request, reply);
  }

  respond(transactionId: string, response: OutgoingResponse): SendResult {
    return this.#uas.respond(transactionId, response);
  }

  /** Passes a request on that a user has been shown; the reason when that cannot be. */
  proxy(transactionId: string, options: ProxyOptions, observer: ProxyObserver): string | undefined {
    return this.#uas.proxy.start(transactionId, options, observer);
  }

  /** A user has gone; its `alive` is already false. */
  userGone(user: TransactionUser): void {
    this.#uas.userGone(user);
    this.#uac.userGone(user);
    const { dialogs, clock, limits } = this.#context;
    const owned = [...dialogs].filter((dialog) => dialog.owner === user);
    if (owned.length === 0) return;
    clock.schedule(limits.ownerlessDialogMs, () => {
      for (const dialog of owned) dialogs.remove(dialog);
    });
  }

  close(): void {
    this.#uas.close();
    this.#uac.close();
  }

  #showResponse(
    owner: TransactionUser,
    entry: ClientEntry,
    response: SipResponse | string,
    flow: Flow | undefined,
  ): void {
    const message = typeof response === 'string' ? parseResponse(response) : response;
    if (!message) return;
    owner.receive({
      source: 'network',
      message,
      text: message.text,
      bytes: message.text.length,
      protocol: flow?.protocol ?? entry.target?.protocol ?? 'unknown',
      address: flow?.remoteAddress ?? '',
      port: flow?.remotePort ?? 0,
      transactionId: entry.id,
      dialogId: entry.dialog?.id ?? '',
    });
  }

  #showGenerated(dialog: Dialog, entry: ClientEntry): void {
    const { text } = entry;
    const outcome = parseMessage(text, this.#context.limits);
    if (!outcome.ok || !dialog.owner.alive) return;
    dialog.owner.receive({
      source: 'application',
      message: outcome.message,
      text,
      bytes: text.length,
      protocol: entry.target?.protocol ?? 'unknown',
      address: entry.target?.address ?? '',
      port: entry.target?.port ?? 0,
      transactionId: 'unsolicited',
      dialogId: dialog.id,
    });
  }
}

function parseResponse(text: string): SipResponse | undefined {
  const outcome = parseMessage(text, { lineBytes: Number.MAX_SAFE_INTEGER, headerCount: Number.MAX_SAFE_INTEGER });
  return outcome.ok && outcome.message.kind === 'response' ? outcome.message : undefined;
}
