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
import { mediaTermination, type Termination } from './termination.js';
import { noTransfer, stepTransfer, type TransferEffect, type TransferEvent, type TransferState } from './transfer.js';

export interface SuccessionOptions {
  readonly callId: string;
  /** Our own SIP address, and what a server may want to know of us. */
  readonly from: string;
  readonly credentials?: Credentials;
  readonly client: ClientPort;
  readonly signalling: SignallingPort;
  readonly media: MediaSession;
  readonly leg: CallLeg;
  /** Takes what the present far end does when it is a successor. */
  readonly heard: (side: CallLeg, event: SignallingEvent) => void;
  /** The call goes on with somebody else: what was agreed with the one before does not hold any more. */
  readonly transferred: (uri: string) => void;
  /** The far end is gone, and nobody has taken its place. */
  readonly ended: (termination: Termination) => void;
  /** The far end talks to somebody else now. */
  readonly left: (termination: Termination) => void;
}

/** What the present far end does that may pass the call on. */
export type PassingOn = Extract<
  SignallingEvent,
  { type: 'transferred' | 'transfer-failed' | 'referred' | 'replaced' | 'ended' }
>;

type Successor = OutgoingInvite | IncomingInvite;

const temporarilyUnavailable = 480;
const requestPending = 491;

/** The SIP sides of an answered call, one after the other: runs the transfer's state machine against its ports. */
export class Succession {
  readonly #options: SuccessionOptions;
  #state: TransferState = noTransfer;
  #leg: CallLeg;
  /** Is to take the place of `#leg`. */
  #successor: Successor | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#leg = options.leg;
  }

  /** The present far end's. */
  get leg(): CallLeg {
    return this.#leg;
  }

  /** False when a transfer is under way already. */
  transfer(uri: string): boolean {
    if (this.#state.name !== 'none') return false;
    this.#step({ type: 'transfer', uri });
    return true;
  }

  /** Takes what the present far end does. */
  receive(event: PassingOn): void {
    const { signalling, from } = this.#options;
    if (event.type === 'referred') this.#step({ ...event, target: signalling.resolve(event.referral.uri, from) });
    else if (event.type === 'replaced') this.#replaced(event.invite);
    else this.#step(event);
  }

  /** Takes what another does: the successor, or one of before. */
  receiveOther(side: CallLeg, event: SignallingEvent): void {
    if (side === this.#successor) this.#succeeding(side, event);
    // One that was dropped has answered all the same.
    else if (event.type === 'answered' || event.type === 'established') side.bye('the call has ended');
  }

  /** The call is being ended. True when there is nobody left to tell. */
  stop(): boolean {
    const alone = 'alone' in this.#state && this.#state.alone;
    this.#step({ type: 'stop' });
    return alone;
  }

  #step(event: TransferEvent): void {
    const { state, effects } = stepTransfer(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: TransferEffect): void {
    const { client, transferred, ended, left } = this.#options;
    switch (effect.type) {
      case 'refer':
        this.#leg.transfer(effect.uri);
        return;
      case 'tell-transferred':
        transferred(effect.uri);
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
        this.#performOnSuccessor(effect);
    }
  }

  #performOnSuccessor(
    effect: Extract<
      TransferEffect,
      { type: 'follow' | 'switch-media' | 'answer-successor' | 'refuse-successor' | 'succeed' | 'drop-successor' }
    >,
  ): void {
    switch (effect.type) {
      case 'follow':
        this.#follow(effect);
        return;
      case 'switch-media':
        this.#options.media.accept(effect.answer).then(
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

  #follow({ referral, uri }: Extract<TransferEffect, { type: 'follow' }>): void {
    const { callId, from, credentials, media, signalling } = this.#options;
    const request = { callId, uri, from, offer: media.reoffer('sendrecv', true), referral };
    const successor: OutgoingInvite = signalling.invite({ ...request, ...(credentials && { credentials }) }, (event) =>
      this.#heard(successor, event),
    );
    this.#successor = successor;
  }

  #replaced(invite: IncomingInvite): void {
    if (this.#successor) {
      invite.reject(requestPending);
      return;
    }
    this.#successor = invite;
    invite.listen((event) => this.#heard(invite, event));
    this.#step({ type: 'replaced', uri: invite.caller.from });
  }

  async #answerSuccessor(): Promise<void> {
    const { media } = this.#options;
    const invite = this.#successor;
    if (!invite || !('offer' in invite)) return;
    try {
      const answer = invite.offer ? await media.answer(invite.offer) : media.reoffer('sendrecv', true);
      if (this.#successor === invite) invite.answer(answer);
    } catch (error) {
      this.#step({ type: 'media-failed', termination: mediaTermination(error) });
    }
  }

  #succeed(bye: boolean): void {
    const before = this.#leg;
    if (!this.#successor) return;
    this.#leg = this.#successor;
    this.#successor = undefined;
    if (bye) before.bye('the call was transferred');
  }

  /** A successor that has taken its place is heard as the one before it was. */
  #heard(side: CallLeg, event: SignallingEvent): void {
    if (side === this.#leg) this.#options.heard(side, event);
    else this.receiveOther(side, event);
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

function drop(side: Successor | undefined, reason: string): void {
  if (!side) return;
  if ('cancel' in side) side.cancel();
  else side.reject(temporarilyUnavailable);
  side.bye(reason);
}
