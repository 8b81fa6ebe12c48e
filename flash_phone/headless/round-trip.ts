import { sampleRate } from './codec.js';

/** Milliseconds: an echo later than this is not looked for. */
const longestMs = 3000;
/** Samples that are looked for at a time: what a network or a busy computer shifts in a call spoils one piece, not all. */
const pieceSize = sampleRate;
/** Milliseconds of one step of the loudness curve that finds the place roughly. */
const stepMs = 10;
const stepSize = (sampleRate * stepMs) / 1000;
/** Rough places that are looked at closely. */
const candidates = 5;
/** Every fourth sample is enough to find the place: speech has little above 2 kHz. */
const stride = 4;
/** Below this likeness, 0 to 1, what was heard is something else than what was said. */
const alike = 0.5;
/** Samples that are compared: 15 s. */
const longest = 15 * sampleRate;
/** Mean of the samples' magnitudes below which a piece is silence. */
const audible = 50;

/**
 * Finds what was said in what was heard, second by second, by cross-correlation: first of the loudness, then of the sound.
 * At most some 100 million multiplications.
 *
 * @param laterMs by how many milliseconds hearing began after saying
 * @returns milliseconds from what was said until it was heard, 0 to 3000; undefined when it is no echo
 */
export function echoDelay(said: Int16Array, heard: Int16Array, laterMs: number): number | undefined {
  const original = said.subarray(0, longest);
  const delays: number[] = [];
  let pieces = 0;
  for (let from = 0; from < Math.min(heard.length, longest); from += pieceSize) {
    const piece = heard.subarray(from, Math.min(from + pieceSize, longest));
    if (piece.length < pieceSize / 2 || meanLevel(piece, 0, piece.length) < audible) continue;
    pieces++;
    const delay = delayOf(original, piece, laterMs + (from * 1000) / sampleRate);
    if (delay !== undefined) delays.push(delay);
  }
  return delays.length === 0 || delays.length < pieces / 3
    ? undefined
    : delays.toSorted((a, b) => a - b)[delays.length >> 1];
}

/** The delay of one piece, which began to be heard `laterMs` after the beginning of what was said. */
function delayOf(said: Int16Array, piece: Int16Array, laterMs: number): number | undefined {
  let best = { lag: 0, likeness: 0 };
  for (const rough of roughLags(loudness(said), loudness(piece), laterMs)) {
    for (let lag = (rough - 1) * stepSize; lag <= (rough + 1) * stepSize; lag++) {
      const likeness = likenessAt(said, piece, lag, stride);
      if (likeness > best.likeness) best = { lag, likeness };
    }
  }
  return best.likeness < alike ? undefined : Math.max(0, laterMs + (best.lag * 1000) / sampleRate);
}

/** Mean level of each step. */
function loudness(samples: Int16Array): Float64Array {
  return Float64Array.from({ length: Math.floor(samples.length / stepSize) }, (_, index) =>
    meanLevel(samples, index * stepSize, (index + 1) * stepSize),
  );
}

function meanLevel(samples: Int16Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += Math.abs(samples[at] ?? 0);
  return sum / (to - from);
}

/** The steps by which the piece has to be moved to be as loud, and as quiet, where the said is: the best, and those near none better. */
function roughLags(said: Float64Array, piece: Float64Array, laterMs: number): number[] {
  const soonest = Math.floor(-laterMs / stepMs);
  const found = Array.from({ length: longestMs / stepMs + 1 }, (_, index) => ({
    lag: soonest + index,
    likeness: likenessAt(said, piece, soonest + index, 1),
  })).sort((a, b) => b.likeness - a.likeness);
  const lags: number[] = [];
  for (const { lag } of found) {
    if (lags.length === candidates) break;
    if (lags.every((other) => Math.abs(other - lag) > 1)) lags.push(lag);
  }
  return lags;
}

/** Correlation coefficient where both overlap; 0 where that is less than half of the piece, which proves little. */
function likenessAt(said: ArrayLike<number>, piece: ArrayLike<number>, lag: number, step: number): number {
  const from = Math.max(0, -lag);
  const to = Math.min(said.length, piece.length - lag);
  if (to - from < piece.length / 2) return 0;
  const count = Math.ceil((to - from) / step);
  let [sumSaid, sumPiece, ofSaid, ofPiece, product] = [0, 0, 0, 0, 0];
  for (let at = from; at < to; at += step) {
    const [one, other] = [said[at] ?? 0, piece[at + lag] ?? 0];
    sumSaid += one;
    sumPiece += other;
    ofSaid += one * one;
    ofPiece += other * other;
    product += one * other;
  }
  const spread = (ofSaid - sumSaid ** 2 / count) * (ofPiece - sumPiece ** 2 / count);
  return spread > 0 ? (product - (sumSaid * sumPiece) / count) / Math.sqrt(spread) : 0;
}
