import type { Clock, ScheduledCall } from '../clock.js';
import type { SipResponse } from '../message/message.js';
import type { ClientFailure } from './invite-client.js';
import { T1, T2, T4, TIMEOUT } from './timers.js';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export interface NonInviteClientParts {
  readonly clock: Clock;
  readonly reliable: boolean;
  sendRequest(): void;
  /** Every provisional response and the first final one. */
  onResponse(response: SipResponse): void;
  onFailure(failure: ClientFailure): void;
  onTerminated(): void;
}

/** Non-INVITE client transaction (RFC 3261 section 17.1.2). */
export class NonInviteClientTransaction {
  readonly #parts: NonInviteClientParts;
  #state: NonInviteClientState = 'trying';
  #retransmit: ScheduledCall | undefined;
  #deadline: ScheduledCall | undefined;
  #interval = T1;

  constructor(parts: NonInviteClientParts) {
    this.#parts = parts;
  }

  get state(): NonInviteClientState {
    return this.#state;
  }

  start(): void {
    this.#parts.sendRequest();
    this.#deadline = this.#parts.clock.schedule(TIMEOUT, () => this.#fail('timeout'));
    if (!this.#parts.reliable) this.#scheduleRetransmission();
  }

  receive(response: SipResponse): void {
    if (this.#state === 'completed' || this.#state === 'terminated') return;
    if (response.status < 200) {
      this.#state = 'proceeding';
      this.#interval = T2;
      this.#parts.onResponse(response);
      return;
    }
    this.#stopTimers();
    this.#state = 'completed';
    this.#deadline = this.#parts.clock.schedule(this.#parts.reliable ? 0 : T4, () => this.terminate());
    this.#parts.onResponse(response);
  }

  transportFailed(): void {
    if (this.#state === 'trying') this.#fail('transport');
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#stopTimers();
    this.#state = 'terminated';
    this.#parts.onTerminated();
  }

  #scheduleRetransmission(): void {
    this.#retransmit = this.#parts.clock.schedule(this.#interval, () => {
      this.#interval = Math.min(this.#interval * 2, T2);
      this.#parts.sendRequest();
      this.#scheduleRetransmission();
    });
  }

  #fail(failure: ClientFailure): void {
    this.terminate();
    this.#parts.onFailure(failure);
  }

  #stopTimers(): void {
    this.#retransmit?.cancel();
    this.#deadline?.cancel();
  }
}
