import { readU24 } from '../bytes/integers.js';

export type FlvVideoCodec =
  | 'jpeg'
  | 'h263'
  | 'screen-video'
  | 'vp6'
  | 'vp6-alpha'
  | 'screen-video-2'
  | 'avc'
  | 'hevc'
  | 'unknown';
export type FlvFrameType = 'key' | 'inter' | 'disposable-inter' | 'generated-key' | 'command' | 'unknown';

/** Names of FLV's CodecID numbers (video file format 10.1, section E.4.3.1); 12 is not in it but is in use. */
const VIDEO_CODECS: ReadonlyMap<number, FlvVideoCodec> = new Map([
  [1, 'jpeg'],
  [2, 'h263'],
  [3, 'screen-video'],
  [4, 'vp6'],
  [5, 'vp6-alpha'],
  [6, 'screen-video-2'],
  [7, 'avc'],
  [12, 'hevc'],
]);

const FRAME_TYPES: ReadonlyMap<number, FlvFrameType> = new Map([
  [1, 'key'],
  [2, 'inter'],
  [3, 'disposable-inter'],
  [4, 'generated-key'],
  [5, 'command'],
]);

/** @param number 0-7 */
export function flvFrameType(number: number): FlvFrameType {
  return FRAME_TYPES.get(number) ?? 'unknown';
}

/** 0, which is reserved, for `unknown`. */
export function flvFrameTypeNumber(frameType: FlvFrameType): number {
  for (const [number, name] of FRAME_TYPES) if (name === frameType) return number;
  return 0;
}

const AVC_PACKET_TYPES = ['sequence-header', 'nalu', 'end-of-sequence'] as const;

/** The first byte (frame type, codec) of a video message's payload, and for AVC the packet type and composition time after it. */
export interface FlvVideoTag {
  readonly codec: FlvVideoCodec;
  /** 0-15. */
  readonly codecId: number;
  readonly frameType: FlvFrameType;
  /** AVC only. */
  readonly avcPacketType?: (typeof AVC_PACKET_TYPES)[number];
  /** AVC only: presentation minus decoding time in milliseconds, signed 24 bits. */
  readonly compositionTime?: number;
  /** Bytes of the payload before the codec's own. */
  readonly headerLength: 1 | 5;
  /** The extended header, where the other fields are not what they seem: see parseEnhancedVideoTag(). */
  readonly enhanced: boolean;
}

const AVC = 7;
const HEVC = 12;

/** @returns undefined for an empty payload. */
export function parseFlvVideoTag(payload: Uint8Array): FlvVideoTag | undefined {
  const first = payload[0];
  if (first === undefined) return undefined;
  const codecId = first & 0x0f;
  const tag = {
    codec: VIDEO_CODECS.get(codecId) ?? 'unknown',
    codecId,
    frameType: flvFrameType((first >> 4) & 7),
    enhanced: first >= 0x80,
  } as const;
  const packetType = AVC_PACKET_TYPES[payload[1] ?? AVC_PACKET_TYPES.length];
  if (tag.enhanced || (codecId !== AVC && codecId !== HEVC) || payload.length < 5 || packetType === undefined) {
    return { ...tag, headerLength: 1 };
  }
  const compositionTime = (readU24(payload, 2) << 8) >> 8;
  return { ...tag, avcPacketType: packetType, compositionTime, headerLength: 5 };
}
