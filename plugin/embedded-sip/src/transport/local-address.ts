import { networkInterfaces } from 'node:os';

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\./.test(address);
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** The address this host shows to a peer: what is advertised, what is bound, or for a wildcard the one facing that peer. */
export class LocalAddress {
  readonly bound: string;
  readonly advertised: string | undefined;
  readonly #external: string;
  readonly #own: ReadonlySet<string>;

  constructor(bound: string, advertised: string | undefined) {
    this.bound = bound;
    this.advertised = advertised;
    const externals = isWildcard(bound) ? externalAddresses(isIpv6(bound)) : [bound];
    this.#external = externals[0] ?? (isIpv6(bound) ? '::1' : '127.0.0.1');
    this.#own = new Set(['localhost', ...externals, ...(advertised === undefined ? [] : [advertised])]);
  }

  facing(peer: string): string {
    if (isLoopback(peer)) return isWildcard(this.bound) ? (isIpv6(this.bound) ? '::1' : '127.0.0.1') : this.bound;
    return this.advertised ?? this.#external;
  }

  /** Whether a host in a URI means this server. */
  isOurs(host: string): boolean {
    return this.#own.has(host) || (isWildcard(this.bound) && isLoopback(host));
  }
}

function externalAddresses(ipv6: boolean): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, address }) => !internal && (family === 'IPv6') === ipv6 && !address.startsWith('fe80'))
    .map(({ address }) => address);
}
