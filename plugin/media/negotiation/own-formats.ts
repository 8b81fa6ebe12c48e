import type { MediaFormat } from '../../call/session-description.js';
import type { AudioCodec } from '../audio/flv-audio.js';

/** Payload formats that we speak, in order of preference. */
export type FormatList = readonly MediaFormat[];

export const isG711 = ({ encoding }: MediaFormat): boolean => encoding === 'pcmu' || encoding === 'pcma';

export const isNoise = ({ encoding }: MediaFormat): boolean => encoding === 'cn';

export const isEvent = ({ encoding }: MediaFormat): boolean => encoding === 'telephone-event';

/** RFC 5574, wideband first. */
const speex: FormatList = [
  { payloadType: 96, encoding: 'speex', clockRate: 16000 },
  { payloadType: 97, encoding: 'speex', clockRate: 8000 },
];

/** RFC 3551 section 4.5.14. */
const g711: FormatList = [
  { payloadType: 0, encoding: 'pcmu', clockRate: 8000 },
  { payloadType: 8, encoding: 'pcma', clockRate: 8000 },
];

/** RFC 7587 section 7: always announced with 48 kHz and two channels, whatever is in the packets. */
const opus: FormatList = [
  { payloadType: 98, encoding: 'opus', clockRate: 48000, channels: 2, parameters: 'minptime=10;useinbandfec=1' },
];

/**
 * RFC 3389, beside G.711 alone, which has no other way to tell of silence: Speex and Opus have their own, and CN at 16 kHz
 * would say twice what they say.
 */
const comfortNoise: FormatList = [{ payloadType: 13, encoding: 'cn', clockRate: 8000 }];

/** RFC 4733. One for each clock rate: events share the timestamps of the audio they come with (section 2.1). */
const events: FormatList = [
  { payloadType: 100, encoding: 'telephone-event', clockRate: 16000, parameters: '0-15' },
  { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, parameters: '0-15' },
];

const opusEvents: FormatList = [
  { payloadType: 102, encoding: 'telephone-event', clockRate: 48000, parameters: '0-15' },
];

/** Our formats of these codecs in this order, and what goes with them: it stands last, for some phones take the first for a codec. */
export function formatsOf(codecs: readonly AudioCodec[]): FormatList {
  const all = [...opus, ...speex, ...g711];
  const audio = codecs.flatMap((codec) => all.filter(({ encoding }) => encoding === codec));
  const rates = new Set(audio.map(({ clockRate }) => clockRate));
  return [
    ...audio,
    ...(audio.some(isG711) ? comfortNoise : []),
    ...[...events, ...opusEvents].filter(({ clockRate }) => rates.has(clockRate)),
  ];
}

/** What we speak without a Speex codec: Speex, passed through. */
export const passThroughFormats: FormatList = formatsOf(['speex']);

/** The codec of a format; undefined for what only goes with one: events and comfort noise. */
export function codecOf({ encoding }: MediaFormat): AudioCodec | undefined {
  const known = encoding === 'speex' || encoding === 'pcmu' || encoding === 'pcma' || encoding === 'opus';
  return known ? encoding : undefined;
}
