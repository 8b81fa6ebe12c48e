import { Resampler } from '../web/worklet/resampler.js';

/** A whole sound at another rate, in step with the original. Rates in Hz. */
export function resample(samples: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return samples;
  const resampler = new Resampler(from, to);
  const output = new Int16Array(Math.floor((samples.length * to) / from));
  let written = -Math.round((resampler.delay * to) / from);
  // A second at a time; beyond its end there is silence, until the last sample is out.
  for (let start = 0; written < output.length; start += from) {
    const block = Float32Array.from({ length: from }, (_, at) => samples[start + at] ?? 0);
    for (const value of resampler.process(block)) {
      if (written >= 0) output[written] = Math.max(-32_768, Math.min(32_767, Math.round(value)));
      written++;
    }
  }
  return output;
}
