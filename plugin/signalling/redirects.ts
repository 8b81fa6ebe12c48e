import type { DialTarget } from '../call/ports.js';
import { parseNameAddr, splitAddresses } from './addresses/name-addr.js';
import type { SipAnswer } from './drachtio/sip-answer.js';

/** Addresses that one call is tried at, the dialled one not counted. */
const maxTargets = 5;
/** A proxy of the far end's choice is none that we use (RFC 3261 section 21.3.4), other services are no address. */
const notFollowed: ReadonlySet<number> = new Set([305, 380]);

/** Where a call is sent on to by 3xx responses: within bounds, nowhere twice, and only where one could have dialled. */
export class Redirects {
  readonly #resolve: (uri: string) => DialTarget;
  readonly #seen: Set<string>;
  #waiting: string[] = [];
  #followed = 0;

  constructor(dialled: string, resolve: (uri: string) => DialTarget) {
    this.#resolve = resolve;
    this.#seen = new Set([keyOf(dialled)]);
  }

  /** The address to try after this response; undefined when there is none. */
  next(answer: SipAnswer): string | undefined {
    if (notFollowed.has(answer.status)) return this.alternative();
    const contacts = splitAddresses(answer.header('contact')).flatMap((contact) => parseNameAddr(contact) ?? []);
    const weight = (q: string | undefined) => (q === undefined || Number.isNaN(Number(q)) ? 1 : Number(q));
    contacts.sort((a, b) => weight(b.parameters.get('q')) - weight(a.parameters.get('q')));
    this.#waiting.unshift(...contacts.map(({ uri }) => uri.replace(/\?.*$/s, '')));
    return this.alternative();
  }

  /** The best address not tried yet. */
  alternative(): string | undefined {
    for (let uri = this.#waiting.shift(); uri !== undefined; uri = this.#waiting.shift()) {
      const target = this.#resolve(uri);
      if ('refusal' in target || this.#seen.has(keyOf(target.uri))) continue;
      if (++this.#followed > maxTargets) return undefined;
      this.#seen.add(keyOf(target.uri));
      return target.uri;
    }
    return undefined;
  }
}

const keyOf = (uri: string): string => uri.replace(/;transport=udp$/i, '').toLowerCase();
