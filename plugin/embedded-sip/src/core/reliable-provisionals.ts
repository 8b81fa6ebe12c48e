import type { Clock, ScheduledCall } from '../clock.js';
import { T1, TIMEOUT } from '../transaction/timers.js';

/** Reliable provisional responses of one INVITE (RFC 3262 section 3): numbered, and repeated until their PRACK. */
export class ReliableProvisionals {
  readonly #clock: Clock;
  readonly #send: (text: string) => void;
  #sequence: number;
  #unacknowledged: number | undefined;
  #timer: ScheduledCall | undefined;

  constructor(clock: Clock, send: (text: string) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#sequence = 1 + Math.floor(Math.random() * 10_000);
  }

  /** RSeq of the next reliable response. */
  next(): number {
    this.#sequence++;
    return this.#sequence;
  }

  /** Repeats a response that has just been sent, until `acknowledge` or for 32 s. */
  repeat(sequence: number, text: string): void {
    this.stop();
    this.#unacknowledged = sequence;
    this.#schedule(text, T1, 0);
  }

  /** Takes the RAck of a PRACK; false when it fits no response that waits for one. */
  acknowledge(rack: string, inviteSequence: number): boolean {
    const match = /^(\d+)\s+(\d+)\s+INVITE$/.exec(rack);
    if (!match || Number(match[1]) !== this.#unacknowledged || Number(match[2]) !== inviteSequence) return false;
    this.stop();
    return true;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#unacknowledged = undefined;
  }

  #schedule(text: string, interval: number, elapsed: number): void {
    if (elapsed + interval > TIMEOUT) return;
    this.#timer = this.#clock.schedule(interval, () => {
      this.#send(text);
      this.#schedule(text, interval * 2, elapsed + interval);
    });
  }
}
