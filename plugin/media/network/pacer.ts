import type { MediaClock } from './clock.js';

/** Packets that go at once, and in each millisecond after: 12 kB, so an ordinary picture of 2 Mb/s is not delayed. */
const perMillisecond = 10;

/** Milliseconds in which whatever waits is sent: a picture must not run into the next. */
const longestDelay = 10;

/** Spreads the packets of large pictures over some milliseconds: bursts overrun the queues of routers and sockets. */
export class Pacer {
  readonly #clock: MediaClock;
  readonly #send: (packet: Buffer) => void;
  #waiting: Buffer[] = [];
  /** Packets of `#waiting` that have gone. */
  #gone = 0;
  /** When the millisecond began that `#inSlot` packets were sent in. */
  #slot = Number.NEGATIVE_INFINITY;
  #inSlot = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: MediaClock, send: (packet: Buffer) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  push(packet: Buffer): void {
    if (this.#cancel !== undefined) {
      this.#waiting.push(packet);
      return;
    }
    const now = this.#clock.now();
    if (now - this.#slot >= 1) {
      this.#slot = now;
      this.#inSlot = 0;
    }
    if (this.#inSlot < perMillisecond) {
      this.#inSlot++;
      this.#send(packet);
    } else {
      this.#waiting.push(packet);
      this.#cancel = this.#clock.after(1, this.#run);
    }
  }

  /** Forgets what waits. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = [];
    this.#gone = 0;
  }

  readonly #run = (): void => {
    const now = this.#clock.now();
    const elapsed = Math.max(1, now - this.#slot);
    const left = this.#waiting.length - this.#gone;
    const count = Math.min(left, Math.floor(elapsed * Math.max(perMillisecond, left / longestDelay)));
    for (let index = 0; index < count; index++) {
      const packet = this.#waiting[this.#gone++];
      if (packet !== undefined) this.#send(packet);
    }
    this.#slot = now;
    this.#inSlot = perMillisecond;
    if (count < left) {
      this.#cancel = this.#clock.after(1, this.#run);
    } else {
      this.close();
    }
  };
}
