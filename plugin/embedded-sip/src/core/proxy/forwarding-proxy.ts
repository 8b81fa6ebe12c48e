import { newBranch } from '../../ids.js';
import { Headers } from '../../message/headers.js';
import type { SipRequest, SipResponse } from '../../message/message.js';
import { parseNameAddr } from '../../message/name-addr.js';
import { parseSipUri } from '../../message/uri.js';
import { resolveTarget } from '../../transport/resolve.js';
import { type Flow, type Target, targetKey } from '../../transport/types.js';
import type { CoreContext } from '../context.js';
import { nextHopOf } from '../outgoing.js';
import type { ServerEntry } from '../server-entry.js';
import type { ServerTransactions } from '../server-transactions.js';
import { Branch } from './branch.js';
import { type Forwarding, forwardedRequest, hopsLeft } from './forwarded.js';
import { ProxiedRequest, type ProxyObserver, type ProxyOptions } from './proxied-request.js';

/** How long the requests of a call that was proxied with `remainInDialog` are passed on, in milliseconds. */
const REMAIN_MS = 86_400_000;

const UNOBSERVED: ProxyObserver = { onFinal: () => undefined, onDone: () => undefined };

/** Passes requests on for applications (RFC 3261 section 16): the `proxy` verb of the control protocol. */
export class ForwardingProxy {
  readonly #context: CoreContext;
  readonly #transactions: ServerTransactions;
  readonly #branches = new Map<string, Branch>();
  /** Call-IDs of the calls that stay with us, and until when; nobody else's requests are passed on. */
  readonly #calls = new Map<string, number>();

  constructor(context: CoreContext, transactions: ServerTransactions) {
    this.#context = context;
    this.#transactions = transactions;
  }

  /** Passes a request on that an application has been shown; the reason when that cannot be. */
  start(transactionId: string, options: ProxyOptions, observer: ProxyObserver): string | undefined {
    const entry = this.#transactions.answerable(transactionId);
    if (!entry || entry.answered) return `Unknown transaction id: ${transactionId}`;
    if (hopsLeft(entry.request) <= 0) {
      this.#transactions.reply(entry, 483, 'Too Many Hops');
      return 'Rejected with 483 Too Many Hops due to Max-Forwards value of 0';
    }
    if (options.remainInDialog) this.#remember(entry.request.callId);
    this.#pass(entry, options, [], observer);
    return undefined;
  }

  /** Takes a response to what has been passed on; false when it is to none. */
  receive(response: SipResponse, flow: Flow): boolean {
    const branch = this.#branches.get(response.via.params.get('branch') ?? '');
    branch?.receive(response, flow);
    return branch !== undefined;
  }

  /** Whether a request inside a dialog belongs to a call that stays with us: its first Route leads here. */
  remainsIn(request: SipRequest): boolean {
    const until = this.#calls.get(request.callId);
    return until !== undefined && until > this.#context.clock.now() && this.#isOurs(request.headers.list('route')[0]);
  }

  /** Passes a request of such a call on. */
  follow(entry: ServerEntry): void {
    const { request } = entry;
    if (hopsLeft(request) <= 0) this.#transactions.reply(entry, 483, 'Too Many Hops');
    else this.#pass(entry, { ...PLAIN, targets: [request.uri] }, request.headers.list('route').slice(1), UNOBSERVED);
  }

  /** Passes the ACK of a 2xx on, which is no transaction of its own. */
  followAck(request: SipRequest): void {
    const routes = request.headers.list('route').slice(1);
    this.#reach(request.uri, routes, (target, local) => {
      if (!target) return;
      const forwarding: Forwarding = {
        ...{ request, uri: request.uri, branch: newBranch(), local, routes },
        ...{ recordRoute: false, added: new Headers() },
      };
      this.#context.transport.send(forwardedRequest(forwarding), target);
    });
  }

  unreachable(target: Target): void {
    const key = targetKey(target);
    for (const branch of [...this.#branches.values()]) if (targetKey(branch.target) === key) branch.transportFailed();
  }

  close(): void {
    for (const branch of [...this.#branches.values()]) branch.terminate();
  }

  #pass(entry: ServerEntry, options: ProxyOptions, routes: readonly string[], observer: ProxyObserver): void {
    entry.forget?.cancel();
    this.#transactions.settle(entry);
    const proxied = new ProxiedRequest({
      ...{ context: this.#context, entry, options },
      onFinal: (response, flow) => observer.onFinal(response, flow),
      onDone: () => observer.onDone(),
      open: (uri, events, opened) => {
        this.#reach(uri, routes, (target, local) => {
          if (!target) {
            opened(undefined);
            return;
          }
          const forwarding: Forwarding = {
            ...{ request: entry.request, uri, branch: newBranch(), local, routes },
            ...{ recordRoute: options.remainInDialog, added: options.headers },
          };
          const branch = new Branch(this.#context, forwarding, target, events);
          this.#branches.set(branch.id, branch);
          opened(branch);
        });
      },
      onBranchTerminated: (branch) => this.#branches.delete(branch.id),
    });
    entry.proxied = proxied;
    proxied.start();
  }

  #reach(
    uri: string,
    routes: readonly string[],
    found: (target: Target | undefined, local: Forwarding['local']) => void,
  ) {
    const { local, port } = this.#context;
    const next = routes[0] === undefined ? uri : (parseNameAddr(routes[0])?.uri ?? uri);
    const hop = nextHopOf(next, next);
    const identity = (peer: string, protocol: Target['protocol']) => ({ host: local.facing(peer), port, protocol });
    if (hop.kind !== 'hop') found(undefined, identity('127.0.0.1', 'udp'));
    else
      resolveTarget(hop.uri, hop.protocol, local.bound, (target) =>
        found(target, identity(target?.address ?? '127.0.0.1', hop.protocol)),
      );
  }

  #isOurs(route: string | undefined): boolean {
    const uri = parseSipUri(parseNameAddr(route ?? '')?.uri ?? '');
    return uri !== undefined && this.#context.local.isOurs(uri.host) && (uri.port ?? 5060) === this.#context.port;
  }

  #remember(callId: string): void {
    const oldest = this.#calls.keys().next().value;
    if (this.#calls.size >= this.#context.limits.dialogs && oldest !== undefined) this.#calls.delete(oldest);
    this.#calls.set(callId, this.#context.clock.now() + REMAIN_MS);
  }
}

const PLAIN: Omit<ProxyOptions, 'targets'> = {
  ...{ simultaneous: false, remainInDialog: false, followRedirects: false },
  headers: new Headers(),
};
