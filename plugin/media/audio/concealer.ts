import { compress, expand, type Law, silentOctet } from './g711.js';

/** Samples at 8 kHz. */
const frameSize = 160;
const shortestPeriod = 40;
const longestPeriod = 160;
/** Goes on at full level for 10 ms, then fades out within 50 ms (as G.711 appendix I does). */
const steady = 80;
const fade = 400;

/**
 * Fills the place of lost G.711 with the voice's last period, repeated and fading. Speex has its own concealment; G.711
 * has none. Deterministic.
 */
export class Concealer {
  readonly #law: Law;
  readonly #history: Uint8Array;
  #samples: Int16Array = new Int16Array();
  #period = 0;
  /** Samples made since the last that were heard. */
  #made = 0;

  constructor(law: Law) {
    this.#law = law;
    this.#history = new Uint8Array(longestPeriod + frameSize).fill(silentOctet[law]);
  }

  heard(octets: Uint8Array): void {
    this.#made = 0;
    const all = this.#history;
    const tail = octets.subarray(Math.max(0, octets.length - all.length));
    all.copyWithin(0, tail.length);
    all.set(tail, all.length - tail.length);
  }

  /** The next 20 ms. */
  conceal(): Uint8Array {
    if (this.#made === 0) {
      this.#samples = expand(this.#law, this.#history);
      this.#period = this.#findPeriod();
    }
    const all = this.#samples;
    const frame = Int16Array.from({ length: frameSize }, () => {
      const at = all.length - this.#period + (this.#made % this.#period);
      const gain = Math.max(0, 1 - Math.max(0, this.#made - steady) / fade);
      this.#made++;
      return (all[at] ?? 0) * gain;
    });
    return compress(this.#law, frame);
  }

  /** The shift at which the last 20 ms are most like what was before. */
  #findPeriod(): number {
    let best = { period: longestPeriod, likeness: 0 };
    for (let period = shortestPeriod; period <= longestPeriod; period++) {
      const likeness = this.#likeness(period);
      if (likeness > best.likeness) best = { period, likeness };
    }
    return best.period;
  }

  #likeness(period: number): number {
    const all = this.#samples;
    let product = 0;
    let energy = 1;
    for (let at = longestPeriod; at < all.length; at++) {
      const before = all[at - period] ?? 0;
      product += (all[at] ?? 0) * before;
      energy += before * before;
    }
    return product / Math.sqrt(energy);
  }
}
