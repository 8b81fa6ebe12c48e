import type {
  ClientFrame,
  ClientPort,
  Credentials,
  IncomingInvite,
  MediaPort,
  MediaReport,
  MediaSession,
  OutgoingInvite,
  SignallingPort,
} from './ports.js';
import { MediaError } from './ports.js';
import type { SessionDescription } from './session-description.js';
import { type CallEffect, type CallEvent, type CallState, step, transitions } from './state.js';
import type { CallResult, Termination } from './termination.js';

/** How long the far end has to confirm a CANCEL or BYE before the call counts as ended without it. */
export const confirmationTimeoutMs = 5_000;

export interface CallPorts {
  readonly client: ClientPort;
  readonly signalling: SignallingPort;
  readonly media: MediaPort;
  readonly timers: Timers;
  readonly observer: CallObserver;
}

export interface Timers {
  /** Runs `fire` once after `ms` milliseconds unless the returned function is called before. */
  after(ms: number, fire: () => void): () => void;
}

/** Is told what becomes of a call, for the log and the metrics. */
export interface CallObserver {
  changed(call: Call, state: CallState['name']): void;
  /** Once per call. */
  finished(call: Call, termination: Termination, media: MediaReport): void;
}

/** Who calls whom, as SIP addresses. */
export type CallParties = OutgoingParties | IncomingParties;

export interface OutgoingParties {
  readonly direction: 'outgoing';
  readonly id: string;
  readonly uri: string;
  readonly from: string;
  readonly credentials?: Credentials;
}

export interface IncomingParties {
  readonly direction: 'incoming';
  readonly invite: IncomingInvite;
  /** How long the client may ring before the caller is told that nobody answers. */
  readonly ringTimeMs: number;
}

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
    if (this.parties.direction === 'incoming') this.parties.invite.listen((event) => this.#receive(event));
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

  /** A frame that the client published; outside an answered call there is nobody to hear it. */
  write(frame: ClientFrame): void {
    if (this.#state.name === 'connected') this.#media?.write(frame);
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
        void this.#attempt(async (media) => {
          await media.accept(effect.answer);
          return { type: 'media-accepted' };
        });
        return;
      case 'cancel':
        this.#outgoing?.cancel();
        return;
      case 'bye':
        this.#outgoing?.bye(effect.reason);
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
        void this.#attempt(async (media) => ({ type: 'media-answered', answer: await media.answer(offerOf(invite)) }));
        return;
      case 'answer':
        invite.answer(effect.answer);
        return;
      case 'reject':
        invite.reject(effect.sipStatus);
        return;
      case 'bye':
        invite.bye(effect.reason);
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
        play: (frame) => this.#ports.client.play(frame),
        lost: (reason) => this.#receive({ type: 'media-failed', termination: { result: 'media-failed', reason } }),
        incoming: this.parties.direction === 'incoming',
        video: () => this.#ports.client.video?.(),
        keyFrameWanted: () => this.#ports.client.keyFrameWanted?.(),
      });
      // The client may have hung up, or gone, while the sockets were being opened.
      if (this.#state.name !== before) {
        media.close();
        return;
      }
      this.#media = media;
      if (this.parties.direction === 'incoming') media.check(offerOf(this.parties.invite));
    } catch (error) {
      this.#receive({ type: 'media-failed', termination: mediaTermination(error) });
      return;
    }
    this.#receive({ type: 'media-opened' });
  }

  #sendInvite({ uri, from, credentials }: OutgoingParties): void {
    if (!this.#media) return;
    this.#outgoing = this.#ports.signalling.invite(
      { callId: this.id, uri, from, offer: this.#media.offer, ...(credentials && { credentials }) },
      (event) => this.#receive(event),
    );
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

function offerOf({ offer }: IncomingInvite): SessionDescription {
  if (!offer) throw new MediaError('NoCommonCodec', 'the INVITE has no offer, and one is needed here');
  return offer;
}

function hasVideo({ offer }: IncomingInvite): boolean {
  return offer?.media.some(({ kind, port }) => kind === 'video' && port > 0) ?? false;
}

function mediaTermination(error: unknown): Termination {
  const result: CallResult =
    error instanceof MediaError && error.code === 'NoCommonCodec' ? 'no-codec' : 'media-failed';
  return { result, reason: error instanceof Error ? error.message : String(error) };
}
