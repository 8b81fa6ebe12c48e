import { frameDuration } from 'speex-wasm';
import type { Direction, MediaFormat, SessionDescription } from '../../call/session-description.js';
import { audioOf, commonFormats, type FarEnd, protocol } from '../negotiation/far-end.js';
import type { FormatList } from '../negotiation/own-formats.js';

/**
 * What FreeSWITCH serves as we have it configured, in order of preference: what needs no transcoding first, the others by
 * how they sound. The numbers are ours, for offers of our own.
 */
export const servedFormats: FormatList = [
  { payloadType: 96, encoding: 'speex', clockRate: 16000 },
  { payloadType: 97, encoding: 'speex', clockRate: 8000 },
  { payloadType: 102, encoding: 'opus', clockRate: 48000, channels: 2, parameters: 'useinbandfec=1' },
  { payloadType: 9, encoding: 'g722', clockRate: 8000 },
  { payloadType: 0, encoding: 'pcmu', clockRate: 8000 },
  { payloadType: 8, encoding: 'pcma', clockRate: 8000 },
  { payloadType: 100, encoding: 'telephone-event', clockRate: 16000, parameters: '0-15' },
  { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, parameters: '0-15' },
  { payloadType: 103, encoding: 'telephone-event', clockRate: 48000, parameters: '0-15' },
];

/** What passes first, in its order; the rest as it sounds. */
export function preferring(passing: readonly string[]): FormatList {
  const first = passing.flatMap((codec) => servedFormats.filter(({ encoding }) => encoding === codec));
  return [...first, ...servedFormats.filter(({ encoding }) => !passing.includes(encoding))];
}

/** Puts what FreeSWITCH offers in order, and leaves out what we do not speak. */
export function inOrder(offer: SessionDescription, passing: readonly string[]): SessionDescription {
  const audio = audioOf(offer);
  const formats = preferring(passing).flatMap((served) => commonFormats(audio, [served]).slice(0, 1));
  return describe(audio.address ?? offer.address, audio.port, formats, 'sendrecv');
}

/** A description with one section of audio. */
export function describe(address: string, port: number, formats: FormatList, direction: Direction): SessionDescription {
  return { address, media: [{ kind: 'audio', port, protocol, direction, formats, ptime: frameDuration }] };
}

/** What is spoken with a far end: its one format and its events, under its numbers. */
export const spoken = ({ format, events }: FarEnd): FormatList => (events === undefined ? [format] : [format, events]);

/** The number that a format has in a description. */
export function numberOf(description: SessionDescription, { encoding, clockRate }: MediaFormat): number | undefined {
  const formats = description.media.flatMap((media) => (media.kind === 'audio' ? media.formats : []));
  return formats.find((format) => format.encoding === encoding && format.clockRate === clockRate)?.payloadType;
}
