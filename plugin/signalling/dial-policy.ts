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
    const party = partyOf(uri);
    const matches = (pattern: RegExp) => pattern.test(party);
    return (this.#allow === undefined || this.#allow.some(matches)) && !this.#deny.some(matches);
  }
}

/** `user@host` of a URI as it is compared: characters that were escaped stand for themselves (RFC 3261 section 19.1.4). */
function partyOf(uri: string): string {
  const [, user = '', host = ''] = /^sips?:(?:([^@]*)@)?(\[[^\]]*\]|[^:;?]*)/.exec(uri) ?? [];
  return `${unescaped(user.replace(/[;:].*$/, ''))}@${host}`;
}

function unescaped(user: string): string {
  return user.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function matcher(pattern: string): RegExp {
  const literal = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`, 'i');
}
