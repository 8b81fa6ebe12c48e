/** ITU-T G.711: one octet for each sample at 8 kHz. */
export type Law = 'PCMU' | 'PCMA';

const MU_BIAS = 132;

export function compress(law: Law, samples: Int16Array): Uint8Array {
  return Uint8Array.from(samples, law === 'PCMU' ? toMuLaw : toALaw);
}

function toMuLaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + MU_BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const sign = sample < 0 ? 0x80 : 0;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function toALaw(sample: number): number {
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 32_767);
  const exponent = magnitude < 256 ? 0 : 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> Math.max(4, exponent + 3)) & 0x0f;
  // Even bits go inverted (table 1, note 2).
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}
