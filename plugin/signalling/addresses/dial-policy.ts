import { partsOf } from './host-port.js';

/** Whom clients may call: patterns of `user@host` in which `*` stands for anything. */
export interface DialPolicyOptions {
  /** Without it, everybody. */
  readonly allow?: readonly string[];
  /** Wins over `allow`. */
  readonly deny?: readonly string[];
}

export class DialPolicy {
  readonly #allow: readonly RegExp[] | undefined;
  readonly #deny: readonly RegExp[];

  constructor({ allow, deny = [] }: DialPolicyOptions) {
    this.#allow = allow?.map(matcher);
    this.#deny = deny.map(matcher);
  }

  /** Whether a SIP URI may be called; its port, parameters and headers do not matter. */
  allows(uri: string): boolean {
    const parties = partiesOf(uri);
    const matches = (pattern: RegExp) => parties.some((party) => pattern.test(party));
    return (this.#allow === undefined || this.#allow.some(matches)) && !this.#deny.some(matches);
  }
}

/**
 * `user@host` of a URI as it is compared: characters that were escaped stand for themselves (RFC 3261 section 19.1.4), and
 * a number is the same with and without visual separators (RFC 3966 section 5.1.1), which a trunk may leave out.
 */
function partiesOf(uri: string): readonly string[] {
  const { userinfo = '', host = '' } = partsOf(uri);
  const user = unescaped(userinfo.replace(/[;:].*$/, ''));
  const digits = /^\+?[\d().-]+$/.test(user) ? user.replace(/[().-]/g, '') : user;
  return [user, digits].map((name) => `${name}@${host}`);
}

function unescaped(user: string): string {
  return user.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function matcher(pattern: string): RegExp {
  const literal = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`, 'i');
}
