import { sampleRate } from './speech.js';

export interface SpeechComparison {
  /** Milliseconds by which the recording is behind the original; negative when it begins later in the text. */
  readonly lagMs: number;
  /** How alike the two are where the original speaks: the median over pieces of 200 ms, 1 for equal, 0 for unlike. */
  readonly correlation: number;
  /** Longest time, in milliseconds, that the recording is silent where the original speaks. */
  readonly longestGapMs: number;
  /** Part of the original's speech that the recording covers at all, 0 to 1. */
  readonly covered: number;
}

const envelopeMs = 10;
const pieceMs = 200;
/** A phone's clock and jitter buffer move the speech by that much during a call. */
const driftMs = 60;
/** Parts of the loudest level: more than the first is speech, less than the second is silence. */
const speech = 0.05;
const silence = 0.01;

/**
 * Compares what was heard with what was said. The recording may begin and end anywhere, have other loudness, and have
 * gone through a codec and a jitter buffer.
 */
export function compareSpeech(original: Int16Array, recording: Int16Array): SpeechComparison {
  const said = envelope(original);
  const heard = envelope(recording);
  const lag = bestLag(said, heard);
  const loud = Math.max(...said) * speech;
  const quiet = Math.max(...heard) * silence;

  let gap = 0;
  let longest = 0;
  let speaking = 0;
  let covered = 0;
  for (const [index, level] of said.entries()) {
    if (level < loud) continue;
    speaking++;
    const there = heard[index + lag];
    if (there !== undefined) covered++;
    gap = there === undefined || there < quiet ? gap + 1 : 0;
    // Outside of the recording nothing can be said about gaps; `covered` tells how much that is.
    if (there !== undefined) longest = Math.max(longest, gap);
    else gap = 0;
  }
  return {
    lagMs: lag * envelopeMs,
    correlation: medianCorrelation(original, recording, lag * envelopeMs),
    longestGapMs: longest * envelopeMs,
    covered: speaking === 0 ? 0 : covered / speaking,
  };
}

/** Mean level of each 10 ms. */
function envelope(samples: Int16Array): number[] {
  const size = (sampleRate * envelopeMs) / 1000;
  return Array.from({ length: Math.floor(samples.length / size) }, (_, index) => {
    let sum = 0;
    for (let at = index * size; at < (index + 1) * size; at++) sum += Math.abs(samples[at] ?? 0);
    return sum / size;
  });
}

/** The shift of the heard envelope at which it is most like the said one, in envelope steps. */
function bestLag(said: readonly number[], heard: readonly number[]): number {
  const a = withoutMean(said);
  const b = withoutMean(heard);
  let best = { lag: 0, product: Number.NEGATIVE_INFINITY };
  for (let lag = -a.length + 1; lag < b.length; lag++) {
    let product = 0;
    for (let index = Math.max(0, -lag); index < Math.min(a.length, b.length - lag); index++) {
      product += (a[index] ?? 0) * (b[index + lag] ?? 0);
    }
    if (product > best.product) best = { lag, product };
  }
  return best.lag;
}

function withoutMean(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return values.map((value) => value - mean);
}

/** Pieces of the original, each looked for around where the lag says that it is. */
function medianCorrelation(original: Int16Array, recording: Int16Array, lagMs: number): number {
  const samplesPerMs = sampleRate / 1000;
  const size = pieceMs * samplesPerMs;
  const loudest = pieces(original, size).reduce((most, piece) => Math.max(most, energy(piece)), 0);
  const found = pieces(original, size).flatMap((piece, index) => {
    const expected = index * size + lagMs * samplesPerMs;
    if (energy(piece) < loudest * speech || expected < 0 || expected + size > recording.length) return [];
    return [bestCorrelation(piece, recording, expected, driftMs * samplesPerMs)];
  });
  found.sort((a, b) => a - b);
  return found[found.length >> 1] ?? 0;
}

function pieces(samples: Int16Array, size: number): Int16Array[] {
  const count = Math.floor(samples.length / size);
  return Array.from({ length: count }, (_, index) => samples.subarray(index * size, (index + 1) * size));
}

/** Every fourth sample is enough to find the place: speech has little above 2 kHz. */
const stride = 4;

function bestCorrelation(piece: Int16Array, recording: Int16Array, expected: number, range: number): number {
  const own = energy(piece);
  let best = 0;
  for (let start = Math.max(0, expected - range); start <= expected + range; start++) {
    const other = recording.subarray(start, start + piece.length);
    if (other.length < piece.length) break;
    let product = 0;
    for (let at = 0; at < piece.length; at += stride) product += (piece[at] ?? 0) * (other[at] ?? 0);
    const both = Math.sqrt(own * energy(other));
    if (both > 0) best = Math.max(best, product / both);
  }
  return best;
}

function energy(samples: Int16Array): number {
  let sum = 0;
  for (let at = 0; at < samples.length; at += stride) sum += (samples[at] ?? 0) ** 2;
  return sum;
}
