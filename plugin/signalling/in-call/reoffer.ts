import type { Timers } from '../../call/call-ports.js';
import type { SipDialog } from '../drachtio/dialog.js';
import { type SipAnswer, SipFailure } from '../drachtio/sip-answer.js';

export interface ReofferListener {
  accepted(answer: SipAnswer): void;
  /** The call goes on as before. */
  refused(reason: string): void;
  /** The far end does not know the call any more, or is gone. */
  gone(error: SipFailure): void;
}

const requestPending = 491;
/** Collisions in a row after which the offer is given up. */
const maxCollisions = 5;

/** Final responses that say that the dialog is over (RFC 3261 section 12.2.1.2, RFC 5057). */
export const endsDialog = (status: number): boolean => status === 408 || status === 481;

/** Our re-INVITEs in one dialog, one at a time, sent again after a collision with the far end's. */
export class Reoffer {
  readonly #dialog: SipDialog;
  readonly #timers: Timers;
  readonly #random: () => number;
  #sent = false;
  #waiting: (() => void) | undefined;
  #closed = false;

  constructor(dialog: SipDialog, timers: Timers, random: () => number = Math.random) {
    this.#dialog = dialog;
    this.#timers = timers;
    this.#random = random;
  }

  /** Whether the far end has an offer of ours to answer: it is not to make one itself (RFC 3261 section 14.2). */
  get pending(): boolean {
    return this.#sent;
  }

  /** Whether there is an offer, pending or to be sent again. */
  get busy(): boolean {
    return this.#sent || this.#waiting !== undefined;
  }

  /** @param sdp Is asked for the description each time that it is sent: its version counts up. */
  send(headers: Readonly<Record<string, string>>, sdp: () => string, listener: ReofferListener): void {
    void this.#attempt(headers, sdp, listener, 1);
  }

  close(): void {
    this.#closed = true;
    this.#waiting?.();
  }

  async #attempt(
    headers: Readonly<Record<string, string>>,
    sdp: () => string,
    listener: ReofferListener,
    attempt: number,
  ): Promise<void> {
    this.#waiting = undefined;
    this.#sent = true;
    try {
      const { answer, confirm } = await this.#dialog.reinvite(headers, sdp());
      void confirm();
      this.#sent = false;
      if (!this.#closed) listener.accepted(answer);
    } catch (error) {
      this.#sent = false;
      if (this.#closed) return;
      const status = error instanceof SipFailure ? error.answer.status : 0;
      if (status === requestPending && attempt < maxCollisions) {
        const again = () => void this.#attempt(headers, sdp, listener, attempt + 1);
        this.#waiting = this.#timers.after(this.#collisionDelay(), again);
      } else if (error instanceof SipFailure && endsDialog(status)) listener.gone(error);
      else listener.refused(error instanceof Error ? error.message : String(error));
    }
  }

  /** RFC 3261 section 14.1: who made the Call-ID waits longer, in units of 10 ms. */
  #collisionDelay(): number {
    const units = this.#dialog.initiator ? 210 + this.#random() * 190 : this.#random() * 200;
    return Math.floor(units) * 10;
  }
}
