import { kaiser, sinc } from '../../../plugin/media/audio/windowed-sinc.js';

/**
 * From one sample rate to another: a sinc in a Kaiser window, whose cut-off lies below half of the lower rate. Rates need
 * not divide each other. Deterministic; delays by `halfWidth` samples of the lower rate, 1 ms at 16 kHz.
 */
export class Resampler {
  readonly #step: number;
  readonly #taps: number;
  readonly #table: Float32Array;
  /** Input that is still needed, the oldest first. */
  #line: Float32Array;
  /** Where in the line the next output sample lies, in input samples. */
  #position: number;

  /** @param from Hz @param to Hz */
  constructor(from: number, to: number) {
    this.#step = from / to;
    const stretch = Math.max(1, this.#step);
    this.#taps = 2 * Math.ceil(halfWidth * stretch);
    this.#table = kernel(this.#taps, passBand * Math.min(1, to / from));
    this.#line = new Float32Array(this.#taps);
    this.#position = 0;
  }

  /** Samples of the input by which the output is behind. */
  get delay(): number {
    return this.#taps / 2;
  }

  process(samples: Float32Array): Float32Array {
    const line = new Float32Array(this.#line.length + samples.length);
    line.set(this.#line);
    line.set(samples, this.#line.length);
    const last = line.length - this.#taps;
    const count = Math.max(0, Math.ceil((last - this.#position) / this.#step));
    const output = new Float32Array(count);
    for (let at = 0; at < count; at++) output[at] = this.#sample(line, this.#position + at * this.#step);
    const position = this.#position + count * this.#step;
    const used = Math.min(Math.floor(position), line.length);
    this.#line = line.subarray(used);
    this.#position = position - used;
    return output;
  }

  #sample(line: Float32Array, position: number): number {
    const first = Math.floor(position);
    const phase = Math.round((position - first) * phases);
    const table = this.#table;
    let sum = 0;
    for (let tap = 0, at = phases - phase; tap < this.#taps; tap++, at += phases) {
      sum += (line[first + tap] ?? 0) * (table[at] ?? 0);
    }
    return sum;
  }
}

/** Zero crossings on either side. */
const halfWidth = 16;
/** Part of half of the lower rate that passes. */
const passBand = 0.9;
/** Places between two samples for which the kernel is known; what lies between is rounded: 70 dB below the speech. */
const phases = 256;
/** Kaiser's window for 60 dB beside the pass band. */
const beta = 5.65;

/** The filter at all its phases, each with a gain of 1. @param cutoff part of half of the input's rate */
function kernel(taps: number, cutoff: number): Float32Array {
  const middle = (taps / 2) * phases;
  const table = Float32Array.from({ length: (taps + 1) * phases + 1 }, (_, index) => {
    const x = (index - middle) / phases;
    const edge = x / (taps / 2);
    return Math.abs(edge) >= 1 ? 0 : sinc(cutoff * x) * kaiser(edge, beta);
  });
  for (let phase = 0; phase <= phases; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += table[phase + tap * phases] ?? 0;
    // Phase 0 and phase `phases` share their taps.
    if (phase < phases) for (let tap = 0; tap <= taps; tap++) scale(table, phase + tap * phases, 1 / sum);
  }
  return table;
}

function scale(table: Float32Array, at: number, factor: number): void {
  if (at < table.length) table[at] = (table[at] ?? 0) * factor;
}
