import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import {
  type EnhancedHeader,
  type EnhancedTrack,
  type PacketTypes,
  readModEx,
  readTracks,
  writeEnhanced,
} from './enhanced-header.js';
import type { FourCc, VideoFourCc } from './four-cc.js';
import { type FlvFrameType, flvFrameType, flvFrameTypeNumber } from './video-tag.js';

/** The bit of the first byte that says that the extended header follows. */
const EXTENDED = 0x80;
const COMMAND = 5;

/**
 * `sequence-start`: the decoder's configuration record. `coded-frames`: a picture; `coded-frames-x`: one whose composition time is 0 and is
 * left out. `sequence-end`: nothing more. `metadata`: AMF0 values, a name (`colorInfo`) and an object, for decodeAmf0().
 * `mpeg2ts-sequence-start`: the video descriptor of AV1 in MPEG-2 TS.
 */
export type EnhancedVideoPacketType =
  | 'sequence-start'
  | 'coded-frames'
  | 'sequence-end'
  | 'coded-frames-x'
  | 'metadata'
  | 'mpeg2ts-sequence-start';

const PACKET_TYPES: PacketTypes<EnhancedVideoPacketType> = {
  names: new Map([
    [0, 'sequence-start'],
    [1, 'coded-frames'],
    [2, 'sequence-end'],
    [3, 'coded-frames-x'],
    [4, 'metadata'],
    [5, 'mpeg2ts-sequence-start'],
  ]),
  multitrack: 6,
  modEx: 7,
};
const METADATA = 4;

/** Codecs whose `coded-frames` begin with a composition time. */
const WITH_COMPOSITION_TIME: ReadonlySet<string> = new Set<VideoFourCc>(['avc1', 'hvc1', 'vvc1']);

export interface EnhancedVideoTrack extends EnhancedTrack {
  readonly fourCc: FourCc<VideoFourCc>;
  /** Presentation minus decoding time in milliseconds, signed 24 bits. In `coded-frames` of avc1, hvc1 and vvc1; otherwise it is 0. */
  readonly compositionTime?: number;
}

export interface EnhancedVideoFrame extends EnhancedHeader<EnhancedVideoPacketType> {
  /** Means nothing when the packet type is `metadata`. */
  readonly frameType: FlvFrameType;
  /** One, unless `multitrack` says otherwise. Bodies are slices of the payload. */
  readonly tracks: readonly EnhancedVideoTrack[];
}

/** Seeking at the client: 0 begins a sequence of frames that are not to be shown, 1 ends it. */
export interface EnhancedVideoCommand {
  readonly packetType: 'command';
  readonly command: number;
}

/**
 * A video message's payload with the extended header of Enhanced RTMP v2:
 *
 *      7 6 5 4 3 2 1 0
 *     +-+-----+-------+----------
 *     |1|frame|  type | FourCC ...
 *     +-+-----+-------+----------
 */
export type EnhancedVideoTag = EnhancedVideoFrame | EnhancedVideoCommand;

/**
 * @param payload one whose first bit is set, for which parseFlvVideoTag() says `enhanced`
 * @throws RtmpError `flv.truncated`; `flv.header` for a payload without that bit, or a type that is not defined
 */
export function parseEnhancedVideoTag(payload: Uint8Array): EnhancedVideoTag {
  const reader = new ByteReader(payload, 'flv.truncated');
  const first = reader.u8();
  if (first < EXTENDED) {
    throw new RtmpError('flv.header', `video tag that begins with ${first} has no extended header`);
  }
  const frameTypeNumber = (first >> 4) & 7;
  const modified = readModEx(reader, first & 0x0f, PACKET_TYPES.modEx);
  if (frameTypeNumber === COMMAND && modified.packetType !== METADATA) {
    return { packetType: 'command', command: reader.u8() };
  }
  const { tracks, ...header } = readTracks(reader, modified, PACKET_TYPES);
  const { packetType } = header;
  return {
    ...header,
    frameType: flvFrameType(frameTypeNumber),
    tracks: tracks.map((track) => (hasCompositionTime(packetType, track) ? withCompositionTime(track) : track)),
  };
}

/** @throws RtmpError `flv.value` for what does not fit its field, or tracks that do not fit the multitrack type */
export function encodeEnhancedVideoTag(tag: EnhancedVideoTag): Uint8Array {
  if (tag.packetType === 'command') return encodedCommand(tag);
  const { frameType, tracks, ...header } = tag;
  if (frameType === 'command' && header.packetType !== 'metadata') {
    throw new RtmpError('flv.value', 'a frame of the type command, it must be the packet type');
  }
  const writer = new ByteWriter(32 + (tracks[0]?.body.length ?? 0));
  const encoded = tracks.map((track) => encodedTrack(header.packetType, track));
  writeEnhanced(writer, (EXTENDED >> 4) | flvFrameTypeNumber(frameType), header, encoded, PACKET_TYPES);
  return writer.finish();
}

function encodedCommand({ command }: EnhancedVideoCommand): Uint8Array {
  if (!Number.isInteger(command) || command < 0 || command > 0xff) {
    throw new RtmpError('flv.value', `video command ${command}, it must be from 0 to 255`);
  }
  return Uint8Array.of(EXTENDED | (COMMAND << 4), command);
}

function hasCompositionTime(packetType: EnhancedVideoPacketType, { fourCc }: EnhancedTrack): boolean {
  return packetType === 'coded-frames' && WITH_COMPOSITION_TIME.has(fourCc);
}

function withCompositionTime(track: EnhancedTrack): EnhancedVideoTrack {
  const reader = new ByteReader(track.body, 'flv.truncated');
  const compositionTime = (reader.u24() << 8) >> 8;
  return { ...track, compositionTime, body: reader.bytes(reader.remaining) };
}

function encodedTrack(packetType: EnhancedVideoPacketType, track: EnhancedVideoTrack): EnhancedTrack {
  const { compositionTime = 0, ...rest } = track;
  if (!hasCompositionTime(packetType, track)) {
    if (compositionTime === 0) return rest;
    throw new RtmpError('flv.value', `composition time in ${packetType} of ${track.fourCc}, which have none`);
  }
  if (!Number.isInteger(compositionTime) || compositionTime < -0x800000 || compositionTime > 0x7fffff) {
    throw new RtmpError('flv.value', `composition time ${compositionTime}, it must fit in signed 24 bits`);
  }
  const writer = new ByteWriter(3 + track.body.length);
  writer.u24(compositionTime);
  writer.bytes(track.body);
  return { ...rest, body: writer.finish() };
}
