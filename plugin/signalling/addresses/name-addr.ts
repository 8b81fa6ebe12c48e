/** An address in a header: `"Bob" <sip:bob@example.com>;tag=1` (RFC 3261 section 20.10). */
export interface NameAddr {
  readonly uri: string;
  /** Without its quotes. */
  readonly displayName?: string;
  /** Parameters of the header, names in lower case, values without quotes; empty where there is none. */
  readonly parameters: ReadonlyMap<string, string>;
}

const quotedString = /^"(?:[^"\\]|\\.)*"/s;

/** Reads one address, in time that grows with its length only. Undefined when it is none. */
export function parseNameAddr(header: string): NameAddr | undefined {
  const text = header.trim();
  const quoted = quotedString.exec(text)?.[0];
  const open = text.indexOf('<', quoted?.length ?? 0);
  const end = open === -1 ? text.search(/[;,\s]|$/) : text.indexOf('>', open);
  if (end === -1) return undefined;
  const uri = text.slice(open + 1, end).trim();
  if (!/^[a-z][a-z0-9+.-]*:[^\s<>]+$/i.test(uri)) return undefined;
  const name = open === -1 ? '' : (quoted ?? text.slice(0, open).trim());
  const displayName = name.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
  const parameters = parseParameters(text.slice(open === -1 ? end : end + 1));
  return { uri, parameters, ...(displayName !== '' && { displayName }) };
}

/** Reads `;name=value;name`, of a header or a URI. */
export function parseParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token] of text.matchAll(
    /;\s*([^\s;=,]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,]*)))?/g,
  )) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return parameters;
}

/** From or To of a message of ours that begins something: the tag of another dialog is not its own. */
export const withoutTag = (header: string): string => header.replace(/;\s*tag\s*=[^;,\s]*/i, '');

/** What tells one side of a dialog from those of others, in From or To; empty where there is none. */
export const tagOf = (header: string): string => parseNameAddr(header)?.parameters.get('tag') ?? '';

/** Text as a quoted-string (RFC 3261 section 25.1), which a line break in it does not end. */
export const quote = (text: string): string => `"${text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;

/**
 * Splits the addresses of a header at commas outside of quotes and brackets. What opens and is not closed goes on to the end:
 * a search for each such end would take a time that grows with the square of the length.
 */
export function splitAddresses(header: string): string[] {
  const address = /(?:"(?:[^"\\]|\\.?)*(?:"|$)|<[^>]*(?:>|$)|[^,"<]+)+/gs;
  return header.match(address)?.map((part) => part.trim()) ?? [];
}

/** User part of a SIP URI, unescaped (RFC 3261 section 19.1.2); what is escaped wrongly is left as it is. */
export function userOf(uri: string): string {
  const user = /^sips?:([^@;?]*)@/i.exec(uri)?.[1]?.split(':', 1)[0] ?? '';
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
