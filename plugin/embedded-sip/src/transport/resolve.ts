import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SipUri } from '../message/uri.js';
import { isIpv6 } from './local-address.js';
import type { Protocol, Target } from './types.js';

const DNS_MS = 3_000;

/**
 * Finds the address of a next hop (RFC 3263, with the transport already chosen). IP literals and localhost answer at once,
 * other names by SRV when the URI has no port, then by address. Calls back with undefined when the name does not resolve.
 */
export function resolveTarget(
  uri: SipUri,
  protocol: Protocol,
  boundTo: string,
  found: (target: Target | undefined) => void,
): void {
  const host = uri.params.get('maddr') ?? uri.host;
  const port = uri.port ?? 5060;
  const ipv6 = isIpv6(boundTo);
  if (host === 'localhost') {
    found({ protocol, address: ipv6 ? '::1' : '127.0.0.1', port });
    return;
  }
  const family = isIP(host);
  if (family !== 0) {
    found((family === 6) === ipv6 ? { protocol, address: host, port } : undefined);
    return;
  }
  resolveName(host, uri.port, protocol, ipv6 ? 6 : 4).then(found, () => found(undefined));
}

async function resolveName(host: string, port: number | undefined, protocol: Protocol, family: 4 | 6): Promise<Target> {
  const service = port === undefined ? await firstService(host, protocol) : undefined;
  const { address } = await lookup(service?.name ?? host, { family });
  return { protocol, address, port: service?.port ?? port ?? 5060 };
}

async function firstService(host: string, protocol: Protocol): Promise<{ name: string; port: number } | undefined> {
  try {
    const records = await new Resolver({ timeout: DNS_MS, tries: 1 }).resolveSrv(`_sip._${protocol}.${host}`);
    return records.sort((a, b) => a.priority - b.priority || b.weight - a.weight)[0];
  } catch {
    // No SRV record is the usual case; the address record decides whether the name exists.
    return undefined;
  }
}
