/** Names of FLV's SoundFormat numbers (video file format 10.1, section E.4.2.1). */
const AUDIO_CODECS = [
  'lpcm-platform-endian',
  'adpcm',
  'mp3',
  'lpcm',
  'nellymoser-16k-mono',
  'nellymoser-8k-mono',
  'nellymoser',
  'pcma',
  'pcmu',
  'enhanced',
  'aac',
  'speex',
  'reserved-12',
  'reserved-13',
  'mp3-8k',
  'device-specific',
] as const;

export type FlvAudioCodec = (typeof AUDIO_CODECS)[number];

/** The first byte of an audio message's payload, which is the body of an FLV audio tag:
 *
 *      7 6 5 4 3 2 1 0
 *     +-------+---+-+-+
 *     | codec |rate|s|t|   s: 0 is 8 bits, 1 is 16 bits; t: 0 is mono, 1 is stereo
 *     +-------+---+-+-+
 */
export interface FlvAudioTag {
  readonly codec: FlvAudioCodec;
  /** 0-15. 9 is the extended header, where the other bits mean something else: see parseEnhancedAudioTag(). */
  readonly codecId: number;
  /** What the byte says, in Hz. Flash writes 11025 for Speex, AAC says 44100, whatever their rates are. */
  readonly sampleRate: 5512 | 11025 | 22050 | 44100;
  readonly sampleSize: 8 | 16;
  readonly channels: 1 | 2;
  /** AAC only. */
  readonly aacPacketType?: 'sequence-header' | 'raw';
  /** Bytes of the payload before the codec's own. */
  readonly headerLength: 1 | 2;
}

const SAMPLE_RATES = [5512, 11025, 22050, 44100] as const;
const AAC = 10;

/** @returns undefined for an empty payload, which Flash sends to mark silence or a pause. */
export function parseFlvAudioTag(payload: Uint8Array): FlvAudioTag | undefined {
  const first = payload[0];
  if (first === undefined) return undefined;
  const codecId = first >> 4;
  const tag = {
    codec: AUDIO_CODECS[codecId] ?? 'reserved-12',
    codecId,
    sampleRate: SAMPLE_RATES[(first >> 2) & 3] ?? 5512,
    sampleSize: (first & 2) === 0 ? 8 : 16,
    channels: (first & 1) === 0 ? 1 : 2,
  } as const;
  const second = payload[1];
  if (codecId !== AAC || second === undefined) return { ...tag, headerLength: 1 };
  return { ...tag, aacPacketType: second === 0 ? 'sequence-header' : 'raw', headerLength: 2 };
}
