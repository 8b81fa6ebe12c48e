import { frameDuration } from 'speex-wasm';
import { distance32 } from '../rtp/serial.js';
import { ComfortNoise } from './comfort-noise.js';
import { compress, g711Rate, type Law } from './g711.js';

/**
 * Milliseconds that noise stays behind the clock: so late, by jitter, speech may come and not find noise in its place.
 * What is missing then is made up at once.
 */
const lag = 60;

/** Milliseconds of noise that are made up at once, at most. */
const maxBurst = 200;

/** Milliseconds of noise behind the last packet that describes it: a far end that is gone makes none. */
const longest = 60_000;

interface Silence {
  /** What noise is made in: what the far end sends while it speaks. */
  readonly law: Law;
  /** Timestamp for the client, in milliseconds, that the last description has, and when it came. */
  readonly timestamp: number;
  readonly arrival: number;
  /** Timestamp up to which there is noise. */
  end: number;
}

/** Fills the silence of a far end with the noise that it describes (RFC 3389), up to its speech. Deterministic. */
export class SilenceFiller {
  readonly #take: (octets: Uint8Array, timestamp: number, law: Law) => void;
  readonly #noise = new ComfortNoise();
  /** Milliseconds of a packet of speech, and of noise. */
  #duration = frameDuration;
  #silence: Silence | undefined;

  /** @param take gets noise as G.711, and its timestamp for the client */
  constructor(take: (octets: Uint8Array, timestamp: number, law: Law) => void) {
    this.#take = take;
  }

  /** Whether there is noise to be made. */
  get waits(): boolean {
    return this.#silence !== undefined;
  }

  /** A packet describes the noise; there is silence from its timestamp on. False when it says nothing. */
  describe(payload: Uint8Array, law: Law, timestamp: number, arrival: number): boolean {
    if (!this.#noise.describe(payload)) return false;
    this.#silence = { law, timestamp, arrival, end: this.#silence?.end ?? timestamp };
    return true;
  }

  /** Makes the noise that is due. */
  tick(now: number): void {
    const silence = this.#silence;
    if (silence === undefined) return;
    const elapsed = now - silence.arrival;
    if (elapsed > longest) this.#silence = undefined;
    else this.#fill(silence, silence.timestamp + Math.floor(elapsed) - lag);
  }

  /**
   * There is speech from a timestamp on, for the client, in a packet of so many octets. Returns by how many milliseconds
   * there is noise beyond its beginning already.
   */
  end(timestamp: number, octets: number): number {
    this.#duration = durationOf(octets);
    const silence = this.#silence;
    if (silence === undefined) return 0;
    this.#silence = undefined;
    const missing = distance32(timestamp, silence.end);
    if (missing < maxBurst) this.#fill(silence, timestamp);
    return Math.max(0, -missing);
  }

  /** There is no silence any more: another source, or another agreement. */
  stop(): void {
    this.#silence = undefined;
  }

  #fill(silence: Silence, to: number): void {
    const { law } = silence;
    const duration = this.#duration;
    const late = distance32(to, silence.end) - maxBurst;
    if (late > 0) silence.end = (silence.end + late) % 2 ** 32;
    while (distance32(to, silence.end) >= duration) {
      const samples = new Int16Array(duration * g711Rate);
      this.#noise.fill(samples);
      this.#take(compress(law, samples), silence.end, law);
      silence.end = (silence.end + duration) % 2 ** 32;
    }
  }
}

/** Milliseconds of a packet of G.711, where they are a length that packets have. */
function durationOf(octets: number): number {
  const duration = octets / g711Rate;
  return Number.isInteger(duration) && duration >= 10 && duration <= 60 ? duration : frameDuration;
}
