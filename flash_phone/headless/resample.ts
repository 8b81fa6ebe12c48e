/** Zero crossings of the filter on each side. */
const crossings = 16;
/** Part of the band that is kept, so that the filter has room to fall. */
const band = 0.92;
/** Positions between two samples that have a filter of their own; more of them would not be heard. */
const maxPhases = 1024;

/** Any rate to any other: a sinc in a Hann window, which holds what the lower of both rates cannot carry down by 40 dB and more. */
export function resample(samples: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return samples;
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const filters = new Map<number, Float64Array>();
  const phases = Math.min(up, maxPhases);
  const reach = Math.ceil(crossings * Math.max(1, from / to));
  const filterAt = (phase: number): Float64Array => {
    const filter = filters.get(phase) ?? makeFilter(phase / phases, reach, Math.min(1, to / from) * band);
    filters.set(phase, filter);
    return filter;
  };
  const output = new Int16Array(Math.floor((samples.length * up) / down));
  for (let index = 0; index < output.length; index++) {
    const position = index * down;
    const filter = filterAt(Math.floor(((position % up) * phases) / up));
    const first = Math.floor(position / up) - reach + 1;
    let sum = 0;
    for (let tap = 0; tap < filter.length; tap++) sum += (filter[tap] ?? 0) * (samples[first + tap] ?? 0);
    output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return output;
}

/** What the samples around a place count for that lies `fraction` behind the middle one. */
function makeFilter(fraction: number, reach: number, cutoff: number): Float64Array {
  const filter = Float64Array.from({ length: reach * 2 }, (_, tap) => {
    const distance = tap - reach + 1 - fraction;
    const angle = Math.PI * distance * cutoff;
    const window = Math.abs(distance) >= reach ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * distance) / reach);
    return (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
  });
  const sum = filter.reduce((total, value) => total + value, 0);
  return filter.map((value) => value / sum);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
