import type { InCallEvent } from '../../call/ports.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { readReferral, sipfrag, writeSipfrag } from './referral.js';

const accepted = 202;
const badRequest = 400;
const requestPending = 491;
/** Seconds that the subscription to the outcome is said to last (RFC 3515 section 2.4.7): longer than phones ring. */
const expires = 180;

/** A REFER of the far end, one at a time, and what it is told of the outcome (RFC 3515). */
export class Referred {
  readonly #dialog: SipDialog;
  readonly #tell: (event: InCallEvent) => void;
  #request: ReceivedRequest | undefined;
  /** CSeq of the REFER whose outcome is due: it names the subscription (section 2.4.6). */
  #subscription: string | undefined;

  constructor(dialog: SipDialog, tell: (event: InCallEvent) => void) {
    this.#dialog = dialog;
    this.#tell = tell;
  }

  receive(request: ReceivedRequest): void {
    if (this.#request || this.#subscription !== undefined) {
      request.respond(requestPending);
      return;
    }
    const referral = readReferral(request.header('refer-to'), request.header('referred-by'));
    if (!referral) {
      request.respond(badRequest);
      return;
    }
    this.#request = request;
    this.#tell({ type: 'referred', referral });
  }

  accept(): void {
    const request = this.#request;
    if (!request) return;
    this.#request = undefined;
    this.#subscription = Number.parseInt(request.header('cseq'), 10).toString();
    request.respond(accepted, {}, () => this.#notify(100, 'Trying', `active;expires=${expires}`));
  }

  refuse(sipStatus: number): void {
    this.#request?.respond(sipStatus);
    this.#request = undefined;
  }

  report(sipStatus: number, reason: string): void {
    this.#notify(sipStatus, reason, 'terminated;reason=noresource');
    this.#subscription = undefined;
  }

  #notify(status: number, reason: string, state: string): void {
    if (this.#subscription === undefined) return;
    const headers = {
      Event: `refer;id=${this.#subscription}`,
      'Subscription-State': state,
      'Content-Type': sipfrag,
    };
    // A far end that has hung up already needs to hear no more.
    this.#dialog.request('NOTIFY', headers, writeSipfrag(status, reason)).catch(() => undefined);
  }
}
