import type { CallLeg, SignallingEvent } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import type { SipContext } from '../sip-context.js';
import { Leg } from './leg.js';
import { Origin } from './origin.js';
import type { SessionTerms } from './session-timer.js';

const noSuchCall = 481;

/** What the SIP sides of outgoing and incoming calls have in common: once answered, they are the same. */
export abstract class CallSide implements CallLeg {
  protected readonly context: SipContext;
  protected readonly origin = new Origin();
  protected leg: Leg | undefined;
  protected settled = false;

  constructor(context: SipContext) {
    this.context = context;
    context.connection.on('down', this.#connectionLost);
  }

  abstract bye(reason?: string): void;
  /** What happens to a call without a dialog when the connection to the server is lost. */
  protected abstract connectionLost(reason: string): void;
  protected abstract tell(event: SignallingEvent): void;

  change(offer: SessionDescription): void {
    this.leg?.change(offer);
  }

  acceptChange(description: SessionDescription): void {
    this.leg?.acceptChange(description);
  }

  refuseChange(sipStatus: number): void {
    this.leg?.refuseChange(sipStatus);
  }

  sendDtmf(digits: string, ms: number): void {
    this.leg?.sendDtmf(digits, ms);
  }

  requestKeyFrame(): void {
    this.leg?.requestKeyFrame();
  }

  transfer(uri: string): void {
    this.leg?.transfer(uri);
  }

  acceptReferral(): void {
    this.leg?.acceptReferral();
  }

  refuseReferral(sipStatus: number): void {
    this.leg?.refuseReferral(sipStatus);
  }

  reportReferral(sipStatus: number, reason: string): void {
    this.leg?.reportReferral(sipStatus, reason);
  }

  /** The call is answered. */
  protected open(dialog: SipDialog, address: string, terms: SessionTerms | undefined): Leg {
    const { connection, timers, legs } = this.context;
    const leg = new Leg({
      ...{ connection, dialog, origin: this.origin, timers, address, terms },
      listener: (event) => this.tell(event),
      ended: (termination) => {
        legs.delete(leg);
        this.settle({ type: 'ended', termination });
      },
    });
    legs.set(leg, (event) => this.tell(event));
    this.leg = leg;
    return leg;
  }

  /** A request of the dialog. Before the answer only what does not concern a session is taken. */
  protected receive(request: ReceivedRequest): void {
    if (this.leg) this.leg.receive(request);
    else if (request.method === 'PRACK') request.respond(200);
    else if (request.method === 'UPDATE') this.updatedEarly(request);
    else if (request.method !== 'ACK') request.respond(noSuchCall);
  }

  /** Without an offer it refreshes something; with one, ours has to be answered first (RFC 3311 section 5.2). */
  protected updatedEarly(request: ReceivedRequest): void {
    if (request.body === '') request.respond(200);
    else request.respond(500, { headers: { 'Retry-After': '2' } });
  }

  protected settle(event: SignallingEvent): void {
    if (this.settled) return;
    this.release();
    this.tell(event);
  }

  protected release(): void {
    this.settled = true;
    this.context.connection.off('down', this.#connectionLost);
  }

  /** An answered call goes on without its signalling. */
  readonly #connectionLost = (reason: string): void => {
    if (!this.leg) this.connectionLost(`drachtio server lost: ${reason}`);
  };
}
