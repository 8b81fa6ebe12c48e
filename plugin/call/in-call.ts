import type { CallLeg, ClientPort, MediaSession, SignallingEvent } from './ports.js';
import { answeredSession, type SessionEffect, type SessionEvent, type SessionState, stepSession } from './session.js';
import { Succession, type SuccessionOptions } from './succession.js';
import { mediaTermination, type Termination } from './termination.js';

export interface InCallOptions extends Omit<SuccessionOptions, 'heard'> {
  readonly client: ClientPort;
  readonly media: MediaSession;
  /** Whether the client neither speaks nor hears: from its wish on, and not only when the far end knows. */
  readonly silence: (silent: boolean) => void;
  /** The media cannot go on. */
  readonly failed: (termination: Termination) => void;
}

/** Runs what happens within an answered call against its ports. */
export class InCall {
  readonly #options: InCallOptions;
  readonly #succession: Succession;
  #session: SessionState = answeredSession;
  #over = false;

  constructor(options: InCallOptions) {
    this.#options = options;
    this.#succession = new Succession({
      ...options,
      heard: (side, event) => this.receive(side, event),
      transferred: (uri) => {
        this.#forgetSession();
        options.transferred(uri);
      },
    });
  }

  /** What the far end does: the present one, and after a transfer one that was. */
  receive(side: CallLeg, event: SignallingEvent): void {
    const { client, ended } = this.#options;
    if (side !== this.#succession.leg) {
      this.#succession.receiveOther(side, event);
      return;
    }
    if (this.#over) {
      if (event.type === 'ended') ended(event.termination);
      return;
    }
    switch (event.type) {
      case 'tone':
        client.notice({ type: 'dtmf', tone: event.tone });
        return;
      case 'key-frame-wanted':
        client.keyFrameWanted?.();
        return;
      case 'message':
        client.notice({ type: 'message', message: event.message });
        return;
      case 'referred':
      case 'replaced':
      case 'transferred':
      case 'transfer-failed':
      case 'ended':
        this.#succession.receive(event);
        return;
      case 'changed':
      case 'unchanged':
      case 'offered':
      case 'described':
        this.#step(event);
    }
  }

  hold(held: boolean): void {
    this.#step({ type: 'hold', held });
  }

  /** False when a transfer is under way already. */
  transfer(uri: string): boolean {
    return this.#succession.transfer(uri);
  }

  sendDtmf(digits: string, ms: number): void {
    if (!this.#options.media.sendDtmf(digits, ms)) this.#succession.leg.sendDtmf(digits, ms);
  }

  requestKeyFrame(): void {
    this.#succession.leg.requestKeyFrame();
  }

  /** Ends the call: what is under way is given up. */
  bye(reason?: string): void {
    const alone = this.#succession.stop();
    this.#over = true;
    if (alone) this.#options.ended({ result: 'completed', reason: reason ?? 'call ended' });
    else this.#succession.leg.bye(reason);
  }

  /** The call is over. */
  close(): void {
    if (!this.#over) this.#succession.stop();
    this.#over = true;
  }

  #step(event: SessionEvent): void {
    if (this.#over) return;
    const { state, effects } = stepSession(this.#session, event);
    this.#enter(state);
    for (const effect of effects) this.#perform(effect);
  }

  #enter(state: SessionState): void {
    this.#session = state;
    this.#options.silence(state.wanted || state.local);
  }

  #perform(effect: SessionEffect): void {
    const { media, client, failed } = this.#options;
    const { leg } = this.#succession;
    switch (effect.type) {
      case 'offer':
        leg.change(media.reoffer(effect.direction));
        return;
      case 'apply':
        media.accept(effect.answer).catch((error: unknown) => failed(mediaTermination(error)));
        return;
      case 'make-answer':
        this.#makeAnswer(leg, effect);
        return;
      case 'accept':
        leg.acceptChange(effect.answer);
        return;
      case 'accept-with-offer':
        leg.acceptChange(media.reoffer(effect.direction));
        return;
      case 'refuse':
        leg.refuseChange(effect.sipStatus);
        return;
      case 'tell': {
        const { local, remote, reason } = effect;
        client.notice({ type: 'hold', local, remote, ...(reason !== undefined && { reason }) });
        return;
      }
    }
  }

  #makeAnswer(leg: CallLeg, { offer, held }: Extract<SessionEffect, { type: 'make-answer' }>): void {
    const told = (event: SessionEvent) => {
      // Meanwhile somebody else may have taken the far end's place.
      if (leg === this.#succession.leg) this.#step(event);
    };
    this.#options.media.answer(offer, held).then(
      (answer) => told({ type: 'answer-made', offer, answer }),
      () => told({ type: 'answer-refused' }),
    );
  }

  #forgetSession(): void {
    const { local, remote } = this.#session;
    this.#enter(answeredSession);
    if (local || remote) this.#options.client.notice({ type: 'hold', local: false, remote: false });
  }
}
