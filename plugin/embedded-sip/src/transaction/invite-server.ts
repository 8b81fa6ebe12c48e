import type { Clock, ScheduledCall } from '../clock.js';
import { T1, T2, T4, TIMEOUT } from './timers.js';

export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

export interface InviteServerParts {
  readonly clock: Clock;
  /** Over a reliable transport nothing is retransmitted. */
  readonly reliable: boolean;
  send(text: string): void;
  /** No ACK for a 2xx in 32 s. */
  onAckTimeout(): void;
  onTerminated(): void;
}

/**
 * INVITE server transaction (RFC 3261 section 17.2.1 with RFC 6026). It also repeats the 2xx until `acknowledged`, which
 * section 13.3.1.4 gives to the UAS core: the application above never sees a retransmission.
 */
export class InviteServerTransaction {
  readonly #parts: InviteServerParts;
  #state: InviteServerState = 'proceeding';
  #last: string | undefined;
  #retransmit: ScheduledCall | undefined;
  #deadline: ScheduledCall | undefined;
  #interval = T1;

  constructor(parts: InviteServerParts) {
    this.#parts = parts;
  }

  get state(): InviteServerState {
    return this.#state;
  }

  /** Sends a response of the transaction user. False when a final one has been sent before. */
  respond(status: number, text: string): boolean {
    if (this.#state !== 'proceeding') return false;
    this.#last = text;
    this.#parts.send(text);
    if (status < 200) return true;
    this.#state = status < 300 ? 'accepted' : 'completed';
    if (!this.#parts.reliable) this.#startRetransmitting();
    this.#deadline = this.#parts.clock.schedule(TIMEOUT, () => this.#onDeadline());
    return true;
  }

  /** The INVITE again: the last response again. */
  receiveInvite(): void {
    if (this.#last === undefined || this.#state === 'confirmed' || this.#state === 'terminated') return;
    this.#parts.send(this.#last);
  }

  /** The ACK of a 3xx-6xx. */
  receiveAck(): void {
    if (this.#state !== 'completed') return;
    this.#state = 'confirmed';
    this.#stopTimers();
    if (this.#parts.reliable) this.terminate();
    else this.#deadline = this.#parts.clock.schedule(T4, () => this.terminate());
  }

  /** The 2xx has been ACKed: no more repeats, but the transaction stays to absorb late INVITEs (timer L). */
  acknowledged(): void {
    if (this.#state !== 'accepted') return;
    this.#stopTimers();
    this.#deadline = this.#parts.clock.schedule(TIMEOUT, () => this.terminate());
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#stopTimers();
    this.#state = 'terminated';
    this.#parts.onTerminated();
  }

  #startRetransmitting(): void {
    this.#retransmit = this.#parts.clock.schedule(this.#interval, () => {
      this.#interval = Math.min(this.#interval * 2, T2);
      if (this.#last !== undefined) this.#parts.send(this.#last);
      this.#startRetransmitting();
    });
  }

  #onDeadline(): void {
    const unacknowledged = this.#state === 'accepted';
    this.terminate();
    if (unacknowledged) this.#parts.onAckTimeout();
  }

  #stopTimers(): void {
    this.#retransmit?.cancel();
    this.#deadline?.cancel();
  }
}
