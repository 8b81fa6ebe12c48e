import { isIPv6 } from 'node:net';
import type { DialTarget } from '../call/ports.js';

/** Longest dial string that is looked at. */
const maxLength = 1024;

// RFC 3261 section 25.1, as far as a person dials: userinfo, host, port, URI parameters.
const pattern =
  /^(?<scheme>sips?):(?:(?<user>[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]+)@)?(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>\d{1,5}))?(?<parameters>(?:;[A-Za-z0-9\-_.!~*'()[\]/:&+$%]+(?:=[A-Za-z0-9\-_.!~*'()[\]/:&+$%]+)?)*)$/;

/**
 * Reads what a person dialled: a SIP URI, or `user@host` with the scheme left out. Anything else, control characters
 * and line breaks above all, is refused with words for that person.
 */
export function parseDialString(dialled: string): DialTarget {
  const text = dialled.trim();
  if (text.length > maxLength) {
    return { refusal: `the address has ${text.length} characters; at most ${maxLength} are allowed` };
  }
  const uri = /^[^:@]+@[^@]+$/.test(text) ? `sip:${text}` : text.replace(/^sips?:/i, (scheme) => scheme.toLowerCase());
  const match = pattern.exec(uri)?.groups;
  if (!match) return { refusal: `${quote(text)} is no SIP address; dial one such as sip:echo@localhost` };
  if (match.scheme === 'sips') return { refusal: `${quote(text)} asks for TLS (sips), which is not available here` };
  if (match.host?.startsWith('[') && !isIPv6(match.host.slice(1, -1))) {
    return { refusal: `${quote(text)} has an IPv6 address that is not valid` };
  }
  if (match.port !== undefined && (Number(match.port) < 1 || Number(match.port) > 65535)) {
    return { refusal: `${quote(text)} has port ${match.port}; a port is a number from 1 to 65535` };
  }
  return { uri };
}

/**
 * The Request-URI for a dialled one: names the transport, which a drachtio server otherwise chooses by itself and
 * writes into To.
 */
export function requestUri(uri: string): string {
  return /;transport=/i.test(uri) ? uri : `${uri};transport=udp`;
}

/** The dialled URI as a header's address: its parameters stay in the Request-URI. */
export function addressOf(uri: string): string {
  const semicolon = uri.indexOf(';', uri.indexOf('@') + 1);
  return `<${semicolon === -1 ? uri : uri.slice(0, semicolon)}>`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
