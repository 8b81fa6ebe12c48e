import type { Clock, ScheduledCall } from '../clock.js';
import { T1, TIMEOUT } from '../transaction/timers.js';

export interface ReliableParts {
  readonly clock: Clock;
  send(text: string): void;
  /** 32 s have passed without a PRACK. */
  onTimeout(): void;
}

/** What a user has said while a reliable response waits for its PRACK. */
interface Held {
  readonly text: string;
  /** Absent in the 2xx that ends the INVITE. */
  readonly sequence: number | undefined;
  send(): void;
}

/**
 * Reliable provisional responses of one INVITE (RFC 3262 section 3): numbered, repeated until their PRACK, one at a time. The
 * next one waits for that, and so does a 2xx when the response has a description, which it would answer before its time.
 */
export class ReliableProvisionals {
  readonly #parts: ReliableParts;
  readonly #held: Held[] = [];
  #sequence: number;
  #unacknowledged: number | undefined;
  #describes = false;
  #timer: ScheduledCall | undefined;

  constructor(parts: ReliableParts) {
    this.#parts = parts;
    this.#sequence = 1 + Math.floor(Math.random() * 10_000);
  }

  /** RSeq of the next reliable response. */
  next(): number {
    this.#sequence++;
    return this.#sequence;
  }

  /** Sends a reliable response, or a 2xx (without a sequence), as soon as it may be sent. */
  sendInTurn(held: Held): void {
    const ready = this.#unacknowledged === undefined || (held.sequence === undefined && !this.#describes);
    if (ready && this.#held.length === 0) this.#send(held);
    else this.#held.push(held);
  }

  /** Takes the RAck of a PRACK; false when it fits no response that waits for one. */
  acknowledge(rack: string, inviteSequence: number): boolean {
    const match = /^(\d+)\s+(\d+)\s+INVITE$/.exec(rack);
    if (!match || Number(match[1]) !== this.#unacknowledged || Number(match[2]) !== inviteSequence) return false;
    this.#timer?.cancel();
    this.#unacknowledged = undefined;
    return true;
  }

  /** Sends what has waited for a PRACK. */
  goOn(): void {
    while (this.#unacknowledged === undefined) {
      const held = this.#held.shift();
      if (!held) return;
      this.#send(held);
    }
  }

  /** The INVITE is over: nothing is repeated and nothing waits any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#unacknowledged = undefined;
    this.#held.length = 0;
  }

  #send(held: Held): void {
    const { text, sequence } = held;
    if (sequence === undefined) this.stop();
    held.send();
    if (sequence === undefined) return;
    this.#unacknowledged = sequence;
    this.#describes = !text.endsWith('\r\n\r\n');
    this.#schedule(text, T1, TIMEOUT);
  }

  #schedule(text: string, interval: number, left: number): void {
    this.#timer = this.#parts.clock.schedule(Math.min(interval, left), () => {
      if (interval >= left) {
        this.#parts.onTimeout();
        return;
      }
      this.#parts.send(text);
      this.#schedule(text, interval * 2, left - interval);
    });
  }
}
