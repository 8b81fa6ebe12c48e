import { nalType, typeOf } from './nal.js';

/** What a sequence parameter set says (ITU-T H.264 section 7.3.2.1.1), as far as a gateway needs it. */
export interface SpsInfo {
  readonly id: number;
  /** profile_idc, constraint flags and level_idc: the six hexadecimal digits of `profile-level-id` (RFC 6184 section 8.1). */
  readonly profileLevelId: string;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
}

/** Octets of a parameter set taken; real ones have less than 100, and with scaling lists some hundreds. */
const maxParameterSet = 1024;

/** Pixels in one direction: more than any level allows (ITU-T H.264 table A-1) is a lie. */
const maxDimension = 16_384;

/** Profiles whose sets have chroma format and bit depths (section 7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Reads a NAL unit of type 7; undefined when it is none, ends too early or says what cannot be. */
export function parseSps(nal: Uint8Array): SpsInfo | undefined {
  if (nal.length < 5 || nal.length > maxParameterSet || typeOf(nal) !== nalType.sps) return undefined;
  const bits = new BitReader(withoutEmulationPrevention(nal.subarray(4)));
  const info = readSps(nal, bits);
  if (bits.failed || info.id > 31 || info.width < 1 || info.height < 1) return undefined;
  return info.width > maxDimension || info.height > maxDimension ? undefined : info;
}

/** The numbers of a NAL unit of type 8: its own and that of its sequence parameter set. */
export function parsePps(nal: Uint8Array): { readonly id: number; readonly spsId: number } | undefined {
  if (nal.length < 2 || nal.length > maxParameterSet || typeOf(nal) !== nalType.pps) return undefined;
  const bits = new BitReader(withoutEmulationPrevention(nal.subarray(1, 16)));
  const [id, spsId] = [bits.ue(), bits.ue()];
  return bits.failed || id > 255 || spsId > 31 ? undefined : { id, spsId };
}

function readSps(nal: Uint8Array, bits: BitReader): SpsInfo {
  const profileLevelId = Buffer.from(nal.subarray(1, 4)).toString('hex');
  const id = bits.ue();
  const high = highProfiles.has(nal[1] ?? 0);
  const chroma = high ? readChroma(bits) : { chromaFormat: 1, bitDepthLuma: 8, bitDepthChroma: 8, planes: false };
  bits.ue(); // log2_max_frame_num_minus4
  skipPictureOrder(bits);
  bits.ue(); // max_num_ref_frames
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMbs = bits.ue() + 1;
  const heightInMapUnits = bits.ue() + 1;
  const framesOnly = bits.bit();
  if (framesOnly === 0) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const crop = bits.bit() === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const { planes, ...formats } = chroma;
  // Units of cropping, section 7.4.2.1.1.
  const subsampled = planes ? 0 : formats.chromaFormat;
  const unitX = subsampled === 1 || subsampled === 2 ? 2 : 1;
  const unitY = (subsampled === 1 ? 2 : 1) * (2 - framesOnly);
  const width = widthInMbs * 16 - (left + right) * unitX;
  const height = heightInMapUnits * 16 * (2 - framesOnly) - (top + bottom) * unitY;
  return { id, profileLevelId, ...formats, width, height };
}

function readChroma(bits: BitReader) {
  const chromaFormat = bits.ue();
  const planes = chromaFormat === 3 && bits.bit() === 1;
  const bitDepthLuma = 8 + bits.ue();
  const bitDepthChroma = 8 + bits.ue();
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.bit() === 1) {
    for (let list = 0; list < (chromaFormat === 3 ? 12 : 8); list++) {
      if (bits.bit() === 1) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  if (chromaFormat > 3 || bitDepthLuma > 14 || bitDepthChroma > 14) bits.failed = true;
  return { chromaFormat, bitDepthLuma, bitDepthChroma, planes };
}

/** Section 7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let next = 8;
  for (let index = 0, last = 8; index < size && next !== 0; index++) {
    next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
  if (type !== 1) return;
  bits.skip(1); // delta_pic_order_always_zero_flag
  bits.se(); // offset_for_non_ref_pic
  bits.se(); // offset_for_top_to_bottom_field
  const cycle = bits.ue();
  if (cycle > 255) bits.failed = true;
  for (let index = 0; index < cycle && !bits.failed; index++) bits.se();
}

/** Takes out the octet 3 that follows two octets of 0 (section 7.4.1). */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  const kept: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept.push(byte);
  }
  return Uint8Array.from(kept);
}

/** Reads bits from the highest on; past the end they are 0, and `failed` says so. */
class BitReader {
  failed = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) {
      this.failed = true;
      return 0;
    }
    return (byte >> (7 - (this.#at++ & 7))) & 1;
  }

  skip(count: number): void {
    for (let index = 0; index < count; index++) this.bit();
  }

  /** ue(v), section 9.1: at most 31 zeros lead. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      if (this.failed || ++zeros > 31) {
        this.failed = true;
        return 0;
      }
    }
    let value = 1;
    for (let index = 0; index < zeros; index++) value = value * 2 + this.bit();
    return value - 1;
  }

  /** se(v), section 9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
