import type { Referral } from '../../call/ports.js';
import { parseNameAddr } from '../addresses/name-addr.js';

export const sipfrag = 'message/sipfrag;version=2.0';

/** The status in the body of a NOTIFY about a transfer (RFC 3515 section 2.4.5). */
export function readSipfrag(body: string): { readonly status: number; readonly reason: string } | undefined {
  const [, status, reason = ''] = /^\s*SIP\/2\.0 +([1-6]\d\d)(?: +([^\r\n]*))?/i.exec(body) ?? [];
  return status === undefined ? undefined : { status: Number(status), reason };
}

export function writeSipfrag(status: number, reason: string): string {
  return `SIP/2.0 ${status} ${reason.replace(/[^\x20-\x7e]/g, ' ')}\r\n`;
}

/** Longest Refer-To that is looked at. */
const maxLength = 2_048;

/**
 * Reads Refer-To, with the Replaces that may stand in its URI (RFC 3891 section 3). Undefined when it asks for anything
 * but an INVITE, or cannot be read.
 */
export function readReferral(referTo: string, referredBy: string): Referral | undefined {
  if (referTo.length > maxLength) return undefined;
  const [, address = '', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(parseNameAddr(referTo)?.uri ?? '') ?? [];
  const method = /;method=([^;]*)/i.exec(address)?.[1] ?? 'INVITE';
  if (address === '' || method.toUpperCase() !== 'INVITE') return undefined;
  const replaces = /(?:^|&)Replaces=([^&]*)/i.exec(query)?.[1];
  return {
    uri: address.replace(/;method=[^;]*/i, ''),
    ...(replaces !== undefined && { replaces: unescaped(replaces) }),
    ...(referredBy !== '' && { referredBy }),
  };
}

/** A line break must not get from a URI into a header. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text).replace(/[\r\n\0]/g, ' ');
  } catch {
    return text;
  }
}

/** What a Replaces header names (RFC 3891 section 6.1); tags as the one who reads it sees them. */
export interface ReplacedDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** It is to be replaced only while it rings. */
  readonly earlyOnly: boolean;
}

export function readReplaces(header: string): ReplacedDialog | undefined {
  const [callId = '', ...parameters] = header.split(';').map((part) => part.trim());
  const value = (name: string) =>
    parameters.find((part) => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const localTag = value('to-tag');
  const remoteTag = value('from-tag');
  if (callId === '' || localTag === undefined || remoteTag === undefined) return undefined;
  return { callId, localTag, remoteTag, earlyOnly: parameters.some((part) => part.toLowerCase() === 'early-only') };
}
