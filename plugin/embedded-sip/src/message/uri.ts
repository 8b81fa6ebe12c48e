import { type Params, parseParams } from './params.js';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Host name, IPv4 address, or IPv6 address without its brackets; lower case. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** Text after `?`, not decoded. */
  readonly headers: string | undefined;
}

const HOST_PORT = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?))(?::(\d{1,5}))?$/;

/** Parses a SIP or SIPS URI (RFC 3261 section 19.1); undefined for anything else, other schemes included. */
export function parseSipUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  if (/[\s<>"]/.test(text)) return undefined;
  const rest = text.slice(colon + 1);
  const at = rest.indexOf('@');
  const userInfo = at === -1 ? undefined : rest.slice(0, at);
  const afterUser = rest.slice(at + 1);
  const question = afterUser.indexOf('?');
  const hostAndParams = question === -1 ? afterUser : afterUser.slice(0, question);
  const semicolon = hostAndParams.indexOf(';');
  const hostPort = (semicolon === -1 ? hostAndParams : hostAndParams.slice(0, semicolon)).toLowerCase();
  const match = HOST_PORT.exec(hostPort);
  if (!match || userInfo === '') return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port === 0 || port > 65535)) return undefined;
  const password = userInfo?.indexOf(':') ?? -1;
  return {
    scheme,
    user: password === -1 ? userInfo : userInfo?.slice(0, password),
    password: password === -1 ? undefined : userInfo?.slice(password + 1),
    host: match[1] ?? match[2] ?? '',
    port,
    params: parseParams(semicolon === -1 ? '' : hostAndParams.slice(semicolon)),
    headers: question === -1 ? undefined : afterUser.slice(question + 1),
  };
}

/** Host as it is written in URIs and Via: IPv6 addresses in brackets. */
export function uriHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `host:port` as written in URIs and Via. */
export function hostPort(host: string, port: number): string {
  return `${uriHost(host)}:${port}`;
}
