import { kaiser, sinc } from './windowed-sinc.js';

/**
 * Between 8 and 16 kHz: a low-pass filter of linear phase (a sinc in a Kaiser window) that lets a telephone's 3.4 kHz
 * through within 0.1 dB and holds what lies above 4 kHz, which 8 kHz cannot carry, 60 dB down. It delays by 3 ms.
 */
const length = 97;
const cutoff = 3700 / 16000;
/** Kaiser's window for 60 dB beside the pass band. */
const beta = 5.65;

const middle = (length - 1) / 2;
const filter = Float64Array.from(
  { length },
  (_, index) => sinc(2 * cutoff * (index - middle)) * kaiser((index - middle) / middle, beta),
);
// The gain at 0 Hz is 1 to the last bit, whatever the window did to it.
const sum = filter.reduce((total, value) => total + value, 0);
for (let at = 0; at < length; at++) filter[at] = (filter[at] ?? 0) / sum;

/** The halves that meet real samples where every second one is put in between; each has a gain of 1. */
const [evenPhase, oddPhase] = [0, 1].map((phase) =>
  filter.filter((_, index) => index % 2 === phase).map((tap) => tap * 2),
) as [Float64Array, Float64Array];

/** 16 to 8 kHz. Deterministic. What it returns is overwritten by the next call. */
export class Downsampler {
  #output = new Int16Array();
  readonly #line = new DelayLine(length - 1);

  /** @param samples an even number of them */
  process(samples: Int16Array): Int16Array {
    const line = this.#line.append(samples);
    this.#output = ofLength(this.#output, samples.length >> 1);
    const output = this.#output;
    for (let at = 0; at < output.length; at++) output[at] = round(convolve(filter, line, at * 2));
    return output;
  }
}

/** 8 to 16 kHz. Deterministic. What it returns is overwritten by the next call. */
export class Upsampler {
  #output = new Int16Array();
  readonly #line = new DelayLine(middle);

  process(samples: Int16Array): Int16Array {
    const line = this.#line.append(samples);
    this.#output = ofLength(this.#output, samples.length * 2);
    const output = this.#output;
    for (let at = 0; at < samples.length; at++) {
      output[at * 2] = round(convolve(evenPhase, line, at));
      output[at * 2 + 1] = round(convolve(oddPhase, line, at + 1));
    }
    return output;
  }
}

/** The last samples of one block in front of the next. */
class DelayLine {
  readonly #kept: number;
  #samples: Float64Array;

  constructor(kept: number) {
    this.#kept = kept;
    this.#samples = new Float64Array(kept);
  }

  append(samples: Int16Array): Float64Array {
    const before = this.#samples;
    const tail = before.subarray(before.length - this.#kept);
    if (before.length === this.#kept + samples.length) before.copyWithin(0, samples.length);
    else {
      this.#samples = new Float64Array(this.#kept + samples.length);
      this.#samples.set(tail);
    }
    this.#samples.set(samples, this.#kept);
    return this.#samples;
  }
}

/**
 * The filter is symmetric: each tap serves two samples. Two sums, as one would wait for its own last addition. Half of
 * every filter here is an even number of taps.
 */
function convolve(taps: Float64Array, line: Float64Array, from: number): number {
  const half = taps.length >> 1;
  const end = from + taps.length - 1;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < half; at += 2) {
    even += (taps[at] ?? 0) * ((line[from + at] ?? 0) + (line[end - at] ?? 0));
    odd += (taps[at + 1] ?? 0) * ((line[from + at + 1] ?? 0) + (line[end - at - 1] ?? 0));
  }
  if (taps.length % 2 === 1) even += (taps[half] ?? 0) * (line[from + half] ?? 0);
  return even + odd;
}

function ofLength(samples: Int16Array<ArrayBuffer>, length: number): Int16Array<ArrayBuffer> {
  return samples.length === length ? samples : new Int16Array(length);
}

function round(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}
