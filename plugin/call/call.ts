import type { ClientFrame, ClientPort, MediaPort, MediaReport, MediaSession } from './ports.js';
import { MediaError, type OutgoingInvite, type SignallingPort } from './ports.js';
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

export interface OutgoingCall {
  readonly id: string;
  /** SIP URI to call. */
  readonly uri: string;
  /** SIP address of the caller. */
  readonly from: string;
}

/** Runs the state machine of one call against its ports. */
export class Call {
  readonly id: string;
  readonly uri: string;
  readonly #from: string;
  readonly #ports: CallPorts;
  readonly #events: CallEvent[] = [];
  #state: CallState = { name: 'idle' };
  #media: MediaSession | undefined;
  #invite: OutgoingInvite | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(call: OutgoingCall, ports: CallPorts) {
    this.id = call.id;
    this.uri = call.uri;
    this.#from = call.from;
    this.#ports = ports;
  }

  get state(): CallState['name'] {
    return this.#state.name;
  }

  start(): void {
    this.#receive({ type: 'start' });
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

  /** Runs each event to its end before the next, also when an effect brings about another event at once. */
  #receive(event: CallEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next; next = this.#events[0]) {
      const { state, effects } = step(this.#state, next);
      this.#enter(state);
      for (const effect of effects) this.#perform(effect);
      this.#events.shift();
    }
  }

  /** The only place that assigns the state. */
  #enter(next: CallState): void {
    const from = this.#state.name;
    this.#state = next;
    if (next.name === from) return;
    if (!transitions[from].includes(next.name)) throw new Error(`illegal transition ${from} -> ${next.name}`);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (next.name === 'cancelling' || next.name === 'ending') {
      this.#cancelTimer = this.#ports.timers.after(confirmationTimeoutMs, () => this.#receive({ type: 'timeout' }));
    }
    this.#ports.observer.changed(this, next.name);
  }

  #perform(effect: CallEffect): void {
    switch (effect.type) {
      case 'open-media':
        void this.#openMedia();
        return;
      case 'invite':
        this.#sendInvite();
        return;
      case 'accept-media':
        this.#attempt(() => this.#media?.accept(effect.answer));
        return;
      case 'cancel':
        this.#invite?.cancel();
        return;
      case 'bye':
        this.#invite?.bye(effect.reason);
        return;
      case 'status':
        this.#ports.client.status(effect.update);
        return;
      case 'finish':
        this.#ports.observer.finished(this, effect.termination, this.#media?.close() ?? {});
        return;
    }
  }

  async #openMedia(): Promise<void> {
    try {
      const media = await this.#ports.media.open({
        callId: this.id,
        play: (frame) => this.#ports.client.play(frame),
        lost: (reason) => this.#receive({ type: 'media-failed', termination: { result: 'media-failed', reason } }),
      });
      // The client may have hung up, or gone, while the sockets were being opened.
      if (this.#state.name !== 'preparing') {
        media.close();
        return;
      }
      this.#media = media;
    } catch (error) {
      this.#receive({ type: 'media-failed', termination: mediaTermination(error) });
      return;
    }
    this.#receive({ type: 'media-opened' });
  }

  #sendInvite(): void {
    if (!this.#media) return;
    this.#invite = this.#ports.signalling.invite(
      { callId: this.id, uri: this.uri, from: this.#from, offer: this.#media.offer },
      (event) => this.#receive(event),
    );
  }

  #attempt(accept: () => void): void {
    try {
      accept();
    } catch (error) {
      this.#receive({ type: 'media-failed', termination: mediaTermination(error) });
      return;
    }
    this.#receive({ type: 'media-accepted' });
  }
}

function mediaTermination(error: unknown): Termination {
  const result: CallResult =
    error instanceof MediaError && error.code === 'NoCommonCodec' ? 'no-codec' : 'media-failed';
  return { result, reason: error instanceof Error ? error.message : String(error) };
}
