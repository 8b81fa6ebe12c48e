import type { Timers } from '../../call/call-ports.js';
import { parseParameters } from '../addresses/name-addr.js';

/** Seconds after which a call counts as dead unless somebody refreshes it; what we ask for (RFC 4028 section 4). */
const wantedInterval = 1_800;
/** Shortest interval that we take, in seconds. */
export const minInterval = 90;
/** A far end that wants longer than this is not believed. */
const longestInterval = 86_400;

export interface SessionTerms {
  /** Seconds. */
  readonly interval: number;
  /** Whether the refreshes are ours. */
  readonly ours: boolean;
}

/**
 * What an INVITE of ours asks for. The refreshes are to be the far end's: a drachtio server sends those of a caller by
 * itself, with the description that it saw last, and would not tell us of what comes of them.
 */
export function askForTimer(interval = wantedInterval): Readonly<Record<string, string>> {
  return { 'Session-Expires': `${interval};refresher=uas`, 'Min-SE': String(minInterval) };
}

/** The headers of a refresh by whom it was agreed. */
export function refreshHeaders({ interval, ours }: SessionTerms, weAsk: boolean): Readonly<Record<string, string>> {
  return { 'Session-Expires': `${interval};refresher=${ours === weAsk ? 'uac' : 'uas'}` };
}

/** What the answer to our request says; undefined without a timer. */
export function termsOfAnswer(header: string): SessionTerms | undefined {
  const interval = readInterval(header);
  return interval === undefined ? undefined : { interval, ours: refresherOf(header) !== 'uas' };
}

/**
 * What a request of the far end says, and what we agree to: it refreshes by itself where it can, we do where only a
 * proxy has asked (RFC 4028 section 9).
 */
export function termsOfRequest(header: string, supported: string): SessionTerms | undefined {
  const interval = readInterval(header);
  if (interval === undefined) return undefined;
  const supports = /(?:^|,)\s*timer\s*(?:,|$)/i.test(supported);
  return { interval, ours: refresherOf(header) === 'uas' || !supports };
}

/** Whether a far end wants refreshes more often than we take them: 422. */
export function isTooShort(header: string): boolean {
  const seconds = Number(/^\s*(\d{1,9})\s*(?:;|$)/.exec(header)?.[1] ?? minInterval);
  return seconds < minInterval;
}

/** The interval to ask for after a 422, from its Min-SE; undefined when that makes no sense. */
export function intervalAfter422(header: string): number | undefined {
  const seconds = Number(/^\s*(\d{1,9})/.exec(header)?.[1] ?? Number.NaN);
  return seconds >= minInterval && seconds <= longestInterval ? seconds : undefined;
}

function readInterval(header: string): number | undefined {
  const seconds = Number(/^\s*(\d{1,9})\s*(?:;|$)/.exec(header)?.[1] ?? Number.NaN);
  return seconds >= minInterval ? Math.min(seconds, longestInterval) : undefined;
}

const refresherOf = (header: string): string | undefined => parseParameters(header).get('refresher')?.toLowerCase();

export interface SessionTimerListener {
  /** It is our turn to refresh. */
  refresh(): void;
  /** Nobody has refreshed: the call is over. */
  expired(): void;
}

/** The session timer of one call (RFC 4028 section 10). */
export class SessionTimer {
  readonly #timers: Timers;
  readonly #listener: SessionTimerListener;
  #terms: SessionTerms | undefined;
  #stop: (() => void)[] = [];

  constructor(timers: Timers, listener: SessionTimerListener) {
    this.#timers = timers;
    this.#listener = listener;
  }

  get terms(): SessionTerms | undefined {
    return this.#terms;
  }

  /** A refresh, or the answer that began the call, has said so; without terms there is no timer. */
  restart(terms: SessionTerms | undefined): void {
    this.close();
    this.#terms = terms;
    if (!terms) return;
    const { interval, ours } = terms;
    const end = interval - Math.min(32, interval / 3);
    this.#stop.push(this.#timers.after(end * 1000, () => this.#listener.expired()));
    if (ours) this.#stop.push(this.#timers.after(interval * 500, () => this.#listener.refresh()));
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }
}
