import type { Clock, ScheduledCall } from '../clock.js';
import { FRAME_MS } from './tune.js';

/** Frames made up for after the process was held up; beyond them the listeners hear a gap. */
const MAX_CATCH_UP = 5;

/** One clock for all calls to music: tells every listener each 20 ms to send a frame, as long as there is one. */
export class MusicPlayer {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #next: ScheduledCall | undefined;
  /** When the next frame is due, in milliseconds. */
  #due = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(listener: () => void): void {
    this.#listeners.add(listener);
    if (this.#next) return;
    this.#due = this.#clock.now();
    this.#schedule();
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#next?.cancel();
    this.#next = undefined;
  }

  /** Timers are late by a little each time; counting from the due time keeps the rate exact. */
  #schedule(): void {
    this.#due += FRAME_MS;
    this.#next = this.#clock.schedule(Math.max(0, this.#due - this.#clock.now()), () => this.#run());
  }

  #run(): void {
    const late = Math.floor((this.#clock.now() - this.#due) / FRAME_MS);
    const frames = 1 + Math.min(Math.max(late, 0), MAX_CATCH_UP);
    if (late > MAX_CATCH_UP) this.#due = this.#clock.now();
    else this.#due += (frames - 1) * FRAME_MS;
    for (const listener of [...this.#listeners]) for (let frame = 0; frame < frames; frame++) listener();
    if (this.#listeners.size > 0) this.#schedule();
  }
}
