import type { TextMessage } from '../call/ports.js';
import { parseNameAddr } from './addresses/name-addr.js';
import type { ReceivedRequest } from './drachtio/received-request.js';

/** Bytes of a text that we take. */
const maxReceivedBytes = 8_192;
/** Bytes of a text that we send: the whole request is to fit 1,300 (RFC 3428 section 8). */
export const maxSentBytes = 900;

export interface TextRefusal {
  readonly refusal: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads a MESSAGE, or says how it is to be refused (RFC 3428). */
export function readText(request: ReceivedRequest): TextMessage | TextRefusal {
  const type = request.header('content-type');
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const from = parseNameAddr(request.header('from'))?.uri;
  if (from === undefined) return { refusal: 400, headers: {} };
  if (!/^text\/plain\b/i.test(type) || !['utf-8', 'us-ascii'].includes(charset)) {
    return { refusal: 415, headers: { Accept: 'text/plain' } };
  }
  if (Buffer.byteLength(request.body) > maxReceivedBytes) return { refusal: 413, headers: {} };
  return { from, text: request.body };
}
