import { newTag, newUuid } from '../ids.js';
import { type SipRequest, tagOf } from '../message/message.js';
import type { HeaderLine } from '../message/serialise.js';
import { InviteServerTransaction } from '../transaction/invite-server.js';
import { NonInviteServerTransaction } from '../transaction/non-invite-server.js';
import { TIMEOUT } from '../transaction/timers.js';
import type { TransactionUser } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Flow } from '../transport/types.js';
import type { CoreContext } from './context.js';
import { plainResponse } from './response-text.js';
import { inviteCallKey, type ServerEntry, serverKey } from './server-entry.js';

/** A request that no user answers is forgotten after this long, as the drachtio server does it. */
const FORGET = 2 * TIMEOUT;

/** The server transactions alive, found by what is on the wire and by the ids that users answer with. */
export class ServerTransactions {
  readonly #context: CoreContext;
  readonly #onAckTimeout: (entry: ServerEntry) => void;
  readonly #byKey = new Map<string, ServerEntry>();
  /** INVITEs, for an ACK that has another branch than the INVITE: several where a proxy forked one to us twice. */
  readonly #byCall = new Map<string, Set<ServerEntry>>();
  /** Those a user may answer. */
  readonly #open = new Map<string, ServerEntry>();

  constructor(context: CoreContext, onAckTimeout: (entry: ServerEntry) => void) {
    this.#context = context;
    this.#onAckTimeout = onAckTimeout;
  }

  /** The transaction of the same request come before. */
  find(request: SipRequest): ServerEntry | undefined {
    return this.#byKey.get(serverKey(request));
  }

  /** The INVITE that a CANCEL means. */
  inviteOfCancel(cancel: SipRequest): ServerEntry | undefined {
    return this.#byKey.get(serverKey(cancel, 'INVITE'));
  }

  /** The INVITE that an ACK means. */
  inviteOfAck(ack: SipRequest): ServerEntry | undefined {
    const byBranch = this.#byKey.get(serverKey(ack, 'INVITE'));
    if (byBranch) return byBranch;
    const forks = [...(this.#byCall.get(inviteCallKey(ack)) ?? [])];
    const tag = tagOf(ack.to);
    return forks.find(({ toTag }) => toTag === tag) ?? (forks.length === 1 ? forks[0] : undefined);
  }

  /** The request that a user answers. */
  answerable(id: string): ServerEntry | undefined {
    return this.#open.get(id);
  }

  /** Those that users have not finished answering. */
  get unanswered(): Iterable<ServerEntry> {
    return this.#open.values();
  }

  /** A new transaction; undefined, and 503 sent, when there are too many. */
  create(request: SipRequest, text: string, flow: Flow): ServerEntry | undefined {
    const target = targetOf(flow);
    const { budget, transport, clock } = this.#context;
    if (!budget.admits(request.text.length)) {
      const busy = plainResponse(request.headers, 503, 'Service Unavailable', newTag(), [['Retry-After', '5']]);
      transport.send(busy, target);
      return undefined;
    }
    const parts = {
      clock,
      reliable: flow.protocol === 'tcp',
      send: (message: string) => transport.send(message, target),
      onTerminated: () => this.#terminated(entry),
    };
    const onAckTimeout = () => this.#onAckTimeout(entry);
    const invite = request.method === 'INVITE';
    const entry: ServerEntry = {
      ...{ id: newUuid(), key: serverKey(request), request, text, flow },
      machine: invite
        ? { kind: 'invite', transaction: new InviteServerTransaction({ ...parts, onAckTimeout }) }
        : { kind: 'other', transaction: new NonInviteServerTransaction(parts) },
      toTag: tagOf(request.to) ?? newTag(),
      owner: undefined,
      dialog: undefined,
      initial: tagOf(request.to) === undefined,
      answered: false,
      lastText: '',
      accepted: false,
      acknowledged: false,
      reliable: undefined,
      proxied: undefined,
      forget: clock.schedule(FORGET, () => this.#forget(entry)),
    };
    budget.add(request.text.length);
    this.#byKey.set(entry.key, entry);
    if (invite) {
      const call = inviteCallKey(request);
      this.#byCall.set(call, (this.#byCall.get(call) ?? new Set()).add(entry));
    }
    return entry;
  }

  /** Lets a user answer the request. */
  give(entry: ServerEntry, user: TransactionUser): void {
    entry.owner = user;
    this.#open.set(entry.id, entry);
  }

  /** The user has said its last word on the request, or must not say any more. */
  settle(entry: ServerEntry): void {
    this.#open.delete(entry.id);
  }

  /** Sends a response that the server gives by itself, 100 included. */
  reply(entry: ServerEntry, status: number, reason: string, extra: readonly HeaderLine[] = []): void {
    const tag = status === 100 ? undefined : entry.toTag;
    entry.machine.transaction.respond(status, plainResponse(entry.request.headers, status, reason, tag, extra));
    if (status < 200) return;
    entry.forget?.cancel();
    entry.reliable?.stop();
    this.settle(entry);
  }

  /** A user has gone: what it has not answered is forgotten. */
  userGone(user: TransactionUser): void {
    for (const entry of this.#open.values()) {
      if (entry.owner !== user) continue;
      entry.forget?.cancel();
      entry.forget = this.#context.clock.schedule(FORGET, () => this.#forget(entry));
    }
  }

  close(): void {
    for (const entry of [...this.#byKey.values()]) entry.machine.transaction.terminate();
  }

  #forget(entry: ServerEntry): void {
    if (entry.initial && entry.dialog?.state === 'early') this.#context.dialogs.remove(entry.dialog);
    // A 2xx has its own end: the ACK, or the BYE for want of one.
    const accepted = entry.machine.kind === 'invite' && entry.machine.transaction.state === 'accepted';
    if (!accepted) entry.machine.transaction.terminate();
  }

  #terminated(entry: ServerEntry): void {
    this.#context.budget.remove(entry.request.text.length);
    entry.forget?.cancel();
    entry.reliable?.stop();
    this.settle(entry);
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key);
    const call = inviteCallKey(entry.request);
    const forks = this.#byCall.get(call);
    forks?.delete(entry);
    if (forks?.size === 0) this.#byCall.delete(call);
  }
}
