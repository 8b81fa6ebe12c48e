import { areWellFormedParams, type Params, parseParams } from './params.js';

/** One element of From, To, Contact, Route, Record-Route, Refer-To, ... */
export interface NameAddr {
  /** Display name as written, quotes included; empty when absent. */
  readonly display: string;
  readonly uri: string;
  /** Header parameters, those after the closing bracket. */
  readonly params: Params;
  /** Parameters as written, with their leading semicolon. */
  readonly paramsText: string;
}

/**
 * Parses a name-addr or addr-spec. Without angle brackets everything after the first semicolon is a header parameter, not a
 * URI parameter, and the URI has neither comma nor question mark (RFC 3261 section 20.10).
 */
export function parseNameAddr(text: string): NameAddr | undefined {
  const open = openBracket(text);
  if (open === -1) {
    const semicolon = text.indexOf(';');
    const uri = (semicolon === -1 ? text : text.slice(0, semicolon)).trim();
    if (!/^[a-z][a-z0-9+.-]*:[^\s<>"?,]+$/i.test(uri)) return undefined;
    return withParams('', uri, semicolon === -1 ? '' : text.slice(semicolon));
  }
  const close = text.indexOf('>', open);
  if (close === -1) return undefined;
  const uri = text.slice(open + 1, close).trim();
  const tail = text.slice(close + 1).trim();
  if (uri === '' || /\s/.test(uri) || (tail !== '' && !tail.startsWith(';'))) return undefined;
  return withParams(text.slice(0, open).trim(), uri, tail);
}

const DISPLAY_NAME = /^(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9\-.!%*_+`'~ \t]*)$/s;

/** As strict as the grammar where a peer's address is concerned: a display name is quoted or made of tokens. */
export function parsePeerAddress(text: string): NameAddr | undefined {
  const address = parseNameAddr(text);
  if (!address || !DISPLAY_NAME.test(address.display) || !areWellFormedParams(address.paramsText)) return undefined;
  return address;
}

export function formatNameAddr(address: NameAddr): string {
  return `${address.display === '' ? '' : `${address.display} `}<${address.uri}>${address.paramsText}`;
}

/** The same address with another tag parameter added at the end. */
export function withTag(address: NameAddr, tag: string): NameAddr {
  return withParams(address.display, address.uri, `${address.paramsText};tag=${tag}`);
}

/** The same address without its tag. */
export function withoutTag(address: NameAddr): NameAddr {
  return withParams(address.display, address.uri, address.paramsText.replace(/;\s*tag\s*=\s*[^;\s]*/gi, ''));
}

function withParams(display: string, uri: string, paramsText: string): NameAddr {
  const trimmed = paramsText.trim();
  return { display, uri, paramsText: trimmed, params: parseParams(trimmed) };
}

function openBracket(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') return i;
  }
  return -1;
}
