import { formatNameAddr, parseNameAddr } from '../message/name-addr.js';
import { hostPort, parseSipUri } from '../message/uri.js';
import type { Protocol } from '../transport/types.js';

/** How this server names itself towards one peer. */
export interface LocalIdentity {
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** The Contact a user gets that gives none. */
export function defaultContact(local: LocalIdentity): string {
  return `<sip:${hostPort(local.host, local.port)}${local.protocol === 'tcp' ? ';transport=tcp' : ''}>`;
}

/** `@localhost` in the headers that name a user becomes this server's address. */
export function replaceLocalhost(value: string, local: LocalIdentity): string {
  return value.replace(/@localhost(?::\d+)?(?![\w.-])/gi, `@${hostPort(local.host, local.port)}`);
}

const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/** A Contact in a request that names another IPv4 address than the transport's could not be reached: it is rewritten. */
export function rewriteContact(value: string, local: LocalIdentity): string {
  const address = parseNameAddr(value);
  const uri = address && parseSipUri(address.uri);
  if (!address || !uri || !IPV4.test(uri.host) || !IPV4.test(local.host)) return value;
  if (uri.host === local.host && (uri.port === undefined || uri.port === local.port)) return value;
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  let params = `;transport=${local.protocol}`;
  for (const [name, text] of uri.params) if (name !== 'transport') params += `;${name}${text === '' ? '' : `=${text}`}`;
  return formatNameAddr({ ...address, uri: `${uri.scheme}:${user}${hostPort(local.host, local.port)}${params}` });
}
