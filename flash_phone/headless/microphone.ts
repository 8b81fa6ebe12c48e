import { type Encode, frameMs, frameSize } from './codec.js';

/** Frames that may be made up for at once: what a computer that slept has missed is not said any more. */
const mostAtOnce = 25;

/** Says a sound, then silence, one frame every 20 ms by the clock: delays of the timer do not add up. */
export class Microphone {
  /** Milliseconds, of `performance.now()`: when the first frame went out. */
  readonly started = performance.now();
  /** Resolves when the sound has been said. */
  readonly said: Promise<void>;
  sent = 0;
  /** Frames that were not sent: the gateway did not read, or this computer had no time. */
  dropped = 0;
  readonly #sound: Int16Array;
  readonly #encode: Encode;
  readonly #send: (timestamp: number, body: Uint8Array) => boolean;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  /** @param send whether it was taken */
  constructor(sound: Int16Array, encode: Encode, send: (timestamp: number, body: Uint8Array) => boolean) {
    this.#sound = sound;
    this.#encode = encode;
    this.#send = send;
    this.said = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tick(): void {
    const due = Math.floor((performance.now() - this.started) / frameMs) + 1;
    const missed = Math.max(0, due - this.#next - mostAtOnce);
    this.dropped += missed;
    this.#next += missed;
    while (this.#next < due) this.#say(this.#next++);
    if (this.#next * frameSize >= this.#sound.length) this.#finish();
    this.#timer = setTimeout(() => this.#tick(), this.started + this.#next * frameMs - performance.now());
  }

  #say(index: number): void {
    const frame = new Int16Array(frameSize);
    frame.set(this.#sound.subarray(index * frameSize, (index + 1) * frameSize));
    if (this.#send(index * frameMs, this.#encode(frame))) this.sent++;
    else this.dropped++;
  }
}
