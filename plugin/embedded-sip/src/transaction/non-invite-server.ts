import type { Clock, ScheduledCall } from '../clock.js';
import { TIMEOUT } from './timers.js';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export interface NonInviteServerParts {
  readonly clock: Clock;
  readonly reliable: boolean;
  send(text: string): void;
  onTerminated(): void;
}

/** Non-INVITE server transaction (RFC 3261 section 17.2.2). */
export class NonInviteServerTransaction {
  readonly #parts: NonInviteServerParts;
  #state: NonInviteServerState = 'trying';
  #last: string | undefined;
  #linger: ScheduledCall | undefined;

  constructor(parts: NonInviteServerParts) {
    this.#parts = parts;
  }

  get state(): NonInviteServerState {
    return this.#state;
  }

  /** False when a final response has been sent before. */
  respond(status: number, text: string): boolean {
    if (this.#state === 'completed' || this.#state === 'terminated') return false;
    this.#last = text;
    this.#state = status < 200 ? 'proceeding' : 'completed';
    this.#parts.send(text);
    if (this.#state !== 'completed') return true;
    if (this.#parts.reliable) this.terminate();
    else this.#linger = this.#parts.clock.schedule(TIMEOUT, () => this.terminate());
    return true;
  }

  /** The request again: nothing while trying, else the last response again. */
  receiveRequest(): void {
    if (this.#last !== undefined && this.#state !== 'terminated') this.#parts.send(this.#last);
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#linger?.cancel();
    this.#state = 'terminated';
    this.#parts.onTerminated();
  }
}
