import { randomUUID } from 'node:crypto';
import type { Caller, IncomingInvite, SignallingEvent } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import type { Invited } from '../incoming.js';

export interface LineBranchListener {
  ringing(): void;
  /** False when somebody else has answered. */
  wins(): boolean;
  refused(status: number): void;
}

/** One of our own clients, as one of several that an INVITE reaches. The call that it answers is the INVITE's. */
export class LineBranch implements IncomingInvite {
  readonly callId = randomUUID();
  readonly caller: Caller;
  readonly #invited: Invited;
  readonly #outcome: LineBranchListener;
  #state: 'ringing' | 'answered' | 'over' = 'ringing';
  #listener: (event: SignallingEvent) => void = () => undefined;

  /** @param called The client's own name for it. */
  constructor(invited: Invited, called: string, outcome: LineBranchListener) {
    this.#invited = invited;
    this.#outcome = outcome;
    this.caller = { ...invited.caller, called };
  }

  get offer(): SessionDescription | undefined {
    return this.#invited.offer;
  }

  listen(listener: (event: SignallingEvent) => void): void {
    this.#listener = listener;
  }

  /** What happens to the call, once this client has answered it. */
  tell(event: SignallingEvent): void {
    this.#listener(event);
  }

  /** The caller has given up, or somebody else has answered. */
  cancel(reason: string): void {
    if (this.#state !== 'ringing') return;
    this.#state = 'over';
    this.#listener({ type: 'failed', termination: { result: 'cancelled', reason } });
  }

  ring(): void {
    if (this.#state === 'ringing') this.#outcome.ringing();
  }

  answer(description: SessionDescription): void {
    if (this.#state !== 'ringing' || !this.#outcome.wins()) return;
    this.#state = 'answered';
    this.#invited.answer(description);
  }

  reject(sipStatus: number): void {
    if (this.#state !== 'ringing') return;
    this.#state = 'over';
    this.#outcome.refused(sipStatus);
  }

  bye(reason?: string): void {
    this.#call?.bye(reason);
  }

  change(offer: SessionDescription): void {
    this.#call?.change(offer);
  }

  acceptChange(description: SessionDescription): void {
    this.#call?.acceptChange(description);
  }

  refuseChange(sipStatus: number): void {
    this.#call?.refuseChange(sipStatus);
  }

  sendDtmf(digits: string, ms: number): void {
    this.#call?.sendDtmf(digits, ms);
  }

  requestKeyFrame(): void {
    this.#call?.requestKeyFrame();
  }

  transfer(uri: string): void {
    this.#call?.transfer(uri);
  }

  acceptReferral(): void {
    this.#call?.acceptReferral();
  }

  refuseReferral(sipStatus: number): void {
    this.#call?.refuseReferral(sipStatus);
  }

  reportReferral(sipStatus: number, reason: string): void {
    this.#call?.reportReferral(sipStatus, reason);
  }

  get #call(): Invited | undefined {
    return this.#state === 'answered' ? this.#invited : undefined;
  }
}
