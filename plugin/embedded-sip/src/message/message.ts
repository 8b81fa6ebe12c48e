import type { Headers } from './headers.js';
import type { NameAddr } from './name-addr.js';
import type { Via } from './via.js';

/*
 * Text in this package is bytes: every string that holds SIP has one character per byte (latin1), so that a message goes from
 * the wire to the application and back without its bytes changing, and a string's length is its size on the wire.
 */

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

interface MessageBase {
  readonly headers: Headers;
  readonly body: string;
  /** The whole message as received, ending with its body. */
  readonly text: string;
  readonly via: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
}

export interface SipRequest extends MessageBase {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends MessageBase {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

export function tagOf(address: NameAddr): string | undefined {
  return address.params.get('tag') || undefined;
}
