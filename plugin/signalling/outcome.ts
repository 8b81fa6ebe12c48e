import { type Termination, terminationOf } from '../call/termination.js';
import { SipFailure } from './sip-answer.js';

/** What an error of a request or response means for its call. */
export function failure(error: unknown): Termination {
  if (error instanceof SipFailure) return terminationOf(error.answer.status, error.answer.reason);
  return { result: 'signalling-failed', reason: error instanceof Error ? error.message : String(error) };
}

/** RFC 3326; the text may have come from a peer and must not leave its quotes. */
export function reasonHeader(text: string): string {
  return `SIP;text="${text.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 200)}"`;
}
