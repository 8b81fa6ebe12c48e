import { isIPv6 } from 'node:net';
import type { DialTarget } from '../../call/ports.js';

/** Longest dial string that is looked at. */
const maxLength = 1024;

// RFC 3261 section 25.1, as far as a person dials: userinfo, host, port, URI parameters, headers.
const uriPattern =
  /^(?<scheme>sips?):(?:(?<user>[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]+)@)?(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>\d{1,5}))?(?<parameters>(?:;[A-Za-z0-9\-_.!~*'()[\]/:&+$%]+(?:=[A-Za-z0-9\-_.!~*'()[\]/:&+$%]+)?)*)(?:\?(?<headers>[A-Za-z0-9\-_.!~*'()[\]/?:+$%&=]+))?$/;

/** A name and an address in angle brackets (RFC 3261 section 25.1); who is called is the address. */
const nameAddr = /^(?:"(?:[^"\\]|\\.)*"\s*|[^<>"]*)<(?<uri>[^<>]*)>/;

/** RFC 3966: a number as a person writes it, and where it is meant. */
const telPattern = /^tel:(?<number>\+?[\d*#().\- ]+)(?<parameters>(?:;[A-Za-z0-9-]+(?:=[A-Za-z0-9.+\-%]+)?)*)$/i;

/** A number or an extension, or the user part alone of an address. */
const numberPattern = /^\+?[\d*#][\d*#().\- ]*$/;
const userPattern = /^[A-Za-z0-9_.-]+$/;

const separators = /[().\- ]/g;

/** What a dialled URI may put into the INVITE (RFC 3261 section 19.1.5 warns of all that it could). */
const allowedHeaders = /^(?:subject|priority|user-to-user|x-[a-z0-9-]+)$/i;

export interface DialRules {
  /** Host, and port if need be, of numbers and names that are dialled without one. */
  readonly domain?: string | undefined;
  /** Whether calls can be made over TLS. */
  readonly tls?: boolean;
}

/**
 * Reads what a person dialled: a SIP or tel URI, such a URI behind a name, `user@host`, a number or an extension.
 * Anything else, control characters and line breaks above all, is refused with words for that person.
 */
export function parseDialString(dialled: string, rules: DialRules = {}): DialTarget {
  const text = dialled.trim();
  if (text.length > maxLength) {
    return { refusal: `the address has ${text.length} characters; at most ${maxLength} are allowed` };
  }
  const address = nameAddr.exec(text)?.groups?.uri?.trim() ?? text;
  const tel = telPattern.exec(address)?.groups;
  if (tel) return readTel(tel.number ?? '', tel.parameters ?? '', rules, text);
  if (numberPattern.test(address)) return inDomain(address.replace(separators, ''), '', rules, text);
  if (userPattern.test(address)) return inDomain(address, '', rules, text);
  const scheme = (found: string) => found.toLowerCase();
  return readUri(/^[^:@]+@[^@]+$/.test(address) ? `sip:${address}` : address.replace(/^sips?:/i, scheme), rules, text);
}

function readTel(number: string, parameters: string, rules: DialRules, text: string): DialTarget {
  const context = /;phone-context=([^;]+)/i.exec(parameters)?.[1];
  // A context is the domain in which the number means something, or the digits that come before it (section 5.1.5).
  const digits = number.replace(separators, '');
  if (context?.startsWith('+'))
    return inDomain(`${context.replace(separators, '')}${digits}`, ';user=phone', rules, text);
  return inDomain(digits, ';user=phone', context === undefined ? rules : { ...rules, domain: context }, text);
}

function inDomain(user: string, parameters: string, rules: DialRules, text: string): DialTarget {
  if (rules.domain === undefined) {
    return {
      refusal: `${quote(text)} has no domain, and none is configured; dial an address such as sip:bob@example.com`,
    };
  }
  return readUri(`sip:${user.replaceAll('#', '%23')}@${rules.domain}${parameters}`, rules, text);
}

function readUri(uri: string, { tls = false }: DialRules, text: string): DialTarget {
  const match = uriPattern.exec(uri)?.groups;
  if (!match) return { refusal: `${quote(text)} is no SIP address; dial one such as sip:echo@localhost` };
  const { scheme, host = '', port, parameters = '', headers } = match;
  const secure = scheme === 'sips' || /;transport=tls(?:;|$)/i.test(parameters);
  if (secure && !tls) {
    return { refusal: `${quote(text)} asks for TLS, which the SIP server has no address for` };
  }
  if (host.startsWith('[') && !isIPv6(host.slice(1, -1))) {
    return { refusal: `${quote(text)} has an IPv6 address that is not valid` };
  }
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    return { refusal: `${quote(text)} has port ${port}; a port is a number from 1 to 65535` };
  }
  const refusal = headers === undefined ? undefined : refuseHeaders(headers, text);
  return refusal === undefined ? { uri } : { refusal };
}

function refuseHeaders(headers: string, text: string): string | undefined {
  for (const [name, value] of readHeaders(headers)) {
    if (!allowedHeaders.test(name)) return `${quote(text)} sets the header ${quote(name)}, which a caller may not set`;
    if (value === undefined) return `${quote(text)} has a header that is not valid`;
  }
  return undefined;
}

/** Names and values; no value where it is no text of one line. */
function readHeaders(headers: string): [name: string, value: string | undefined][] {
  return headers.split('&').map((header) => {
    const equals = header.indexOf('=');
    const [name, value] = equals === -1 ? [header, ''] : [header.slice(0, equals), header.slice(equals + 1)];
    return [name, decoded(value)];
  });
}

function decoded(value: string): string | undefined {
  try {
    const text = decodeURIComponent(value);
    return /\p{C}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * The Request-URI for a dialled one: names the transport, which a drachtio server otherwise chooses by itself and
 * writes into To.
 */
export function requestUri(uri: string): string {
  const bare = withoutHeaders(uri);
  return bare.startsWith('sips:') || /;transport=/i.test(bare) ? bare : `${bare};transport=udp`;
}

/** The dialled URI as a header's address: its parameters stay in the Request-URI. */
export function addressOf(uri: string): string {
  const bare = withoutHeaders(uri);
  const semicolon = bare.indexOf(';', bare.indexOf('@') + 1);
  return `<${semicolon === -1 ? bare : bare.slice(0, semicolon)}>`;
}

/** The headers that a dialled URI puts into the INVITE. */
export function headersOf(uri: string): Record<string, string> {
  const at = headersAt(uri);
  if (at === -1) return {};
  return Object.fromEntries(readHeaders(uri.slice(at + 1)).map(([name, value = '']) => [name, value]));
}

const withoutHeaders = (uri: string): string => (headersAt(uri) === -1 ? uri : uri.slice(0, headersAt(uri)));

/** A question mark may also stand in the user part. */
const headersAt = (uri: string): number => uri.indexOf('?', uri.indexOf('@') + 1);

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
