import type { Clock } from '../clock.js';
import type { SipRequest } from '../message/message.js';
import { parseNameAddr } from '../message/name-addr.js';
import { parseSipUri } from '../message/uri.js';
import type { OutgoingResponse } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Flow, Target } from '../transport/types.js';

/** Contacts remembered at once; a phone that does not fit is reached by its Contact like any other. */
const MAX_CONTACTS = 10_000;
const DEFAULT_EXPIRES = 3_600;

interface Registered {
  readonly target: Target;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** The TCP connections over which phones have registered: a request to such a contact goes back over the connection. */
export class RegisteredConnections {
  readonly #clock: Clock;
  readonly #byUser = new Map<string, Registered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onRegistered(request: SipRequest, response: OutgoingResponse, flow: Flow): void {
    if (flow.protocol !== 'tcp' || response.status < 200 || response.status > 299) return;
    const fallback = response.headers.get('expires') ?? request.headers.get('expires');
    const granted = new Map(response.headers.list('contact').map((contact) => [userOf(contact), contact]));
    for (const contact of request.headers.list('contact')) {
      const user = userOf(contact);
      if (user === undefined) continue;
      const expires = Number(expiresOf(granted.get(user)) ?? fallback ?? expiresOf(contact) ?? DEFAULT_EXPIRES);
      this.#byUser.delete(user);
      if (!(expires > 0)) continue;
      if (this.#byUser.size >= MAX_CONTACTS) this.#dropOldest();
      this.#byUser.set(user, { target: targetOf(flow), until: this.#clock.now() + expires * 1000 });
    }
  }

  find(uri: string): Target | undefined {
    const user = userOf(`<${uri}>`);
    const known = user === undefined ? undefined : this.#byUser.get(user);
    if (!user || !known) return undefined;
    if (known.until > this.#clock.now()) return known.target;
    this.#byUser.delete(user);
    return undefined;
  }

  #dropOldest(): void {
    const oldest = this.#byUser.keys().next().value;
    if (oldest !== undefined) this.#byUser.delete(oldest);
  }
}

function userOf(contact: string): string | undefined {
  const uri = parseSipUri(parseNameAddr(contact)?.uri ?? '');
  return uri?.user === undefined ? undefined : `${uri.user}@${uri.host}`;
}

function expiresOf(contact: string | undefined): string | undefined {
  return contact === undefined ? undefined : parseNameAddr(contact)?.params.get('expires');
}
