import type { Clock, ScheduledCall } from '../clock.js';
import type { SipResponse } from '../message/message.js';
import { RING_TIMEOUT, T1, TIMEOUT } from './timers.js';

export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/** Why an INVITE ends without a final response from the network. */
export type ClientFailure = 'timeout' | 'transport';

export interface InviteClientParts {
  readonly clock: Clock;
  readonly reliable: boolean;
  sendRequest(): void;
  /** The ACK of a 3xx-6xx, again for each repetition of it. */
  sendAck(response: SipResponse): void;
  /** Every response for the user: provisional ones, the first 3xx-6xx, and each 2xx, repeated ones included. */
  onResponse(response: SipResponse): void;
  onFailure(failure: ClientFailure): void;
  /** Timer C: it has rung for 185 s. */
  onRingTimeout(): void;
  onTerminated(): void;
}

/** INVITE client transaction (RFC 3261 section 17.1.1 with RFC 6026), and timer C of section 16.8. */
export class InviteClientTransaction {
  readonly #parts: InviteClientParts;
  #state: InviteClientState = 'calling';
  #retransmit: ScheduledCall | undefined;
  #deadline: ScheduledCall | undefined;
  #cancelled = false;
  #interval = T1;

  constructor(parts: InviteClientParts) {
    this.#parts = parts;
  }

  get state(): InviteClientState {
    return this.#state;
  }

  start(): void {
    this.#parts.sendRequest();
    this.#deadline = this.#parts.clock.schedule(TIMEOUT, () => this.#fail('timeout'));
    if (!this.#parts.reliable) this.#scheduleRetransmission();
  }

  receive(response: SipResponse): void {
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        if (response.status < 200) this.#receiveProvisional(response);
        else this.#receiveFinal(response);
        return;
      case 'accepted':
        if (response.status >= 200 && response.status < 300) this.#parts.onResponse(response);
        return;
      case 'completed':
        if (response.status >= 300) this.#parts.sendAck(response);
        return;
      case 'terminated':
        return;
    }
  }

  /** A CANCEL has been sent: without a final response 32 s later the INVITE counts as failed (section 9.1). */
  cancelled(): void {
    if (this.#state !== 'proceeding' || this.#cancelled) return;
    this.#cancelled = true;
    this.#deadline?.cancel();
    this.#deadline = this.#parts.clock.schedule(TIMEOUT, () => this.#fail('timeout'));
  }

  transportFailed(): void {
    if (this.#state === 'calling') this.#fail('transport');
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#stopTimers();
    this.#state = 'terminated';
    this.#parts.onTerminated();
  }

  #receiveProvisional(response: SipResponse): void {
    this.#state = 'proceeding';
    if (!this.#cancelled) {
      this.#stopTimers();
      this.#deadline = this.#parts.clock.schedule(RING_TIMEOUT, () => this.#parts.onRingTimeout());
    }
    this.#parts.onResponse(response);
  }

  #receiveFinal(response: SipResponse): void {
    this.#stopTimers();
    const accepted = response.status < 300;
    this.#state = accepted ? 'accepted' : 'completed';
    if (!accepted) this.#parts.sendAck(response);
    // Timer D is zero over a reliable transport; timer M never is, for 2xx of other forks.
    const linger = accepted || !this.#parts.reliable ? TIMEOUT : 0;
    this.#deadline = this.#parts.clock.schedule(linger, () => this.terminate());
    this.#parts.onResponse(response);
  }

  #scheduleRetransmission(): void {
    this.#retransmit = this.#parts.clock.schedule(this.#interval, () => {
      this.#interval *= 2;
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
