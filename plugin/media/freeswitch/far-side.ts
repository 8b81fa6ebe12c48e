import { frameDuration } from 'speex-wasm';
import type { Direction, MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import {
  audioOf,
  commonFormats,
  mirrored,
  names,
  noCommonCodec,
  protocol,
  wantsToReceive,
  withoutReceiving,
} from '../negotiation/formats.js';
import { type FormatList, isEvent } from '../negotiation/own-formats.js';
import { isPort, type MediaTarget } from '../rtp/media-target.js';

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

/** The far end's audio, of which one format is spoken. */
export interface FarSide {
  readonly audio: MediaDescription;
  /** Under the far end's number. */
  readonly format: MediaFormat;
  /** Telephone events that go with it, under the far end's number. */
  readonly events: MediaFormat | undefined;
  readonly target: MediaTarget;
  /** What the far end does, hold by an address of zeros included. */
  readonly direction: Direction;
  /** Whether the far end wants to receive. */
  readonly sending: boolean;
}

/**
 * Reads an answer, whose first format counts, or an offer, of which what passes is taken wherever it stands.
 *
 * @param passing codecs that pass unchanged, the best first
 * @throws MediaError `NoCommonCodec`
 */
export function farSideOf(
  description: SessionDescription,
  kind: 'offer' | 'answer',
  passing: readonly string[] = ['speex'],
): FarSide {
  const audio = audioOf(description);
  const common = commonFormats(audio, servedFormats);
  const [first] = common.filter((format) => !isEvent(format));
  const unchanged = passing.flatMap((codec) => common.find(({ encoding }) => encoding === codec) ?? [])[0];
  const format = (kind === 'offer' ? unchanged : undefined) ?? first;
  if (format === undefined) {
    throw noCommonCodec(`we speak ${names(servedFormats)}; the far end ${names(audio.formats)}`);
  }
  const host = audio.address ?? description.address;
  const rtcpPort = audio.rtcpMux ? audio.port : (audio.rtcpPort ?? audio.port + 1);
  const sending = wantsToReceive(audio, host);
  const events = common.filter(isEvent);
  return {
    audio,
    format,
    events: events.find(({ clockRate }) => clockRate === format.clockRate) ?? events[0],
    target: { host, port: audio.port, rtcpPort: isPort(rtcpPort) ? rtcpPort : 0 },
    direction: sending ? audio.direction : withoutReceiving[audio.direction],
    sending,
  };
}

/** Puts what FreeSWITCH offers in order, and leaves out what we do not speak. */
export function inOrder(offer: SessionDescription): SessionDescription {
  const audio = audioOf(offer);
  const formats = servedFormats.flatMap((served) => commonFormats(audio, [served]).slice(0, 1));
  return describe(audio.address ?? offer.address, audio.port, formats, 'sendrecv');
}

/**
 * What the answer to an offer says: the format that was taken, at an address of ours; all else is refused.
 *
 * @param more what else the section says
 */
export function answerTo(
  offer: SessionDescription,
  { audio, format, events, direction }: FarSide,
  { address, port, ...more }: { readonly address: string; readonly port: number } & Partial<MediaDescription>,
): SessionDescription {
  const taken = {
    ...section(port, events === undefined ? [format] : [format, events], mirrored[direction]),
    protocol: audio.protocol,
    ...more,
  };
  return { address, media: offer.media.map((media) => (media === audio ? taken : { ...media, port: 0 })) };
}

/** A description with one section of audio. */
export function describe(address: string, port: number, formats: FormatList, direction: Direction): SessionDescription {
  return { address, media: [section(port, formats, direction)] };
}

const section = (port: number, formats: FormatList, direction: Direction): MediaDescription => ({
  kind: 'audio',
  port,
  protocol,
  direction,
  formats,
  ptime: frameDuration,
});

/** The number that a format has in a description. */
export function numberOf(description: SessionDescription, { encoding, clockRate }: MediaFormat): number | undefined {
  const formats = description.media.flatMap((media) => (media.kind === 'audio' ? media.formats : []));
  return formats.find((format) => format.encoding === encoding && format.clockRate === clockRate)?.payloadType;
}
