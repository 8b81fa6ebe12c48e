import { CallMedia } from './call-media.js';
import type { CallPorts } from './call-ports.js';
import { InCall } from './in-call.js';
import type { CallParties, OutgoingParties } from './parties.js';
import {
  type CallLeg,
  type ClientFrame,
  type IncomingInvite,
  isSetup,
  type OutgoingInvite,
  type SignallingEvent,
} from './ports.js';
import { hasVideo } from './session-description.js';
import { type CallEffect, type CallEvent, type CallState, transitions } from './state.js';
import { step } from './step.js';
import type { Termination } from './termination.js';

/** How long the far end has to confirm a CANCEL or BYE before the call counts as ended without it. */
export const confirmationTimeoutMs = 5_000;

/** Events within the call that may wait for it to be connected. */
const maxWaiting = 32;

/** Runs the state machine of one call against its ports. */
export class Call {
  readonly id: string;
  readonly parties: CallParties;
  readonly #ports: CallPorts;
  readonly #events: CallEvent[] = [];
  #busy = false;
  #state: CallState = { name: 'idle' };
  readonly #media: CallMedia;
  #outgoing: OutgoingInvite | undefined;
  #inCall: InCall | undefined;
  /** What the far end did before both sides were ready for it. */
  #waiting: SignallingEvent[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(parties: CallParties, ports: CallPorts) {
    this.parties = parties;
    this.id = parties.direction === 'outgoing' ? parties.id : parties.invite.callId;
    this.#ports = ports;
    this.#media = new CallMedia({
      ...{ callId: this.id, ports },
      offer: parties.direction === 'incoming' ? parties.invite.offer : undefined,
      keyFrameNeeded: () => this.#inCall?.requestKeyFrame(),
      tell: (event) => this.#receive(event),
    });
  }

  get state(): CallState['name'] {
    return this.#state.name;
  }

  start(): void {
    if (this.parties.direction === 'incoming') this.#listenTo(this.parties.invite);
    this.#receive({ type: this.parties.direction === 'outgoing' ? 'start' : 'invited' });
  }

  /** Answers the incoming call. */
  accept(): void {
    this.#receive({ type: 'accept' });
  }

  /** Refuses the incoming call with a final status, 400-699. */
  decline(sipStatus: number): void {
    this.#receive({ type: 'decline', sipStatus });
  }

  hangup(): void {
    this.#receive({ type: 'hangup' });
  }

  /** Ends the call from the gateway's side: the client has gone, or the process stops. */
  abandon(termination: Termination): void {
    this.#receive({ type: 'abandon', termination });
  }

  /** Takes the frames that the client publishes, for whoever is there to hear them. */
  get listener(): { write(frame: ClientFrame): void } {
    return this.#media;
  }

  /** Presses keys of the phone. False outside a call, when there is nobody to hear them. */
  sendDtmf(digits: string, ms: number): boolean {
    if (this.#state.name === 'connected') this.#inCall?.sendDtmf(digits, ms);
    // An announcement before the answer may ask for keys; only RTP can carry them to it.
    else return this.#state.name === 'inviting' && this.#state.streams && !!this.#media.session?.sendDtmf(digits, ms);
    return true;
  }

  /** Holds the call, or ends that; the client is told of the outcome. False when there is no answered call. */
  hold(held: boolean): boolean {
    if (this.#state.name !== 'connected') return false;
    this.#inCall?.hold(held);
    return true;
  }

  /** Passes the far end on to this SIP URI. False when there is no answered call, or a transfer is under way. */
  transfer(uri: string): boolean {
    return this.#state.name === 'connected' && !!this.#inCall?.transfer(uri);
  }

  /** The SIP side that the call began with. */
  get #leg(): CallLeg | undefined {
    return this.parties.direction === 'outgoing' ? this.#outgoing : this.parties.invite;
  }

  #listenTo(side: CallLeg & IncomingInvite): void {
    side.listen((event) => this.#signalled(side, event));
  }

  /** What belongs to setting the call up is the state machine's, the rest waits until the call is connected. */
  #signalled(side: CallLeg, event: SignallingEvent): void {
    if (this.#inCall) this.#inCall.receive(side, event);
    else if (isSetup(event)) this.#receive(event);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(event);
  }

  /** Somebody who plays the client's call needs a key frame. */
  requestKeyFrame(): void {
    if (this.#state.name === 'connected') this.#media.session?.requestKeyFrame?.();
  }

  /** Runs each event to its end before the next, also when an effect brings about another event at once. */
  #receive(event: CallEvent): void {
    this.#events.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        const { state, effects } = step(this.#state, next);
        this.#enter(state);
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** The only place that assigns the state. */
  #enter(next: CallState): void {
    const from = this.#state.name;
    this.#state = next;
    this.#media.heard = next.name === 'connected' || (next.name === 'inviting' && next.streams);
    if (next.name === from) return;
    if (!transitions[from].includes(next.name)) throw new Error(`illegal transition ${from} -> ${next.name}`);
    if (next.name === 'connected') this.#enterCall();
    this.#cancelTimer?.();
    const limit = this.#timeLimit(next.name);
    this.#cancelTimer =
      limit === undefined ? undefined : this.#ports.timers.after(limit, () => this.#receive({ type: 'timeout' }));
    this.#ports.observer.changed(this, next.name);
  }

  #timeLimit(state: CallState['name']): number | undefined {
    if (state === 'cancelling' || state === 'ending') return confirmationTimeoutMs;
    return state === 'ringing' && this.parties.direction === 'incoming' ? this.parties.ringTimeMs : undefined;
  }

  #perform(effect: CallEffect): void {
    switch (effect.type) {
      case 'open-media':
        this.#openMedia();
        return;
      case 'accept-media':
        this.#media.accept(effect.answer);
        return;
      case 'bye':
        (this.#inCall ?? this.#leg)?.bye(effect.reason);
        return;
      case 'status':
        this.#ports.client.status(effect.update);
        return;
      case 'finish':
        this.#inCall?.close();
        this.#ports.observer.finished(this, effect.termination, this.#media.close());
        return;
      default:
        if (this.parties.direction === 'outgoing') this.#performOutgoing(effect, this.parties);
        else this.#performIncoming(effect, this.parties.invite);
    }
  }

  #performOutgoing(effect: CallEffect, parties: OutgoingParties): void {
    switch (effect.type) {
      case 'invite':
        this.#sendInvite(parties);
        return;
      case 'early-media':
        if (this.#ports.earlyMedia ?? true) void this.#media.acceptEarly(effect.answer);
        return;
      case 'cancel':
        this.#outgoing?.cancel();
        return;
    }
  }

  #performIncoming(effect: CallEffect, invite: IncomingInvite): void {
    switch (effect.type) {
      case 'ring':
        invite.ring();
        return;
      case 'announce':
        this.#ports.client.incoming(hasVideo(invite.offer) ? { ...invite.caller, video: true } : invite.caller);
        return;
      case 'answer-media':
        this.#media.answer();
        return;
      case 'answer':
        invite.answer(effect.answer);
        return;
      case 'reject':
        invite.reject(effect.sipStatus);
        return;
    }
  }

  #openMedia(): void {
    const before = this.#state.name;
    void this.#media.open(() => this.#state.name === before);
  }

  #sendInvite({ uri, from, credentials }: OutgoingParties): void {
    const offer = this.#media.session?.offer;
    if (!offer) return;
    const outgoing: OutgoingInvite = this.#ports.signalling.invite(
      { callId: this.id, uri, from, offer, ...(credentials && { credentials }) },
      (event) => this.#signalled(outgoing, event),
    );
    this.#outgoing = outgoing;
  }

  /** Both sides have answered. */
  #enterCall(): void {
    const leg = this.#leg;
    const media = this.#media.session;
    if (!leg || !media) return;
    const { client, signalling } = this.#ports;
    const { from, credentials } = this.parties;
    this.#inCall = new InCall({
      ...{ callId: this.id, from, client, signalling, media, leg },
      ...(credentials && { credentials }),
      silence: (silent) => {
        this.#media.silent = silent;
      },
      transferred: (uri) => this.#ports.observer.transferred(this, uri),
      ended: (termination) => this.#receive({ type: 'ended', termination }),
      failed: (termination) => this.#receive({ type: 'media-failed', termination }),
      left: (termination) => this.#receive({ type: 'left', termination }),
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#inCall.receive(leg, event);
  }
}
