import type {
  CallLeg,
  ClientPort,
  Credentials,
  IncomingInvite,
  MediaSession,
  OutgoingInvite,
  SignallingEvent,
  SignallingPort,
} from './ports.js';
import { answeredSession, type SessionEffect, type SessionEvent, type SessionState, stepSession } from './session.js';
import { mediaTermination, type Termination } from './termination.js';
import { noTransfer, stepTransfer, type TransferEffect, type TransferEvent, type TransferState } from './transfer.js';

export interface InCallOptions {
  readonly callId: string;
  /** Our own SIP address, and what a server may want to know of us. */
  readonly from: string;
  readonly credentials?: Credentials;
  readonly client: ClientPort;
  readonly signalling: SignallingPort;
  readonly media: MediaSession;
  readonly leg: CallLeg;
  /** For the log: the client is told by itself. */
  readonly transferred: (uri: string) => void;
  /** The far end is gone, and nobody has taken its place. */
  readonly ended: (termination: Termination) => void;
  /** The media cannot go on. */
  readonly failed: (termination: Termination) => void;
  /** The far end talks to somebody else now. */
  readonly left: (termination: Termination) => void;
}

const requestPending = 491;

/** Runs what happens within an answered call, hold and transfer, against its ports. */
export class InCall {
  readonly #options: InCallOptions;
  #session: SessionState = answeredSession;
  #transfer: TransferState = noTransfer;
  #leg: CallLeg;
  /** The SIP side that is to take the place of `#leg`. */
  #successor: OutgoingInvite | IncomingInvite | undefined;
  #over = false;

  constructor(options: InCallOptions) {
    this.#options = options;
    this.#leg = options.leg;
  }

  /** The client neither speaks nor hears, from its wish on and not only when the far end knows. */
  get silent(): boolean {
    return this.#session.wanted || this.#session.local;
  }

  /** What the far end does: the present one, and after a transfer one that was. */
  receive(side: CallLeg, event: SignallingEvent): void {
    if (side === this.#leg) this.#receive(event);
    else if (side === this.#successor) this.#succeeding(side, event);
    // One that was dropped has answered all the same.
    else if (event.type === 'answered' || event.type === 'established') side.bye('the call has ended');
  }

  #receive(event: SignallingEvent): void {
    if (this.#over) {
      if (event.type === 'ended') this.#options.ended(event.termination);
      return;
    }
    switch (event.type) {
      case 'tone':
        this.#options.client.notice({ type: 'dtmf', tone: event.tone });
        return;
      case 'message':
        this.#options.client.notice({ type: 'message', message: event.message });
        return;
      case 'referred':
        this.#step({ ...event, target: this.#options.signalling.resolve(event.referral.uri, this.#options.from) });
        return;
      case 'replaced':
        this.#replaced(event.invite);
        return;
      case 'transferred':
      case 'transfer-failed':
      case 'ended':
        this.#step(event);
        return;
      case 'changed':
      case 'unchanged':
      case 'offered':
      case 'described':
        this.#stepSession(event);
    }
  }

  hold(held: boolean): void {
    this.#stepSession({ type: 'hold', held });
  }

  /** False when a transfer is under way already. */
  transfer(uri: string): boolean {
    if (this.#transfer.name !== 'none') return false;
    this.#step({ type: 'transfer', uri });
    return true;
  }

  sendDtmf(digits: string, ms: number): void {
    if (!this.#options.media.sendDtmf(digits, ms)) this.#leg.sendDtmf(digits, ms);
  }

  /** Ends the call: what is under way is given up. */
  bye(reason?: string): void {
    const alone = 'alone' in this.#transfer && this.#transfer.alone;
    this.#step({ type: 'stop' });
    this.#over = true;
    if (alone) this.#options.ended({ result: 'completed', reason: reason ?? 'call ended' });
    else this.#leg.bye(reason);
  }

  /** The call is over. */
  close(): void {
    if (!this.#over) this.#step({ type: 'stop' });
    this.#over = true;
  }

  #stepSession(event: SessionEvent): void {
    const { state, effects } = stepSession(this.#session, event);
    this.#session = state;
    for (const effect of effects) this.#performSession(effect);
  }

  #performSession(effect: SessionEffect): void {
    const { media, client, failed } = this.#options;
    switch (effect.type) {
      case 'offer':
        this.#leg.change(media.reoffer(effect.direction));
        return;
      case 'apply':
        media.accept(effect.answer).catch((error: unknown) => failed(mediaTermination(error)));
        return;
      case 'make-answer': {
        const { offer, held } = effect;
        media.answer(offer, held).then(
          (answer) => this.#stepSession({ type: 'answer-made', offer, answer }),
          () => this.#stepSession({ type: 'answer-refused' }),
        );
        return;
      }
      case 'accept':
        this.#leg.acceptChange(effect.answer);
        return;
      case 'accept-with-offer':
        this.#leg.acceptChange(media.reoffer(effect.direction));
        return;
      case 'refuse':
        this.#leg.refuseChange(effect.sipStatus);
        return;
      case 'tell': {
        const { local, remote, reason } = effect;
        client.notice({ type: 'hold', local, remote, ...(reason !== undefined && { reason }) });
        return;
      }
    }
  }

  #step(event: TransferEvent): void {
    if (this.#over) return;
    const { state, effects } = stepTransfer(this.#transfer, event);
    this.#transfer = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: TransferEffect): void {
    const { client, ended, left } = this.#options;
    switch (effect.type) {
      case 'refer':
        this.#leg.transfer(effect.uri);
        return;
      case 'tell-transferred':
        this.#options.transferred(effect.uri);
        client.notice({ type: 'transferred', uri: effect.uri });
        return;
      case 'tell-failed':
        client.notice({ type: 'transfer-failed', reason: effect.reason });
        return;
      case 'leave':
        left({ result: 'completed', reason: `transferred to ${effect.uri}` });
        return;
      case 'accept-referral':
        this.#leg.acceptReferral();
        return;
      case 'refuse-referral':
        this.#leg.refuseReferral(effect.sipStatus);
        return;
      case 'report':
        this.#leg.reportReferral(effect.sipStatus, effect.reason);
        return;
      case 'end':
        ended(effect.termination);
        return;
      default:
        this.#performSuccession(effect);
    }
  }

  #performSuccession(
    effect: Extract<
      TransferEffect,
      { type: 'follow' | 'switch-media' | 'answer-successor' | 'refuse-successor' | 'succeed' | 'drop-successor' }
    >,
  ): void {
    const { callId, from, credentials, media, signalling } = this.#options;
    switch (effect.type) {
      case 'follow': {
        const { referral, uri } = effect;
        const request = { callId, uri, from, offer: media.reoffer('sendrecv'), referral };
        const listen = (event: SignallingEvent) => this.receive(successor, event);
        const successor = signalling.invite({ ...request, ...(credentials && { credentials }) }, listen);
        this.#successor = successor;
        return;
      }
      case 'switch-media':
        media.accept(effect.answer).then(
          () => this.#step({ type: 'media-switched' }),
          (error: unknown) => this.#step({ type: 'media-failed', termination: mediaTermination(error) }),
        );
        return;
      case 'answer-successor':
        void this.#answerSuccessor();
        return;
      case 'refuse-successor':
        if (this.#successor && 'reject' in this.#successor) this.#successor.reject(effect.sipStatus);
        this.#successor = undefined;
        return;
      case 'succeed':
        this.#succeed(effect.bye);
        return;
      case 'drop-successor':
        drop(this.#successor, effect.reason);
        this.#successor = undefined;
        return;
    }
  }

  /** The successor is heard from now on; what was agreed with its predecessor, as hold, is over. */
  #succeed(bye: boolean): void {
    const before = this.#leg;
    const successor = this.#successor;
    if (!successor) return;
    this.#leg = successor;
    this.#successor = undefined;
    this.#session = answeredSession;
    if (bye) before.bye('the call was transferred');
  }

  #replaced(invite: IncomingInvite): void {
    if (this.#successor) {
      invite.reject(requestPending);
      return;
    }
    this.#successor = invite;
    invite.listen((event) => this.receive(invite, event));
    this.#step({ type: 'replaced', uri: invite.caller.from });
  }

  async #answerSuccessor(): Promise<void> {
    const { media } = this.#options;
    const invite = this.#successor;
    if (!invite || !('offer' in invite)) return;
    try {
      const answer = invite.offer ? await media.answer(invite.offer) : media.reoffer('sendrecv');
      if (this.#successor === invite) invite.answer(answer);
    } catch (error) {
      this.#step({ type: 'media-failed', termination: mediaTermination(error) });
    }
  }

  /** What the successor says before it has taken its place. */
  #succeeding(side: CallLeg, event: SignallingEvent): void {
    switch (event.type) {
      case 'answered':
        this.#step({ type: 'successor-answered', answer: event.answer });
        return;
      case 'established':
        if (event.answer) this.#step({ type: 'successor-answered', answer: event.answer });
        else this.#step({ type: 'successor-established' });
        return;
      case 'failed':
      case 'ended':
        this.#successor = undefined;
        this.#step({ type: 'successor-failed', termination: event.termination });
        return;
      case 'offered':
        // The media is not switched yet: the far end may ask again.
        side.refuseChange(requestPending);
    }
  }
}

function drop(side: OutgoingInvite | IncomingInvite | undefined, reason: string): void {
  if (!side) return;
  if ('cancel' in side) side.cancel();
  else side.reject(480);
  side.bye(reason);
}
