import type { Timers } from '../../call/call-ports.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { readSipfrag } from './referral.js';

export type TransferOutcome = { readonly done: true } | { readonly done: false; readonly reason: string };

/** Milliseconds that the far end has to tell how its call to the new address went: as long as phones ring, and more. */
const outcomeTimeoutMs = 180_000;

/** A REFER of ours, and the NOTIFYs that tell what came of it (RFC 3515, RFC 5589). */
export class Transfer {
  readonly #timers: Timers;
  readonly #finished: (outcome: TransferOutcome) => void;
  #over = false;
  #stop: () => void = () => undefined;

  constructor(
    dialog: SipDialog,
    { uri, referredBy }: { readonly uri: string; readonly referredBy: string },
    timers: Timers,
    finished: (outcome: TransferOutcome) => void,
  ) {
    this.#timers = timers;
    this.#finished = finished;
    const headers = { 'Refer-To': `<${uri}>`, 'Referred-By': `<${referredBy}>` };
    dialog.request('REFER', headers).then(
      ({ status, reason }) => {
        if (status >= 300) this.#finish({ done: false, reason: `${status} ${reason}` });
        else this.#wait();
      },
      (error: Error) => this.#finish({ done: false, reason: error.message }),
    );
  }

  get over(): boolean {
    return this.#over;
  }

  /** A NOTIFY of this subscription. */
  notified(request: ReceivedRequest): void {
    const told = readSipfrag(request.body);
    if (told && told.status >= 200) {
      this.#finish(told.status < 300 ? { done: true } : { done: false, reason: `${told.status} ${told.reason}` });
    } else if (/^terminated/i.test(request.header('subscription-state'))) {
      this.#finish({ done: false, reason: 'the far end does not tell what came of it' });
    }
  }

  close(): void {
    this.#over = true;
    this.#stop();
  }

  #wait(): void {
    if (this.#over) return;
    this.#stop = this.#timers.after(outcomeTimeoutMs, () =>
      this.#finish({ done: false, reason: 'the far end does not tell what came of it' }),
    );
  }

  #finish(outcome: TransferOutcome): void {
    if (this.#over) return;
    this.close();
    this.#finished(outcome);
  }
}
