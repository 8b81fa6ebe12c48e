import type { Dialog } from '../dialog/dialog.js';
import type { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/message.js';
import { parseParams } from '../message/params.js';
import type { HeaderLine } from '../message/serialise.js';
import type { CoreContext } from './context.js';

/** Shortest session interval accepted, in seconds (RFC 4028 section 4). */
export const MIN_SESSION_EXPIRES = 90;

/** Whether a refresh asks for an interval that is too short, which is answered 422. */
export function isIntervalTooShort(request: SipRequest): boolean {
  const interval = secondsOf(request.headers);
  const refreshes = request.method === 'INVITE' || request.method === 'UPDATE';
  return refreshes && interval !== undefined && interval < MIN_SESSION_EXPIRES;
}

/** What the two sides agree on about a session's timer. */
export interface Session {
  /** Seconds. */
  readonly interval: number;
  readonly refresher: 'us' | 'peer';
}

/** The timer that a 2xx of ours agrees to; without a refresher there is none, as at the drachtio server. */
export function sessionGranted(request: SipRequest, user: Headers): Session | undefined {
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined;
  return sessionOf(user.has('session-expires') ? user : request.headers, 'peer', 'us');
}

/** The timer that the peer's 2xx to our INVITE or UPDATE agrees to. */
export function sessionObtained(response: SipResponse): Session | undefined {
  return sessionOf(response.headers, 'us', 'peer');
}

function sessionOf(headers: Headers, uac: Session['refresher'], uas: Session['refresher']): Session | undefined {
  const interval = secondsOf(headers);
  const refresher = parseParams(headers.get('session-expires') ?? '')
    .get('refresher')
    ?.toLowerCase();
  if (interval === undefined || (refresher !== 'uac' && refresher !== 'uas')) return undefined;
  return { interval, refresher: refresher === 'uac' ? uac : uas };
}

/** What a 2xx says about the timer, unless the user says it itself. */
export function sessionLines(session: Session | undefined, user: Headers): HeaderLine[] {
  if (session === undefined || user.has('session-expires')) return [];
  return [['Session-Expires', `${session.interval};refresher=${session.refresher === 'us' ? 'uas' : 'uac'}`]];
}

export interface SessionHooks {
  /** It is for us to refresh the session, after half of its interval. */
  onRefreshDue(dialog: Dialog, interval: number): void;
  /** The peer has not refreshed it: the call counts as dead. */
  onExpired(dialog: Dialog): void;
}

/** Starts the timer of a dialog anew. */
export function restartSession(context: CoreContext, dialog: Dialog, session: Session, hooks: SessionHooks): void {
  dialog.expiry?.cancel();
  const { interval, refresher } = session;
  if (refresher === 'us') {
    dialog.expiry = context.clock.schedule(interval * 500, () => hooks.onRefreshDue(dialog, interval));
    return;
  }
  // RFC 4028 section 10: the smaller of 32 s and a third of the interval before its end.
  const seconds = interval - Math.min(32, interval / 3);
  dialog.expiry = context.clock.schedule(seconds * 1000, () => hooks.onExpired(dialog));
}

function secondsOf(headers: Headers): number | undefined {
  const match = /^\s*(\d{1,9})\s*(?:;|$)/.exec(headers.get('session-expires') ?? '');
  return match ? Number(match[1]) : undefined;
}
