import { frameDuration } from 'speex-wasm';
import { MediaError } from '../../call/ports.js';
import type { MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import { isPort } from '../rtp/media-target.js';
import { type FormatList, isEvent, isG711, isNoise } from './own-formats.js';
import { mirrored, type Reception, receptionOf, withoutReceiving } from './reception.js';
import { isRtpProfile, sectionOf } from './srtp.js';

export const protocol = 'RTP/AVP';

/** The far end's audio section, of which one format is spoken. */
export interface FarEnd extends Reception {
  readonly audio: MediaDescription;
  /** What of the section we speak, comfort noise and events included, under the far end's numbers. */
  readonly common: FormatList;
  /** What it is sent. */
  readonly format: MediaFormat;
  /** How it takes keys (RFC 4733), where it does. */
  readonly events: MediaFormat | undefined;
  /** How it takes comfort noise (RFC 3389) beside G.711, where it does. */
  readonly noise: MediaFormat | undefined;
}

/**
 * Reads an offer or an answer: the first codec of `passing` that it has, else its first that is ours.
 *
 * @param ours what we speak
 * @param passing codecs that pass through, the best first, where it is ours to choose
 * @throws MediaError `NoCommonCodec`
 */
export function readFarEnd(description: SessionDescription, ours: FormatList, passing: readonly string[] = []): FarEnd {
  const audio = audioOf(description);
  const common = commonFormats(audio, ours);
  const codecs = common.filter((format) => !isEvent(format) && !isNoise(format));
  const [format = codecs[0]] = passing.flatMap((codec) => codecs.find(({ encoding }) => encoding === codec) ?? []);
  if (format === undefined) throw noCommonCodec(`we speak ${names(ours)}; the far end ${names(audio.formats)}`);
  return {
    audio,
    common,
    format,
    events: eventsFor(format, common),
    noise: isG711(format) ? common.find(isNoise) : undefined,
    ...receptionOf(audio, description),
  };
}

/** Our side of an answer: where we receive, and what else its section says. */
export type Own = { readonly address: string; readonly port: number } & Partial<MediaDescription>;

/**
 * What to answer to an offer (RFC 3264 section 6): the format that was taken and what goes with it, under the offer's
 * numbers; all else is refused.
 *
 * @param held whether our side has put the call on hold
 */
export function answerTo(
  offer: SessionDescription,
  { audio, format, noise, events, direction }: FarEnd,
  { address, ...own }: Own,
  held = false,
): SessionDescription {
  const may = mirrored[direction];
  const taken: MediaDescription = {
    kind: 'audio',
    protocol: audio.protocol,
    direction: held ? withoutReceiving[may] : may,
    formats: [format, noise, events].filter((one) => one !== undefined),
    ptime: frameDuration,
    ...own,
  };
  return { address, media: offer.media.map((media) => (media === audio ? taken : refused(media))) };
}

/** A section that is not taken. */
export const refused = ({ kind, protocol, direction, formats }: MediaDescription): MediaDescription => ({
  kind,
  port: 0,
  protocol,
  direction,
  formats,
});

/** The audio section that we take part in. */
export function audioOf(description: SessionDescription): MediaDescription {
  const audio = sectionOf(description, 'audio');
  if (audio === undefined) throw noCommonCodec('the far end has no audio');
  if (audio.port === 0) throw noCommonCodec('the far end refuses audio (port 0)');
  if (!isPort(audio.port)) throw noCommonCodec(`the far end's audio port is ${audio.port}, not 1-65535`);
  // Peers name the feedback profile (RFC 4585) unasked: the packets are the same. What is encrypted is not decided here.
  if (!isRtpProfile(audio.protocol)) {
    throw noCommonCodec(`we speak ${protocol}, the far end ${audio.protocol}`);
  }
  return audio;
}

/** Those of a section that are among ours. */
export function commonFormats(audio: MediaDescription, ours: FormatList): FormatList {
  return audio.formats.filter(({ payloadType, encoding, clockRate }) => {
    const known = ours.some((format) => format.encoding === encoding && format.clockRate === clockRate);
    return known && Number.isInteger(payloadType) && payloadType >= 0 && payloadType < 128;
  });
}

/**
 * The events that go with an audio format share its clock (RFC 4733 section 2.1); there are peers that know them at
 * 8000 Hz only, whatever they speak.
 */
function eventsFor({ clockRate }: MediaFormat, common: FormatList): MediaFormat | undefined {
  const events = common.filter(isEvent);
  return events.find((format) => format.clockRate === clockRate) ?? events[0];
}

function names(formats: FormatList): string {
  return formats.map(({ encoding, clockRate }) => `${encoding}/${clockRate}`).join(', ') || 'no format';
}

const noCommonCodec = (message: string) => new MediaError('NoCommonCodec', `no codec in common: ${message}`);
