import type { IncomingInvite, RegistrarAddress } from '../../call/ports.js';
import type { Termination } from '../../call/termination.js';
import { requestUri } from '../addresses/dial-string.js';
import { userOf, withoutTag } from '../addresses/name-addr.js';
import type { ReceivedInvite } from '../drachtio/received-invite.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import type { SipContext } from '../sip-context.js';
import type { DigestAlgorithm } from './authorization.js';
import { type BranchRefusal, bestRefusal } from './best-response.js';
import { type Binding, Bindings } from './bindings.js';
import { Fork } from './fork.js';
import { LocalDomains } from './local-domains.js';
import { hopsLeft } from './phone-branch.js';
import { Registrar, type Users } from './registrar.js';

export interface LocalOptions {
  /** Domains beside the SIP server's own address, `host[:port]` each; the first stands in addresses that have none. */
  readonly domains: readonly string[];
  /** Further names of the SIP server itself. */
  readonly serverNames?: readonly string[];
  /** Who may register. Without it everybody, from this machine. */
  readonly users?: Users;
  /** What passwords are asked for by, the preferred first. Default SHA-256, MD5. */
  readonly algorithms?: readonly DigestAlgorithm[];
  readonly log?: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Calls at once that ring at several places or are between phones. */
const maxCalls = 2_000;

const tooManyHops = 483;
const serviceUnavailable = 503;

/** What makes the gateway a small phone system: a registrar, and calls between all who register at it. */
export class LocalService {
  readonly domains: LocalDomains;
  readonly #context: SipContext;
  readonly #options: LocalOptions;
  readonly #bindings = new Bindings();
  readonly #forks = new Set<Fork>();

  constructor(context: SipContext, options: LocalOptions) {
    const { connection } = context;
    this.#context = context;
    this.#options = options;
    this.domains = new LocalDomains(options.domains, () => connection.addresses, options.serverNames);
    const registrar = new Registrar({ ...options, domains: this.domains, bindings: this.#bindings });
    connection.onOutside('REGISTER', (request) => registrar.receive(request));
  }

  /** Where to register a local address; undefined for other domains. */
  home(domain: string | undefined): RegistrarAddress | undefined {
    const { server: registrar, preferred } = this.domains;
    if (registrar === undefined || preferred === undefined) return undefined;
    if (domain === undefined) return { domain: preferred, registrar, local: true };
    return this.domains.has(`sip:${domain}`) ? { domain, registrar, local: true } : undefined;
  }

  /** Where requests for a local address go: to the SIP server, whatever the domain. Undefined for other addresses. */
  nextHop(uri: string): string | undefined {
    return this.domains.has(uri) && !this.domains.isServer(uri) ? this.domains.server : undefined;
  }

  /** The Contacts of a local address; none for others. */
  contacts(uri: string): readonly Binding[] {
    return this.domains.hasHere(uri) ? this.#bindings.of(userOf(uri)) : [];
  }

  /** Has an INVITE ring at all these Contacts. */
  call(invite: ReceivedInvite, contacts: readonly Binding[], route: (invite: IncomingInvite) => void): void {
    if (this.#forks.size >= maxCalls || hopsLeft(invite.request) < 0) {
      invite.respond(this.#forks.size >= maxCalls ? serviceUnavailable : tooManyHops);
      return;
    }
    const [startedAt, fields] = [Date.now(), { from: invite.from, to: invite.request.uri }];
    const isClient = (uri: string) => this.domains.has(uri);
    const fork = new Fork(invite, {
      ...{ context: this.#context, isClient, route },
      ended: (termination) => {
        this.#forks.delete(fork);
        if (termination) this.#log(fields, termination, startedAt);
      },
    });
    this.#forks.add(fork);
    fork.start(contacts);
  }

  /** Has a text go to all these Contacts; it has arrived when one has taken it. */
  async message(
    request: ReceivedRequest,
    contacts: readonly Binding[],
    deliver: (called: string) => boolean,
  ): Promise<void> {
    const outcomes = await Promise.all(contacts.map(({ uri }) => this.#send(request, uri, deliver)));
    const taken = outcomes.some(({ status }) => status < 300);
    request.respond(taken ? 200 : bestRefusal(outcomes).status);
  }

  /** Ends the calls between phones. */
  async end(reason: string): Promise<void> {
    await Promise.all([...this.#forks].map((fork) => fork.end(reason)));
  }

  async #send(request: ReceivedRequest, uri: string, deliver: (called: string) => boolean): Promise<BranchRefusal> {
    if (this.domains.has(uri)) return { status: deliver(userOf(uri)) ? 200 : 404 };
    const headers = {
      From: withoutTag(request.header('from')),
      To: request.header('to'),
      'Content-Type': request.header('content-type'),
    };
    try {
      const { body } = request;
      const { status } = await this.#context.connection.request('MESSAGE', requestUri(uri), headers, { body });
      return { status };
    } catch {
      return { status: serviceUnavailable };
    }
  }

  #log(fields: Readonly<Record<string, unknown>>, { result, reason, sipStatus }: Termination, startedAt: number): void {
    const durationMs = Date.now() - startedAt;
    const status = sipStatus === undefined ? {} : { sipStatus };
    this.#options.log?.({ ...fields, result, reason, ...status, durationMs }, 'call to a local address ended');
  }
}
