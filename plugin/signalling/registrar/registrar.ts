import { parseNameAddr, userOf } from '../addresses/name-addr.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { challenges, checkAuthorization, type DigestAlgorithm } from './authorization.js';
import type { Binding, Bindings } from './bindings.js';
import type { LocalDomains } from './local-domains.js';
import { Nonces } from './nonces.js';
import { RateLimit } from './rate-limit.js';
import { readWish, type WantedContact } from './register-request.js';

/** Users and their passwords; one without a password registers without. */
export type Users = ReadonlyMap<string, string | undefined>;

export interface RegistrarOptions {
  readonly domains: LocalDomains;
  readonly bindings: Bindings;
  /** Who may register. Without it everybody, from this machine. */
  readonly users?: Users;
  /** What passwords are asked for by, the preferred first. Default SHA-256, MD5. */
  readonly algorithms?: readonly DigestAlgorithm[];
  readonly now?: () => number;
  readonly log?: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Seconds. A phone that refreshes more often is told so (423), one that wants longer gets this. */
const leastExpires = 60;
const mostExpires = 3_600;

const floodLimit = { burst: 100, perSecond: 20, addresses: 10_000 };
const retryAfterS = '5';

const realm = 'sono';
const loopback = /^(?:127\.|::1$|\[::1\]$)/;

const badRequest = 400;
const unauthorized = 401;
const forbidden = 403;
const notFound = 404;
const badExtension = 420;
const intervalTooBrief = 423;
const serviceUnavailable = 503;

/** A registrar for the local domains (RFC 3261 section 10.3). */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #now: () => number;
  readonly #nonces: Nonces;
  readonly #flood: RateLimit;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#nonces = new Nonces(this.#now);
    this.#flood = new RateLimit(floodLimit, this.#now);
  }

  receive(request: ReceivedRequest): void {
    if (this.#floods(request)) {
      request.respond(serviceUnavailable, { headers: { 'Retry-After': retryAfterS } });
      return;
    }
    const required = request.header('require').trim();
    if (required !== '') {
      request.respond(badExtension, { headers: { Unsupported: required } });
      return;
    }
    const address = parseNameAddr(request.header('to'))?.uri ?? '';
    const user = userOf(address);
    const { domains } = this.#options;
    if (user === '' || !domains.hasHere(request.uri) || !domains.hasHere(address)) request.respond(notFound);
    else if (this.#admits(user, request)) this.#register(user, request);
  }

  /** Our own clients' requests come from the server itself, and are limited where they come in. */
  #floods({ source: { address, port } }: ReceivedRequest): boolean {
    return !this.#options.domains.isServer(`sip:${address}:${port}`) && !this.#flood.allows(address);
  }

  /** Whether the sender may register this user; answers when not. */
  #admits(user: string, request: ReceivedRequest): boolean {
    const { users } = this.#options;
    const open = users === undefined && loopback.test(request.source.address);
    if (!open && !users?.has(user)) {
      this.#refused(user, request, 'nobody may register this name from there');
      request.respond(forbidden);
      return false;
    }
    const password = users?.get(user);
    if (password === undefined) return true;
    const { algorithms = ['SHA-256', 'MD5'] } = this.#options;
    const outcome = checkAuthorization(request, { user, password, realm }, { nonces: this.#nonces, algorithms });
    if (outcome === 'good') return true;
    if (outcome === 'wrong') this.#refused(user, request, 'wrong password');
    const headers = {
      'WWW-Authenticate': challenges(algorithms, { realm, nonce: this.#nonces.make(), stale: outcome === 'stale' }),
    };
    request.respond(unauthorized, { headers });
    return false;
  }

  #register(user: string, request: ReceivedRequest): void {
    const { bindings } = this.#options;
    const wish = readWish(request);
    const before = bindings.of(user);
    const sequence = Number.parseInt(request.header('cseq'), 10);
    const callId = request.header('call-id');
    const isLate = (binding: Binding) => binding.callId === callId && binding.sequence >= sequence;
    if (!wish || Number.isNaN(sequence)) {
      request.respond(badRequest);
    } else if (wish.type === 'query') {
      this.#granted(user, request);
    } else if (before.some(isLate)) {
      // Overtaken by a later one (section 10.3 step 7).
      request.respond(badRequest);
    } else if (wish.type === 'forget-all') {
      bindings.replace(user, []);
      this.#granted(user, request);
    } else if (wish.contacts.some(({ expires }) => expires > 0 && expires < leastExpires)) {
      request.respond(intervalTooBrief, { headers: { 'Min-Expires': String(leastExpires) } });
    } else if (bindings.replace(user, this.#merged(before, wish.contacts, { callId, sequence, request }))) {
      this.#granted(user, request);
    } else {
      this.#refused(user, request, 'too many registrations');
      request.respond(forbidden);
    }
  }

  #merged(
    before: readonly Binding[],
    wanted: readonly WantedContact[],
    { callId, sequence, request }: { callId: string; sequence: number; request: ReceivedRequest },
  ): readonly Binding[] {
    const named = new Set(wanted.map(({ uri }) => keyOf(uri)));
    const kept = before.filter(({ uri }) => !named.has(keyOf(uri)));
    const added = new Map<string, Binding>();
    for (const { uri, expires } of wanted) {
      const until = this.#now() + Math.min(expires, mostExpires) * 1000;
      if (expires > 0) added.set(keyOf(uri), { uri, until, callId, sequence, source: request.source });
      else added.delete(keyOf(uri));
    }
    return [...added.values(), ...kept];
  }

  /** The answer names all Contacts of the address (section 10.3 step 8). */
  #granted(user: string, request: ReceivedRequest): void {
    const seconds = (until: number) => Math.max(1, Math.round((until - this.#now()) / 1000));
    const contacts = this.#options.bindings.of(user).map(({ uri, until }) => `<${uri}>;expires=${seconds(until)}`);
    request.respond(200, contacts.length === 0 ? {} : { headers: { Contact: contacts.join(', ') } });
  }

  #refused(user: string, request: ReceivedRequest, reason: string): void {
    this.#options.log?.({ user, from: request.source.address, reason }, 'registration refused');
  }
}

/** Contacts are the same when host, port, user and parameters are (section 19.1.4), as far as phones vary them. */
function keyOf(uri: string): string {
  const [, scheme = '', user = '', rest = ''] = /^(sips?:)([^@]*@)?(.*)$/i.exec(uri) ?? [];
  return scheme.toLowerCase() + user + rest.toLowerCase();
}
