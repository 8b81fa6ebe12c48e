/**
 * Comfort noise, RFC 3389 section 3: what is sent once, in place of silence.
 *
 *    |0|   level (7)   |  reflection coefficient 1 (8)  |  coefficient 2 (8) ...
 *
 * The level is in -dBov: 0 is the loudest square wave of 16 bits, 127 nothing. The coefficients, as many as the sender
 * likes, give the noise its colour; without any it is white.
 */

const fullScale = 2 ** 15;

/** -dBov above which nothing is background noise: who says so would hurt ears. */
export const loudest = 30;
const quietest = 127;

/** Coefficients heard: as many as shape noise of 8 kHz. The first ones of a longer list are a coarser filter. */
const maxCoefficients = 12;

/** Below 1, where the filter would ring for ever. */
const maxCoefficient = 0.98;

/** Share of the way to another level that one piece of noise goes: no steps are heard. */
const smoothing = 0.25;

/** -dBov of samples with this mean square. */
export function levelOf(meanSquare: number): number {
  const level = -Math.round(10 * Math.log10(Math.max(meanSquare, 1e-9) / fullScale ** 2));
  return Math.min(quietest, Math.max(0, level));
}

/** Makes noise as a far end describes it. Deterministic: the same descriptions give the same samples. */
export class ComfortNoise {
  /** Standard deviation of the white noise that is shaped, and what it is to become. */
  #amplitude: number | undefined;
  #target = 0;
  #coefficients: readonly number[] = [];
  /** What the stages of the filter remember (a lattice). */
  readonly #memory = new Float64Array(maxCoefficients + 1);
  #random = 1;

  /** Takes the payload of a packet of comfort noise; false when it says nothing. */
  describe(payload: Uint8Array): boolean {
    const [level] = payload;
    if (level === undefined) return false;
    const coefficients = [...payload.subarray(1, 1 + maxCoefficients)].map(dequantise);
    // What the filter adds to the level.
    const gain = coefficients.reduce((product, k) => product / (1 - k * k), 1);
    const rms = fullScale * 10 ** (-Math.max(level & 0x7f, loudest) / 20);
    this.#target = (level & 0x7f) === quietest ? 0 : rms / Math.sqrt(gain);
    this.#coefficients = coefficients;
    this.#amplitude ??= this.#target;
    return true;
  }

  /** The next samples, 8,000 a second. */
  fill(samples: Int16Array): void {
    const before = this.#amplitude ?? 0;
    this.#amplitude = before + (this.#target - before) * smoothing;
    // Numbers of equal likelihood from -1 to 1 deviate by the root of a third.
    const amplitude = this.#amplitude * Math.sqrt(3);
    for (let at = 0; at < samples.length; at++) {
      const sample = this.#shape(this.#white() * amplitude);
      samples[at] = Math.max(-fullScale, Math.min(fullScale - 1, Math.round(sample)));
    }
  }

  /** The all-pole filter 1/A(z), A(z) = 1 + a(1) z^-1 + ..., by its reflection coefficients. */
  #shape(excitation: number): number {
    const memory = this.#memory;
    let forward = excitation;
    for (let stage = this.#coefficients.length - 1; stage >= 0; stage--) {
      const k = this.#coefficients[stage] ?? 0;
      const backward = memory[stage] ?? 0;
      forward -= k * backward;
      memory[stage + 1] = backward + k * forward;
    }
    memory[0] = forward;
    return forward;
  }

  /** A linear congruential generator: for noise that is good enough. */
  #white(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0;
    return this.#random / 2 ** 31;
  }
}

/** Section 3.2. */
function dequantise(octet: number): number {
  const coefficient = (258 * (octet - 127)) / 32768;
  return Math.max(-maxCoefficient, Math.min(maxCoefficient, coefficient));
}
