/** G.711 as 8,000 octets a second: mu-law (PCMU) or A-law (PCMA). */
export type Law = 'pcmu' | 'pcma';

/** mu-law adds this before it looks for the exponent (G.711 table 2). */
const bias = 132;

export function compressMuLaw(samples: Float32Array): Uint8Array {
  return Uint8Array.from(samples, (value) => {
    const sample = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
    const magnitude = Math.min(Math.abs(sample), 32635) + bias;
    const exponent = 24 - Math.clz32(magnitude);
    return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
  });
}

export function expand(law: Law, octets: Uint8Array): Float32Array {
  const table = tables[law];
  return Float32Array.from(octets, (octet) => table[octet] ?? 0);
}

function expandMuLaw(octet: number): number {
  const bits = ~octet & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + bias) << ((bits >> 4) & 7)) - bias;
  return bits & 0x80 ? -magnitude : magnitude;
}

/** Even bits are sent inverted (G.711 table 1, note 2). */
function expandALaw(octet: number): number {
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const table = (value: (octet: number) => number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, octet) => value(octet) / 32768);

const tables: Readonly<Record<Law, Float32Array>> = { pcmu: table(expandMuLaw), pcma: table(expandALaw) };
