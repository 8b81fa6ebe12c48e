import { parseNameAddr, splitAddresses } from '../addresses/name-addr.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';

/** Contacts that are looked at in one REGISTER. */
const maxContacts = 20;
const defaultExpires = 3_600;
/** RFC 3261 section 20.19. */
const greatestExpires = 2 ** 32 - 1;

/** What a REGISTER asks for, beside the address: nothing, to forget all Contacts, or to change some. */
export type RegisterWish =
  | { readonly type: 'query' }
  | { readonly type: 'forget-all' }
  | { readonly type: 'change'; readonly contacts: readonly WantedContact[] };

export interface WantedContact {
  readonly uri: string;
  /** Seconds; 0 to be forgotten. */
  readonly expires: number;
}

/** Contacts that requests can be sent to: a SIP URI of a host, with nothing in it that could end a header. */
const contactUri =
  /^sips?:(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/%:]{1,128}@)?(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?:;[A-Za-z0-9\-_.!~*'()[\]/:&+$%]+(?:=[A-Za-z0-9\-_.!~*'()[\]/:&+$%"]+)?)*$/i;

/** Reads Contact and Expires of a REGISTER; undefined when they make no sense (RFC 3261 section 10.3 steps 6 and 7). */
export function readWish(request: Pick<ReceivedRequest, 'header'>): RegisterWish | undefined {
  const contact = request.header('contact').trim();
  const expires = readExpires(request.header('expires'), defaultExpires);
  if (expires === undefined) return undefined;
  if (contact === '') return { type: 'query' };
  if (contact === '*') return request.header('expires').trim() === '0' ? { type: 'forget-all' } : undefined;
  const contacts = readContacts(contact, expires);
  return contacts && { type: 'change', contacts };
}

function readContacts(header: string, fallback: number): readonly WantedContact[] | undefined {
  const texts = splitAddresses(header);
  if (texts.length > maxContacts) return undefined;
  const contacts: WantedContact[] = [];
  for (const text of texts) {
    const address = parseNameAddr(text);
    const expires = readExpires(address?.parameters.get('expires') ?? '', fallback);
    if (!address || !contactUri.test(address.uri) || expires === undefined) return undefined;
    contacts.push({ uri: address.uri, expires });
  }
  return contacts;
}

/** Undefined for what is no number of seconds; a number beyond the greatest is that (section 20.19). */
function readExpires(text: string, fallback: number): number | undefined {
  if (text.trim() === '') return fallback;
  return /^\s*\d{1,15}\s*$/.test(text) ? Math.min(Number(text), greatestExpires) : undefined;
}
