import type { Dialog } from '../dialog/dialog.js';
import { Headers } from '../message/headers.js';
import type { SipResponse } from '../message/message.js';
import type { ClientEntry } from './client-entry.js';
import type { CoreContext } from './context.js';
import type { DialogRequests } from './dialog-requests.js';
import { MIN_SESSION_EXPIRES, restartSession, type SessionHooks, sessionObtained } from './session-timer.js';

/** How long a refresh that met a request of the peer waits, in milliseconds (RFC 3261 section 14.1). */
const GLARE_MS = 2_500;

/** Keeps sessions alive that are ours to refresh, and ends those that the peer does not refresh (RFC 4028). */
export class SessionRefresh implements SessionHooks {
  readonly #context: CoreContext;
  readonly #requests: DialogRequests;
  readonly #bye: (dialog: Dialog, reason: string) => void;

  constructor(context: CoreContext, requests: DialogRequests, bye: (dialog: Dialog, reason: string) => void) {
    this.#context = context;
    this.#requests = requests;
    this.#bye = bye;
  }

  /** Starts the timer that a 2xx to our INVITE or UPDATE agrees to. */
  follow(dialog: Dialog, response: SipResponse): void {
    const session = sessionObtained(response);
    if (session) restartSession(this.#context, dialog, session, this);
  }

  /** Asks the peer anew for the session as it is (section 7.4); the user does not take part. */
  onRefreshDue(dialog: Dialog, interval: number): void {
    if (dialog.state !== 'confirmed' || dialog.localSdp === undefined) return;
    const headers = new Headers([
      ['Supported', 'timer'],
      ['Session-Expires', `${interval};refresher=uac`],
      ['Min-SE', String(MIN_SESSION_EXPIRES)],
    ]);
    const request = { method: 'INVITE', uri: dialog.remoteTarget, headers, body: dialog.localSdp };
    this.#requests.send(undefined, request, dialog, dialog.remoteTarget, () => undefined);
  }

  onExpired(dialog: Dialog): void {
    this.#bye(dialog, 'Session timer expired');
  }

  /** A refresh got no 2xx: the peer knows no such call any more, is busy with a request of its own, or merely refuses. */
  onRefused(dialog: Dialog, refresh: ClientEntry, status: number): void {
    if (status === 408 || status === 481) this.onExpired(dialog);
    else if (status === 491) {
      const interval = Number.parseInt(refresh.headers.get('session-expires') ?? '', 10);
      dialog.expiry = this.#context.clock.schedule(GLARE_MS, () => this.onRefreshDue(dialog, interval));
    }
  }
}
