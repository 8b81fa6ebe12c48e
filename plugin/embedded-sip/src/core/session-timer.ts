import type { Dialog } from '../dialog/dialog.js';
import type { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/message.js';
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

/** The interval in seconds that the peer refreshes by itself; without `refresher=uac` there is no timer, as at the drachtio server. */
export function agreedInterval(request: SipRequest): number | undefined {
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined;
  const refresher = parseParams(request.headers.get('session-expires') ?? '').get('refresher');
  return refresher?.toLowerCase() === 'uac' ? secondsOf(request.headers) : undefined;
}

/** What a 2xx says about the timer, unless the user says it itself. */
export function sessionLines(interval: number | undefined, user: Headers): HeaderLine[] {
  if (interval === undefined || user.has('session-expires')) return [];
  return [['Session-Expires', `${interval};refresher=uac`]];
}

/** Starts the timer of a dialog anew: without a refresh the call counts as dead shortly before the interval is over. */
export function restartSession(context: CoreContext, dialog: Dialog, interval: number, onExpired: () => void): void {
  dialog.expiry?.cancel();
  // RFC 4028 section 10: the smaller of 32 s and a third of the interval before its end.
  const seconds = interval - Math.min(32, interval / 3);
  dialog.expiry = context.clock.schedule(seconds * 1000, onExpired);
}

function secondsOf(headers: Headers): number | undefined {
  const match = /^\s*(\d{1,9})\s*(?:;|$)/.exec(headers.get('session-expires') ?? '');
  return match ? Number(match[1]) : undefined;
}
