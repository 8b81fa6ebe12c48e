import type { CallPorts } from './call-ports.js';
import { InCall } from './in-call.js';
import type { CallParties, OutgoingParties } from './parties.js';
import type {
  CallLeg,
  CallSetupEvent,
  ClientFrame,
  IncomingInvite,
  MediaSession,
  OutgoingInvite,
  SignallingEvent,
} from './ports.js';
import type { SessionDescription } from './session-description.js';
import { type CallEffect, type CallEvent, type CallState, step, transitions } from './state.js';
import { mediaTermination, type Termination } from './termination.js';

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
  #media: MediaSession | undefined;
  #outgoing: OutgoingInvite | undefined;
  #inCall: InCall | undefined;
  /** What the far end did before both sides were ready for it. */
  #waiting: SignallingEvent[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(parties: CallParties, ports: CallPorts) {
    this.parties = parties;
    this.id = parties.direction === 'outgoing' ? parties.id : parties.invite.callId;
    this.#ports = ports;
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

  /** A frame that the client published, for whoever is there to hear it. */
  write(frame: ClientFrame): void {
    const heard = this.#state.name === 'connected' || (this.#state.name === 'inviting' && this.#state.streams);
    if (heard && !this.#inCall?.silent) this.#media?.write(frame);
  }

  /** Presses keys of the phone. False outside a call, when there is nobody to hear them. */
  sendDtmf(digits: string, ms: number): boolean {
    if (this.#state.name === 'connected') this.#inCall?.sendDtmf(digits, ms);
    // An announcement before the answer may ask for keys; only RTP can carry them to it.
    else return this.#state.name === 'inviting' && this.#state.streams && !!this.#media?.sendDtmf(digits, ms);
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
    if (this.#state.name === 'connected') this.#media?.requestKeyFrame?.();
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
        void this.#openMedia();
        return;
      case 'status':
        this.#ports.client.status(effect.update);
        return;
      case 'finish':
        this.#inCall?.close();
        this.#ports.observer.finished(this, effect.termination, this.#media?.close() ?? {});
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
      case 'accept-media':
        this.#acceptMedia(effect.answer);
        return;
      case 'early-media':
        if (this.#ports.earlyMedia ?? true) void this.#acceptEarly(effect.answer);
        return;
      case 'cancel':
        this.#outgoing?.cancel();
        return;
      case 'bye':
        (this.#inCall ?? this.#outgoing)?.bye(effect.reason);
        return;
    }
  }

  #performIncoming(effect: CallEffect, invite: IncomingInvite): void {
    switch (effect.type) {
      case 'ring':
        invite.ring();
        return;
      case 'announce':
        this.#ports.client.incoming(hasVideo(invite) ? { ...invite.caller, video: true } : invite.caller);
        return;
      case 'answer-media':
        void this.#attempt(async (media) => {
          const answer = invite.offer ? await media.answer(invite.offer) : media.offer;
          return { type: 'media-answered', answer };
        });
        return;
      case 'accept-media':
        this.#acceptMedia(effect.answer);
        return;
      case 'answer':
        invite.answer(effect.answer);
        return;
      case 'reject':
        invite.reject(effect.sipStatus);
        return;
      case 'bye':
        (this.#inCall ?? invite).bye(effect.reason);
        return;
    }
  }

  async #openMedia(): Promise<void> {
    const before = this.#state.name;
    try {
      const client = await this.#ports.client.audio();
      if (this.#state.name !== before) return;
      const media = await this.#ports.media.open({
        callId: this.id,
        client,
        play: (frame) => this.#inCall?.silent === true || this.#ports.client.play(frame),
        dtmf: (tone) => this.#ports.client.notice({ type: 'dtmf', tone }),
        lost: (reason) => this.#receive({ type: 'media-failed', termination: { result: 'media-failed', reason } }),
        incoming: this.parties.direction === 'incoming' && this.parties.invite.offer !== undefined,
        video: () => this.#ports.client.video?.(),
        keyFrameWanted: () => this.#ports.client.keyFrameWanted?.(),
        keyFrameNeeded: () => this.#inCall?.requestKeyFrame(),
      });
      // The client may have hung up, or gone, while the sockets were being opened.
      if (this.#state.name !== before) {
        media.close();
        return;
      }
      this.#media = media;
      if (this.parties.direction === 'incoming' && this.parties.invite.offer) media.check(this.parties.invite.offer);
    } catch (error) {
      this.#receive({ type: 'media-failed', termination: mediaTermination(error) });
      return;
    }
    this.#receive({ type: 'media-opened' });
  }

  #sendInvite({ uri, from, credentials }: OutgoingParties): void {
    if (!this.#media) return;
    const outgoing: OutgoingInvite = this.#ports.signalling.invite(
      { callId: this.id, uri, from, offer: this.#media.offer, ...(credentials && { credentials }) },
      (event) => this.#signalled(outgoing, event),
    );
    this.#outgoing = outgoing;
  }

  /** Both sides have answered. */
  #enterCall(): void {
    const { parties } = this;
    const leg = parties.direction === 'outgoing' ? this.#outgoing : parties.invite;
    if (!leg || !this.#media) return;
    const { client, signalling } = this.#ports;
    const { from, credentials } = parties;
    this.#inCall = new InCall({
      ...{ callId: this.id, from, client, signalling, media: this.#media, leg },
      ...(credentials && { credentials }),
      transferred: (uri) => this.#ports.observer.transferred(this, uri),
      ended: (termination) => this.#receive({ type: 'ended', termination }),
      failed: (termination) => this.#receive({ type: 'media-failed', termination }),
      left: (termination) => this.#receive({ type: 'left', termination }),
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#inCall.receive(leg, event);
  }

  #acceptMedia(answer: SessionDescription): void {
    void this.#attempt(async (media) => {
      await media.accept(answer);
      return { type: 'media-accepted' };
    });
  }

  /** What cannot be heard early may be heard after the answer: its failure is none of the call. */
  async #acceptEarly(answer: SessionDescription): Promise<void> {
    try {
      await this.#media?.accept(answer);
      this.#receive({ type: 'early-media-accepted' });
    } catch {
      // The answer that follows is what counts.
    }
  }

  /** Has the media do something, and tells the call how it went. */
  async #attempt(action: (media: MediaSession) => Promise<CallEvent>): Promise<void> {
    if (!this.#media) return;
    let event: CallEvent;
    try {
      event = await action(this.#media);
    } catch (error) {
      event = { type: 'media-failed', termination: mediaTermination(error) };
    }
    this.#receive(event);
  }
}

const setupEvents: ReadonlySet<SignallingEvent['type']> = new Set<CallSetupEvent['type']>([
  'provisional',
  'early',
  'answered',
  'established',
  'failed',
  'ended',
]);

function isSetup(event: SignallingEvent): event is CallSetupEvent {
  return setupEvents.has(event.type);
}

function hasVideo({ offer }: IncomingInvite): boolean {
  return offer?.media.some(({ kind, port }) => kind === 'video' && port > 0) ?? false;
}
