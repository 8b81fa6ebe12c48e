import { levelOf } from './comfort-noise.js';
import { type Law, meanSquare } from './g711.js';

/**
 * Milliseconds without audio from a client after which it is silent, not late: what comes later than 400 is dropped
 * (late-gate.ts), so that nothing is sent any more for the time that was called silence.
 */
const hangover = 500;

/** Packets of which the quietest tells the level of the background: the last syllable may be among them. */
const remembered = 10;

/** -dBov above which it was speech that ended, without any background behind it. */
const loudestBackground = 40;

/** Tells when a client falls silent, as those do that send nothing while nobody speaks, and how loud it is there. Deterministic. */
export class SilenceDetector {
  readonly #meanSquares: number[] = [];
  /** When there was audio last; undefined before, and once silence was told. */
  #heardAt: number | undefined;

  /** Whether there may be silence by and by. */
  get waits(): boolean {
    return this.#heardAt !== undefined;
  }

  /** A packet of G.711 is sent. */
  heard(law: Law, payload: Uint8Array, now: number): void {
    this.#heardAt = now;
    this.#meanSquares.push(meanSquare(law, payload));
    if (this.#meanSquares.length > remembered) this.#meanSquares.shift();
  }

  /** Something else takes the audio's place up to a moment. */
  postpone(until: number): void {
    if (this.#heardAt !== undefined) this.#heardAt = Math.max(this.#heardAt, until);
  }

  /** What was heard is no sign of silence any more. */
  reset(): void {
    this.#heardAt = undefined;
    this.#meanSquares.length = 0;
  }

  /** The level in -dBov of the silence that has begun; undefined while there is none, or when it was told. */
  begins(now: number): number | undefined {
    if (this.#heardAt === undefined || now - this.#heardAt < hangover) return undefined;
    const level = levelOf(Math.min(...this.#meanSquares));
    this.reset();
    return Math.max(level, loudestBackground);
  }
}
