import { parseSps } from './sps.js';

/**
 * AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.2.4.1.1), which FLV calls the AVC sequence header:
 *
 *     version = 1 (8) | profile (8) | compatibility (8) | level (8) | 111111 length size - 1 (2)
 *     111 count of SPS (5) | each: length (16), SPS | count of PPS (8) | each: length (16), PPS
 */
export interface AvcConfig {
  /** Octets of the length before each NAL unit. */
  readonly lengthSize: 1 | 2 | 4;
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/** Undefined when it is no such record, or one without parameter sets. What follows the sets is not looked at. */
export function parseAvcConfig(bytes: Uint8Array): AvcConfig | undefined {
  const lengthSize = ((bytes[4] ?? 0) & 3) + 1;
  if (bytes.length < 7 || bytes[0] !== 1 || lengthSize === 3) return undefined;
  const sps = readSets(bytes, 6, (bytes[5] ?? 0) & 0x1f);
  const pps = sps && readSets(bytes, sps.end + 1, bytes[sps.end] ?? 0);
  if (sps === undefined || pps === undefined || sps.sets.length === 0 || pps.sets.length === 0) return undefined;
  return { lengthSize: lengthSize as AvcConfig['lengthSize'], sps: sps.sets, pps: pps.sets };
}

function readSets(bytes: Uint8Array, from: number, count: number) {
  const sets: Uint8Array[] = [];
  let at = from;
  for (let index = 0; index < count; index++) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const end = at + 2 + length;
    if (length === 0 || end > bytes.length) return undefined;
    sets.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return { sets, end: at };
}

/** Profiles of which the record also tells chroma format and bit depths. */
const extended = new Set([100, 110, 122, 144]);

/** A record for NAL units with lengths of 4 octets. The first SPS gives profile and level; there must be one. */
export function buildAvcConfig(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array()] = sps;
  const [, profile = 0, compatibility = 0, level = 0] = first;
  const record = [1, profile, compatibility, level, 0xff, 0xe0 | sps.length];
  for (const set of sps) record.push(set.length >> 8, set.length & 0xff, ...set);
  record.push(pps.length);
  for (const set of pps) record.push(set.length >> 8, set.length & 0xff, ...set);
  const info = extended.has(profile) ? parseSps(first) : undefined;
  if (info !== undefined) {
    record.push(0xfc | info.chromaFormat, 0xf8 | (info.bitDepthLuma - 8), 0xf8 | (info.bitDepthChroma - 8), 0);
  }
  return Uint8Array.from(record);
}
