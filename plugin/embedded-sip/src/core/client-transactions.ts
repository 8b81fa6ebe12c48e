import type { Dialog } from '../dialog/dialog.js';
import { newTag, newUuid } from '../ids.js';
import { Headers } from '../message/headers.js';
import type { SipResponse } from '../message/message.js';
import { hostPort } from '../message/uri.js';
import { type ClientFailure, InviteClientTransaction } from '../transaction/invite-client.js';
import { NonInviteClientTransaction } from '../transaction/non-invite-client.js';
import type { OutgoingRequest, SendResult, TransactionUser } from '../transaction-user.js';
import { type Flow, type Target, targetKey } from '../transport/types.js';
import { type ClientEntry, clientKey } from './client-entry.js';
import type { CoreContext } from './context.js';
import type { LocalIdentity } from './local-contact.js';
import { type RequestFields, requestText } from './request-text.js';
import { plainResponse } from './response-text.js';

/** What the layers above do with what comes out of a client transaction. */
export interface ClientHandlers {
  /** Each response that the machine passes up, 100 and repeated 2xx included. */
  onResponse(entry: ClientEntry, response: SipResponse): void;
  /** There will be no final response; called before a made-up one is shown. */
  onFailed(entry: ClientEntry, status: number): void;
  /** Timer C: an INVITE has rung for 185 s. */
  onRingTimeout(entry: ClientEntry): void;
  /** Shows a response to the user that sent the request; a made-up one is text. */
  show(owner: TransactionUser, entry: ClientEntry, response: SipResponse | string, flow: Flow | undefined): void;
}

export interface Launch {
  readonly owner: TransactionUser | undefined;
  readonly request: OutgoingRequest;
  readonly fields: RequestFields;
  readonly local: LocalIdentity;
  readonly target: Target | undefined;
  readonly dialog: Dialog | undefined;
  readonly initial: boolean;
  /** The response made up when there is no target. */
  readonly unsent: readonly [status: number, reason: string];
}

export const DNS_ERROR = [503, 'DNS Error'] as const;

/** The client transactions alive: starts them, finds them for responses, and makes up what the network does not say. */
export class ClientTransactions implements Iterable<ClientEntry> {
  readonly #context: CoreContext;
  readonly #handlers: ClientHandlers;
  readonly #byKey = new Map<string, ClientEntry>();
  readonly #byId = new Map<string, ClientEntry>();

  constructor(context: CoreContext, handlers: ClientHandlers) {
    this.#context = context;
    this.#handlers = handlers;
  }

  byId(id: string): ClientEntry | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): Iterator<ClientEntry> {
    return [...this.#byKey.values()][Symbol.iterator]();
  }

  receive(response: SipResponse, flow: Flow): void {
    const entry = this.#byKey.get(clientKey(response.via.params.get('branch') ?? '', response.cseq.method));
    if (!entry?.machine) return;
    entry.flow = flow;
    entry.machine.transaction.receive(response);
  }

  unreachable(target: Target): void {
    const key = targetKey(target);
    for (const entry of this) {
      if (entry.target && targetKey(entry.target) === key) entry.machine?.transaction.transportFailed();
    }
  }

  /** Sends a request, replies, and where there is nowhere to send it makes its response up. */
  launch(launch: Launch, reply: (result: SendResult, entry: ClientEntry) => void): ClientEntry {
    const { owner, request, fields, local, target, dialog, initial } = launch;
    const entry: ClientEntry = {
      ...{ id: newUuid(), fields, headers: request.headers, local, target, owner, dialog, initial },
      text: requestText(fields, request.headers, request.body, local),
      machine: undefined,
      flow: undefined,
      cancel: undefined,
      cancelSent: false,
      acceptedTag: undefined,
      ack: undefined,
      lastReliable: 0,
      failed: false,
    };
    if (target) this.#start(entry, target);
    reply(sentResult(entry), entry);
    if (!target) this.#failLocally(entry, launch.unsent[0], launch.unsent[1]);
    return entry;
  }

  show(entry: ClientEntry, response: SipResponse): void {
    if (entry.owner?.alive) this.#handlers.show(entry.owner, entry, response, entry.flow);
  }

  close(): void {
    for (const entry of this) entry.machine?.transaction.terminate();
  }

  #start(entry: ClientEntry, target: Target): void {
    const parts = {
      clock: this.#context.clock,
      reliable: target.protocol === 'tcp',
      sendRequest: () => this.#context.transport.send(entry.text, target),
      onResponse: (response: SipResponse) => this.#handlers.onResponse(entry, response),
      onFailure: (failure: ClientFailure) => this.#failed(entry, failure),
      onTerminated: () => this.#closed(entry),
    };
    if (entry.fields.method === 'INVITE') {
      const transaction = new InviteClientTransaction({
        ...parts,
        sendAck: (response) => this.#ackFailure(entry, response, target),
        onRingTimeout: () => this.#handlers.onRingTimeout(entry),
      });
      entry.machine = { kind: 'invite', transaction };
    } else {
      entry.machine = { kind: 'other', transaction: new NonInviteClientTransaction(parts) };
    }
    this.#context.budget.add(entry.text.length);
    this.#byKey.set(clientKey(entry.fields.branch, entry.fields.method), entry);
    this.#byId.set(entry.id, entry);
    entry.machine.transaction.start();
  }

  /** RFC 3261 section 17.1.1.3: same branch and Request-URI as the INVITE, the To of the response. */
  #ackFailure(entry: ClientEntry, response: SipResponse, target: Target): void {
    const to = response.headers.get('to') ?? entry.fields.to;
    const fields = { ...entry.fields, method: 'ACK', to, contact: undefined };
    this.#context.transport.send(requestText(fields, new Headers(), '', entry.local), target);
  }

  #failed(entry: ClientEntry, failure: ClientFailure): void {
    if (failure === 'timeout') this.#failLocally(entry, 408, 'Request Timeout');
    else this.#failLocally(entry, 503, 'Service Unavailable');
  }

  #failLocally(entry: ClientEntry, status: number, reason: string): void {
    this.#handlers.onFailed(entry, status);
    if (!entry.owner?.alive) return;
    const { branch, from, to, callId, sequence, method } = entry.fields;
    const { protocol, host, port } = entry.local;
    const headers = new Headers([
      ['Via', `SIP/2.0/${protocol.toUpperCase()} ${hostPort(host, port)};branch=${branch}`],
      ['From', from],
      ['To', to],
      ['Call-ID', callId],
      ['CSeq', `${sequence} ${method}`],
    ]);
    this.#handlers.show(entry.owner, entry, plainResponse(headers, status, reason, newTag()), undefined);
  }

  #closed(entry: ClientEntry): void {
    this.#context.budget.remove(entry.text.length);
    this.#byKey.delete(clientKey(entry.fields.branch, entry.fields.method));
    this.#byId.delete(entry.id);
  }
}

function sentResult(entry: ClientEntry): SendResult {
  const { text, target, local, id, dialog } = entry;
  return {
    ok: true,
    text,
    bytes: target ? text.length : 0,
    protocol: target?.protocol ?? 'unknown',
    address: target ? local.host : '',
    port: target ? local.port : 0,
    transactionId: id,
    dialogId: dialog?.id ?? '',
  };
}
