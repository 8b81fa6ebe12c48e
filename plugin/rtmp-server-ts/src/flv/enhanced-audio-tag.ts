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
import type { AudioFourCc, FourCc } from './four-cc.js';

/** SoundFormat 9, where a codec's number would be: the extended header follows. */
const EXTENDED = 9;

/**
 * `sequence-start`: the decoder's configuration (Opus: the ID header of RFC 7845 section 5.1, or nothing; AAC: AudioSpecificConfig; FLAC:
 * `fLaC` and STREAMINFO). `coded-frames`: what the codec made. `sequence-end`: nothing more, the same as an empty audio message.
 * `multichannel-config`: see {@link parseMultichannelConfig}.
 */
export type EnhancedAudioPacketType = 'sequence-start' | 'coded-frames' | 'sequence-end' | 'multichannel-config';

const PACKET_TYPES: PacketTypes<EnhancedAudioPacketType> = {
  names: new Map([
    [0, 'sequence-start'],
    [1, 'coded-frames'],
    [2, 'sequence-end'],
    [4, 'multichannel-config'],
  ]),
  multitrack: 5,
  modEx: 7,
};

export interface EnhancedAudioTrack extends EnhancedTrack {
  readonly fourCc: FourCc<AudioFourCc>;
}

/**
 * An audio message's payload with the extended header of Enhanced RTMP v2:
 *
 *      7 6 5 4 3 2 1 0
 *     +-------+-------+----------
 *     |   9   |  type | FourCC ...
 *     +-------+-------+----------
 */
export interface EnhancedAudioTag extends EnhancedHeader<EnhancedAudioPacketType> {
  /** One, unless `multitrack` says otherwise. Bodies are slices of the payload. */
  readonly tracks: readonly EnhancedAudioTrack[];
}

/**
 * @param payload one whose first byte is 0x9_, for which parseFlvAudioTag() says `enhanced`
 * @throws RtmpError `flv.truncated`; `flv.header` for another first byte, or a type in it that is not defined
 */
export function parseEnhancedAudioTag(payload: Uint8Array): EnhancedAudioTag {
  const reader = new ByteReader(payload, 'flv.truncated');
  const first = reader.u8();
  if (first >> 4 !== EXTENDED) {
    throw new RtmpError('flv.header', `audio of format ${first >> 4} has no extended header, ${EXTENDED} has`);
  }
  return readTracks(reader, readModEx(reader, first & 0x0f, PACKET_TYPES.modEx), PACKET_TYPES);
}

/** @throws RtmpError `flv.value` for what does not fit its field, or tracks that do not fit the multitrack type */
export function encodeEnhancedAudioTag({ tracks, ...header }: EnhancedAudioTag): Uint8Array {
  const writer = new ByteWriter(32 + (tracks[0]?.body.length ?? 0));
  writeEnhanced(writer, EXTENDED, header, tracks, PACKET_TYPES);
  return writer.finish();
}
