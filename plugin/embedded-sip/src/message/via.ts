import { areWellFormedParams, type Params, parseParams } from './params.js';

export interface Via {
  /** Transport as written, lower case: udp, tcp, tls, ... */
  readonly transport: string;
  /** Host of sent-by, IPv6 without brackets, lower case. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

/** RFC 3261 section 20.42; white space is allowed around the slashes and the colon. */
const VIA =
  /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9.+-]+)\s+(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))\s*(?::\s*(\d{1,5}))?\s*(;.*)?$/i;

/** Branch prefix of RFC 3261 section 8.1.1.7: only such branches identify a transaction by themselves. */
export const MAGIC_COOKIE = 'z9hG4bK';

export function parseVia(text: string): Via | undefined {
  const match = VIA.exec(text);
  if (!match || !areWellFormedParams(match[5] ?? '')) return undefined;
  const port = match[4] === undefined ? undefined : Number(match[4]);
  if (port !== undefined && port > 65535) return undefined;
  return {
    transport: (match[1] ?? '').toLowerCase(),
    host: (match[2] ?? match[3] ?? '').toLowerCase(),
    port,
    params: parseParams(match[5] ?? ''),
  };
}

/**
 * A Via element with the source address filled in: `rport` always gets the source port (also when the sender did not ask,
 * as the drachtio server does it), `received` is added when sent-by is another address (RFC 3261 section 18.2.1, RFC 3581).
 */
export function stampVia(element: string, via: Via, address: string, port: number): string {
  let stamped = element;
  const rport = via.params.get('rport');
  if (rport === undefined) stamped += `;rport=${port}`;
  else if (rport === '') stamped = stamped.replace(/;\s*rport\s*=?\s*(?=;|$)/i, `;rport=${port}`);
  if (via.host !== address.toLowerCase() && !via.params.has('received')) stamped += `;received=${address}`;
  return stamped;
}
