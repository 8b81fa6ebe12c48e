import { type Termination, terminationOf } from '../call/termination.js';
import { SipFailure } from './drachtio/sip-answer.js';

export const cancelledByCaller: Termination = { result: 'cancelled', reason: 'cancelled by the caller' };

/** What an error of a request or response means for its call. */
export function failure(error: unknown): Termination {
  if (error instanceof SipFailure) return terminationOf(error.answer.status, error.answer.reason);
  return { result: 'signalling-failed', reason: error instanceof Error ? error.message : String(error) };
}

/**
 * What it means for a call that our answer to it could not be sent: the server knows nothing more of an INVITE that it has
 * answered itself, with 487, because a CANCEL has crossed our answer.
 */
export function unanswerable(error: Error): Termination {
  return /unknown transaction/.test(error.message) ? cancelledByCaller : failure(error);
}

/** RFC 3326; the text may have come from a peer and must not leave its quotes. */
export function reasonHeader(text: string): string {
  return `SIP;text="${text.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 200)}"`;
}
