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

  constructor(bound: string, advertised: string | undefined) {
    this.bound = bound;
    this.advertised = advertised;
    this.#external = isWildcard(bound) ? firstExternal(isIpv6(bound)) : bound;
  }

  facing(peer: string): string {
    if (isLoopback(peer)) return isWildcard(this.bound) ? (isIpv6(this.bound) ? '::1' : '127.0.0.1') : this.bound;
    return this.advertised ?? this.#external;
  }

  /** Whether a host in a URI means this server. */
  isOurs(host: string): boolean {
    if (host === 'localhost' || host === this.bound || host === this.advertised || host === this.#external) return true;
    return isWildcard(this.bound) && isLoopback(host);
  }
}

function firstExternal(ipv6: boolean): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (!address.internal && address.family === (ipv6 ? 'IPv6' : 'IPv4') && !address.address.startsWith('fe80'))
        return address.address;
    }
  }
  return ipv6 ? '::1' : '127.0.0.1';
}
