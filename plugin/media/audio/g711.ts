/**
 * G.711: 8,000 samples a second of one octet each, mu-law (PCMU) or A-law (PCMA). RTP and FLV carry the same octets.
 */
export type Law = 'pcmu' | 'pcma';

export const isLaw = (codec: string | undefined): codec is Law => codec === 'pcmu' || codec === 'pcma';

/** Samples, and octets, of a millisecond. */
export const g711Rate = 8;

/** mu-law adds this before it looks for the exponent (G.711 table 2). */
const bias = 132;

function compressMuLaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32635) + bias;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function compressALaw(sample: number): number {
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 32767);
  const exponent = magnitude < 256 ? 0 : 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  // Even bits are sent inverted (G.711 table 1, note 2).
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}

function expandMuLaw(octet: number): number {
  const bits = ~octet & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + bias) << ((bits >> 4) & 7)) - bias;
  return bits & 0x80 ? -magnitude : magnitude;
}

function expandALaw(octet: number): number {
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const octetTable = (value: (octet: number) => number): number[] => Array.from({ length: 256 }, (_, at) => value(at));

const expanded: Readonly<Record<Law, Int16Array>> = {
  pcmu: Int16Array.from(octetTable(expandMuLaw)),
  pcma: Int16Array.from(octetTable(expandALaw)),
};

const compressors: Readonly<Record<Law, (sample: number) => number>> = { pcmu: compressMuLaw, pcma: compressALaw };

const otherLaw: Readonly<Record<Law, Uint8Array>> = {
  pcmu: Uint8Array.from(octetTable((octet) => compressMuLaw(expandALaw(octet)))),
  pcma: Uint8Array.from(octetTable((octet) => compressALaw(expandMuLaw(octet)))),
};

/** @param samples where to put them, as many as there are octets */
export function expand(law: Law, octets: Uint8Array, samples = new Int16Array(octets.length)): Int16Array {
  const table = expanded[law];
  for (let at = 0; at < octets.length; at++) samples[at] = table[octets[at] ?? 0] ?? 0;
  return samples;
}

/** Of the samples: their power, full scale being 32768 squared. */
export function meanSquare(law: Law, octets: Uint8Array): number {
  const table = expanded[law];
  let sum = 0;
  for (const octet of octets) sum += (table[octet] ?? 0) ** 2;
  return sum / octets.length;
}

export function compress(law: Law, samples: Int16Array): Uint8Array {
  const compressor = compressors[law];
  const octets = new Uint8Array(samples.length);
  for (let at = 0; at < samples.length; at++) octets[at] = compressor(samples[at] ?? 0);
  return octets;
}

/** The octets in the law `to`: themselves when that is what they are in. */
export function convert(octets: Uint8Array, from: Law, to: Law): Uint8Array {
  if (from === to) return octets;
  const table = otherLaw[to];
  return octets.map((octet) => table[octet] ?? 0);
}

/** The octet of a sample of 0. */
export const silentOctet: Readonly<Record<Law, number>> = { pcmu: compressMuLaw(0), pcma: compressALaw(0) };
