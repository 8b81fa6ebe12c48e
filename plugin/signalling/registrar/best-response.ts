import type { SipAnswer } from '../drachtio/sip-answer.js';

/** Why one of several that an INVITE has reached does not take the call. */
export interface BranchRefusal {
  readonly status: number;
  /** Absent when it was no SIP message. */
  readonly answer?: SipAnswer;
}

/** Those that say how to ask again come first, what is only about one place last (RFC 3261 section 16.7 step 6). */
const preferred = [401, 407, 415, 420, 484, 488, 486];
const lastResort = [404, 408, 480, 487];

/** What the caller is told when nobody answers: a 6xx counts for all, otherwise the lowest class does. */
export function bestRefusal(refusals: readonly BranchRefusal[]): BranchRefusal {
  const [best = { status: 480 }] = [...refusals].sort((a, b) => rank(a.status) - rank(b.status));
  // Nothing is said about this server by what another is not able to do.
  return best.status === 503 ? { status: 500 } : best;
}

function rank(status: number): number {
  if (status >= 600) return 0;
  const first = preferred.indexOf(status);
  const last = lastResort.indexOf(status);
  const within = first >= 0 ? first : 50 + (last >= 0 ? 10 + last : 0);
  return Math.floor(status / 100) * 100 + within;
}
