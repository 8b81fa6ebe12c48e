import type { Timers } from '../../call/call-ports.js';
import type { InCallEvent, SignallingEvent } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import type { Termination } from '../../call/termination.js';
import { capabilities } from '../drachtio/capabilities.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { DrachtioConnection } from '../drachtio/drachtio.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import type { SipAnswer } from '../drachtio/sip-answer.js';
import { failure, reasonHeader } from '../outcome.js';
import { parseSdp } from '../sdp/sdp.js';
import { dtmfRelay, writeDtmfRelay } from './dtmf-info.js';
import { InDialogRequests } from './in-dialog-requests.js';
import { mediaControl, pictureFastUpdate } from './media-control.js';
import { Offered } from './offered.js';
import type { Origin } from './origin.js';
import { OrphanWatch } from './orphan-watch.js';
import { Referred } from './referred.js';
import { endsDialog, Reoffer } from './reoffer.js';
import { refreshHeaders, type SessionTerms, SessionTimer, termsOfAnswer } from './session-timer.js';
import { ToneQueue } from './tone-queue.js';
import { Transfer } from './transfer.js';

export interface LegOptions {
  readonly connection: DrachtioConnection;
  readonly dialog: SipDialog;
  readonly origin: Origin;
  readonly timers: Timers;
  /** Our own SIP address. */
  readonly address: string;
  readonly terms: SessionTerms | undefined;
  readonly listener: (event: SignallingEvent) => void;
  /** The call is over: exactly once. */
  readonly ended: (termination: Termination) => void;
}

/** The SIP side of one answered call. */
export class Leg {
  readonly dialog: SipDialog;
  readonly #options: LegOptions;
  readonly #reoffer: Reoffer;
  readonly #offered: Offered;
  readonly #timer: SessionTimer;
  readonly #tones: ToneQueue;
  readonly #orphan: OrphanWatch;
  readonly #referred: Referred;
  readonly #requests: InDialogRequests;
  #transfer: Transfer | undefined;
  #over = false;

  constructor(options: LegOptions) {
    const { connection, dialog, timers, origin } = options;
    this.#options = options;
    this.dialog = dialog;
    const tell = (event: InCallEvent) => this.#tell(event);
    this.#reoffer = new Reoffer(dialog, timers);
    this.#timer = new SessionTimer(timers, {
      refresh: () => this.#refresh(),
      expired: () => this.#giveUp('the far end has not refreshed the session'),
    });
    this.#offered = new Offered({ origin, reoffer: this.#reoffer, timer: this.#timer, tell });
    this.#tones = new ToneQueue(
      (tone) => dialog.request('INFO', { 'Content-Type': dtmfRelay }, writeDtmfRelay(tone)),
      timers,
    );
    this.#orphan = new OrphanWatch(dialog, connection, timers, (reason) =>
      this.#finish({ result: 'completed', reason }),
    );
    this.#referred = new Referred(dialog, tell);
    this.#requests = new InDialogRequests({
      offered: this.#offered,
      referred: this.#referred,
      transfer: () => this.#transfer,
      tell,
      hungUp: (reason) => this.#finish({ result: 'completed', reason }),
    });
    this.#timer.restart(options.terms);
  }

  /** Takes a request of the far end. */
  receive(request: ReceivedRequest): void {
    if (this.#over) request.respond(481);
    else this.#requests.receive(request);
  }

  /** The offer was in our 200 and the answer comes in its ACK, before which there is no call. */
  awaitAnswer(established: (answer: SessionDescription) => void): void {
    this.#offered.awaitAnswer(established);
  }

  bye(reason?: string): void {
    if (this.#over) return;
    this.#quiet();
    const headers: Record<string, string> = reason === undefined ? {} : { Reason: reasonHeader(reason) };
    this.dialog.request('BYE', headers).then(
      () => this.#finish({ result: 'completed', reason: 'call ended' }),
      (error: unknown) => this.#finish(failure(error)),
    );
  }

  change(offer: SessionDescription): void {
    this.#offer(
      () => this.#options.origin.write(offer),
      ({ body }) => this.#tell({ type: 'changed', answer: parseSdp(body) }),
    );
  }

  acceptChange(description: SessionDescription): void {
    this.#offered.accept(description);
  }

  refuseChange(sipStatus: number): void {
    this.#offered.refuse(sipStatus);
  }

  sendDtmf(digits: string, ms: number): void {
    this.#tones.push(digits, ms);
  }

  requestKeyFrame(): void {
    if (this.#over) return;
    // A far end that does not know it goes on as before.
    this.dialog.request('INFO', { 'Content-Type': mediaControl }, pictureFastUpdate).catch(() => undefined);
  }

  transfer(uri: string): void {
    this.#transfer?.close();
    const referral = { uri, referredBy: this.#options.address };
    this.#transfer = new Transfer(this.dialog, referral, this.#options.timers, (outcome) =>
      this.#tell(outcome.done ? { type: 'transferred' } : { type: 'transfer-failed', reason: outcome.reason }),
    );
  }

  acceptReferral(): void {
    this.#referred.accept();
  }

  refuseReferral(sipStatus: number): void {
    this.#referred.refuse(sipStatus);
  }

  reportReferral(sipStatus: number, reason: string): void {
    this.#referred.report(sipStatus, reason);
  }

  /** Without an UPDATE the refresh is a re-INVITE with the description of before (RFC 4028 section 7.4). */
  #refresh(): void {
    const terms = this.#timer.terms;
    if (!terms || this.#over || this.#reoffer.busy) return;
    if (!this.dialog.identity.allowed.has('UPDATE')) {
      const described = ({ body }: SipAnswer) => this.#tell({ type: 'described', answer: parseSdp(body) });
      this.#offer(() => this.#options.origin.last, described);
      return;
    }
    const headers = { ...capabilities, ...refreshHeaders(terms, true) };
    this.dialog.request('UPDATE', headers).then(
      (answer) => {
        if (endsDialog(answer.status)) this.#giveUp(`${answer.status} ${answer.reason} to a refresh`);
        else if (answer.status < 300) this.#timer.restart(termsOfAnswer(answer.header('session-expires')) ?? terms);
      },
      // The timer runs on: what passes until it ends was nothing.
      () => undefined,
    );
  }

  #offer(sdp: () => string, accepted: (answer: SipAnswer) => void): void {
    const terms = this.#timer.terms;
    const headers = { ...capabilities, ...(terms && refreshHeaders(terms, true)) };
    this.#reoffer.send(headers, sdp, {
      accepted: (answer) => {
        if (terms) this.#timer.restart(termsOfAnswer(answer.header('session-expires')) ?? terms);
        accepted(answer);
      },
      refused: (reason) => this.#tell({ type: 'unchanged', reason }),
      gone: ({ message }) => this.#giveUp(`${message} to a re-INVITE`),
    });
  }

  /** The far end is to know as well, should it still be there. */
  #giveUp(reason: string): void {
    if (this.#over) return;
    this.dialog.request('BYE', { Reason: reasonHeader(reason) }).catch(() => undefined);
    this.#finish({ result: 'completed', reason });
  }

  #tell(event: InCallEvent): void {
    if (!this.#over) this.#options.listener(event);
  }

  /** Nothing more is begun. */
  #quiet(): void {
    this.#reoffer.close();
    this.#timer.close();
    this.#tones.close();
    this.#orphan.close();
    this.#transfer?.close();
  }

  #finish(termination: Termination): void {
    if (this.#over) return;
    this.#over = true;
    this.#quiet();
    this.dialog.close();
    this.#options.ended(termination);
  }
}
