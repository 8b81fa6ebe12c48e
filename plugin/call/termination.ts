import { MediaError } from './ports.js';

/**
 * How a call ended: a bounded vocabulary that labels the log, the metrics and what both legs are told. Every call ends
 * with exactly one.
 */
export type CallResult =
  | 'completed' // answered, then ended by one of the two people
  | 'cancelled' // ended by the caller before the answer
  | 'busy' // 486, 600
  | 'no-answer' // 408, 480, 487 without our CANCEL
  | 'declined' // 603 and the other refusals by the callee
  | 'not-found' // 404, 410, 484, 604
  | 'unreachable' // no route: 503, DNS, transport error
  | 'refused' // any other final response
  | 'no-codec' // the answer has no codec in common, or no encryption
  | 'media-failed' // no port, socket error, media lost
  | 'client-gone' // the RTMP connection went
  | 'signalling-failed' // the SIP server cannot be used
  | 'shutdown'; // the gateway stops

export interface Termination {
  readonly result: CallResult;
  /** For people: the SIP reason phrase or our own words. */
  readonly reason: string;
  /** Final SIP status, where a SIP response ended the call. */
  readonly sipStatus?: number;
}

const byStatus: Readonly<Record<number, CallResult>> = {
  404: 'not-found',
  408: 'no-answer',
  410: 'not-found',
  480: 'no-answer',
  484: 'not-found',
  486: 'busy',
  487: 'no-answer',
  503: 'unreachable',
  600: 'busy',
  603: 'declined',
  604: 'not-found',
};

/** Classifies a final response other than 2xx (RFC 3261 section 21). */
export function terminationOf(sipStatus: number, reason: string): Termination {
  return { result: byStatus[sipStatus] ?? 'refused', reason, sipStatus };
}

/** What an error of the media means for its call. */
export function mediaTermination(error: unknown): Termination {
  const result: CallResult =
    error instanceof MediaError && error.code === 'NoCommonCodec' ? 'no-codec' : 'media-failed';
  return { result, reason: error instanceof Error ? error.message : String(error) };
}
