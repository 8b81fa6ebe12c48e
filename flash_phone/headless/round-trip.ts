import { sampleRate } from './codec.js';

/** Milliseconds: an echo later than this is not looked for. */
const longestMs = 3000;
/** Milliseconds of one step of the loudness curve that finds the place roughly. */
const stepMs = 10;
const stepSize = (sampleRate * stepMs) / 1000;
/** Samples around the rough place among which the exact one is looked for. */
const around = 2 * stepSize;
/** Every fourth sample is enough to find the place: speech has little above 2 kHz. */
const stride = 4;
/** Below this likeness, 0 to 1, what was heard is something else than what was said. */
const alike = 0.4;
/** Samples that are compared: 15 s. */
const longest = 15 * sampleRate;

/**
 * Finds what was said in what was heard, by cross-correlation: first of the loudness, then of the sound. At most some 40
 * million multiplications.
 *
 * @param laterMs by how many milliseconds hearing began after saying
 * @returns milliseconds from what was said until it was heard, 0 to 3000; undefined when it is no echo
 */
export function echoDelay(said: Int16Array, heard: Int16Array, laterMs: number): number | undefined {
  const [a, b] = [said.subarray(0, longest), heard.subarray(0, longest)];
  const rough = bestLag(loudness(a), loudness(b), laterMs);
  let best = { lag: 0, likeness: 0 };
  for (let lag = rough * stepSize - around; lag <= rough * stepSize + around; lag++) {
    const likeness = likenessAt(a, b, lag, stride);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best.likeness < alike ? undefined : Math.max(0, laterMs + (best.lag * 1000) / sampleRate);
}

/** Mean level of each step, without the mean of all. */
function loudness(samples: Int16Array): Float64Array {
  const levels = Float64Array.from({ length: Math.floor(samples.length / stepSize) }, (_, index) => {
    let sum = 0;
    for (let at = index * stepSize; at < (index + 1) * stepSize; at++) sum += Math.abs(samples[at] ?? 0);
    return sum;
  });
  const mean = levels.reduce((sum, level) => sum + level, 0) / Math.max(1, levels.length);
  return levels.map((level) => level - mean);
}

function bestLag(said: Float64Array, heard: Float64Array, laterMs: number): number {
  const soonest = Math.floor(-laterMs / stepMs);
  let best = { lag: soonest, likeness: Number.NEGATIVE_INFINITY };
  for (let lag = soonest; lag <= soonest + longestMs / stepMs; lag++) {
    const likeness = likenessAt(said, heard, lag, 1);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best.lag;
}

/** Correlation coefficient where both overlap, times the part of the shorter that does: a short overlap proves little. */
function likenessAt(said: ArrayLike<number>, heard: ArrayLike<number>, lag: number, step: number): number {
  const from = Math.max(0, -lag);
  const to = Math.min(said.length, heard.length - lag);
  let [product, ofSaid, ofHeard] = [0, 0, 0];
  for (let at = from; at < to; at += step) {
    const [one, other] = [said[at] ?? 0, heard[at + lag] ?? 0];
    product += one * other;
    ofSaid += one * one;
    ofHeard += other * other;
  }
  if (ofSaid === 0 || ofHeard === 0) return 0;
  const overlap = (to - from) / Math.min(said.length, heard.length);
  return (product / Math.sqrt(ofSaid * ofHeard)) * Math.min(1, overlap * 2);
}
