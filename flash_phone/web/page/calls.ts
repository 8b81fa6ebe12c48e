import type { Party } from '../src/events.js';
import { tame } from './words.js';

/** A call that the page shows. */
export interface ShownCall {
  readonly outgoing: boolean;
  readonly address: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds of the page's clock when it was answered. */
  answeredAt?: number;
  /** Whether this side has ended or refused it. */
  hungUp?: boolean;
}

export interface OtherCall {
  readonly call: ShownCall;
  readonly state: 'waiting' | 'held';
}

/** A call that comes. */
export const callFrom = ({ from, displayName = '' }: Party): ShownCall => ({
  ...{ outgoing: false, address: from, name: tame(displayName), at: Date.now() },
});

/** The call that is talked in, and the one besides it. What is over is returned, for the log. */
export class Calls {
  #active: ShownCall | undefined;
  #other: OtherCall | undefined;
  /** Whether it is this side that wants the other call: the one that is talked in is held then, else it is over. */
  #changing = false;

  get active(): ShownCall | undefined {
    return this.#active;
  }

  get other(): OtherCall | undefined {
    return this.#other;
  }

  begin(call: ShownCall): void {
    this.#active = call;
    // One that waited calls again as an ordinary one when the call before it is over.
    this.#other = undefined;
    this.#changing = false;
  }

  waiting(call: ShownCall): void {
    this.#other = { call, state: 'waiting' };
  }

  /** The one that waits is accepted, or the one that is held wanted back. */
  change(): void {
    this.#changing = true;
  }

  /** @param now milliseconds of the page's clock */
  switched(party: Party, now: number): ShownCall | undefined {
    const before = this.#active;
    const active = this.#other?.call ?? callFrom(party);
    active.answeredAt ??= now;
    this.#active = active;
    this.#other = this.#changing && before !== undefined ? { call: before, state: 'held' } : undefined;
    const over = this.#changing ? undefined : before;
    this.#changing = false;
    return over;
  }

  /** The one besides is over, or there is none. */
  otherEnded(): OtherCall | undefined {
    const over = this.#other;
    this.#other = undefined;
    this.#changing = false;
    return over;
  }

  /** The call is over. One that waits is not: it is about to ring. */
  ended(): ShownCall | undefined {
    const over = this.#active;
    this.#active = undefined;
    this.#changing = false;
    return over;
  }
}
