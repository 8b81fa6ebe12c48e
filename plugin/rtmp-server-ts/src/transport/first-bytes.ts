import { isRtmpeType, RTMP_VERSION } from '../handshake/constants.js';

/** What a connection begins with; `undecided` until more bytes are there. */
export type FirstBytes = 'rtmp' | 'http' | 'policy' | 'tls' | 'unknown' | 'undecided';

/** What Flash Player sends, to the port that it wants to connect to or to 843, before ActionScript may open a plain socket. */
export const POLICY_REQUEST = new TextEncoder().encode('<policy-file-request/>\0');

/** The content type of a TLS record that holds a handshake (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

/** One port serves every protocol: the first byte tells them apart. HTTP methods are upper case letters (RFC 9110 section 9.1). */
export function tellFirstBytes(bytes: Uint8Array): FirstBytes {
  const [first] = bytes;
  if (first === undefined) return 'undecided';
  if (first === RTMP_VERSION || isRtmpeType(first)) return 'rtmp';
  if (first === TLS_HANDSHAKE) return 'tls';
  if (first >= 0x41 && first <= 0x5a) return 'http';
  return tellPolicyRequest(bytes);
}

function tellPolicyRequest(bytes: Uint8Array): FirstBytes {
  const head = bytes.subarray(0, POLICY_REQUEST.length);
  if (!head.every((byte, index) => byte === POLICY_REQUEST[index])) return 'unknown';
  return head.length === POLICY_REQUEST.length ? 'policy' : 'undecided';
}
