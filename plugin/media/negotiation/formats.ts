import { frameDuration } from 'speex-wasm';
import { MediaError } from '../../call/ports.js';
import type { Direction, MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import type { AudioCodec } from '../audio/flv-audio.js';
import { isPort, isUnspecified, type MediaTarget } from '../rtp/media-target.js';
import { codecOf, type FormatList, isEvent, isG711, isNoise, passThroughFormats } from './own-formats.js';
import { isRtpProfile, sectionOf } from './srtp.js';

export const protocol = 'RTP/AVP';

/** What a received payload type means. */
export interface ReceiveFormat {
  readonly kind: AudioCodec | 'cn' | 'telephone-event';
  readonly clockRate: number;
}

/** What we may send, with the number that the peer gave it. */
export interface AgreedFormat {
  readonly codec: AudioCodec;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly packetDuration: number;
}

/** Indexed by payload type. */
export type ReceiveFormats = readonly (ReceiveFormat | undefined)[];

/** What a call speaks, from offer and answer. */
export interface AudioAgreement {
  /** What we send, with the number that the peer gave it. */
  readonly send: MediaFormat;
  /** The codec of `send`. */
  readonly codec: AudioCodec;
  /** What the peer takes as well: it may be sent without asking again (RFC 3264 section 7). */
  readonly others: readonly AgreedFormat[];
  /** Milliseconds of a packet that the peer wants (`ptime`), where it is a length that we send, else 20. */
  readonly packetDuration: number;
  readonly receive: ReceiveFormats;
  /** How the peer takes keys (RFC 4733), where it does. */
  readonly events: MediaFormat | undefined;
  /** How the peer takes comfort noise (RFC 3389) beside G.711, where it does. */
  readonly noise: MediaFormat | undefined;
  /** Where the peer wants to receive. */
  readonly target: MediaTarget;
  /** Whether the peer wants to receive: false on hold. */
  readonly sending: boolean;
}

/** The description to offer for a socket at an address and port. */
export function offerAudio(address: string, port: number, formats = passThroughFormats): SessionDescription {
  return {
    address,
    media: [{ kind: 'audio', port, rtcpMux: true, protocol, direction: 'sendrecv', formats, ptime: frameDuration }],
  };
}

/**
 * Reads the answer to {@link offerAudio} (RFC 3264 section 7).
 *
 * @throws MediaError `NoCommonCodec`
 */
export function agreeAudio(answer: SessionDescription, formats = passThroughFormats): AudioAgreement {
  const audio = audioOf(answer);
  const common = commonFormats(audio, formats);
  const [send, ...others] = common.filter(codecOf);
  return agree(answer, audio, send, { common, receive: receiveFormats(common, formats), formats, others });
}

export interface AnswerOptions {
  /** What we speak. */
  readonly formats?: FormatList;
  /** Codecs that pass through, the best first. */
  readonly passing?: readonly AudioCodec[];
  /** Whether our side has put the call on hold. */
  readonly held?: boolean;
}

/**
 * Reads an offer and says what to answer (RFC 3264 section 6): its first format that passes through, else its first other
 * that we speak, and the comfort noise and events that go with it, under its numbers in both directions; everything else that it offers is
 * refused.
 *
 * @throws MediaError `NoCommonCodec`
 */
export function answerAudio(
  offer: SessionDescription,
  address: string,
  port: number,
  { formats = passThroughFormats, passing = ['speex'], held = false }: AnswerOptions = {},
): { agreement: AudioAgreement; answer: SessionDescription } {
  const audio = audioOf(offer);
  const common = commonFormats(audio, formats);
  const audioFormats = common.filter(codecOf);
  const preferred = passing.flatMap((codec) => audioFormats.find(({ encoding }) => encoding === codec) ?? [])[0];
  const known = { common, receive: formatTable(common), formats, others: [] };
  const agreement = agree(offer, audio, preferred ?? audioFormats[0], known);
  const { send, noise, events } = agreement;
  const may = mirrored[agreement.sending ? audio.direction : withoutReceiving[audio.direction]];
  const direction = held ? onHold[may] : may;
  const mux = audio.rtcpMux ? { rtcpMux: true } : {};
  const accepted = { kind: 'audio', port, ...mux, protocol: audio.protocol, direction, ptime: frameDuration };
  const answer = offer.media.map((media) =>
    media === audio
      ? { ...accepted, formats: [send, noise, events].filter((format) => format !== undefined) }
      : { kind: media.kind, port: 0, protocol: media.protocol, direction: media.direction, formats: media.formats },
  );
  return { agreement, answer: { address, media: answer } };
}

/** What we may do when the peer wants this (RFC 3264 section 6.1). */
export const mirrored: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** The same when we hold the call: we want to hear nothing. */
export const onHold: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendonly',
  sendonly: 'sendonly',
  recvonly: 'inactive',
  inactive: 'inactive',
};

/** The direction of a peer that has no address to receive at. */
export const withoutReceiving: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendonly',
  sendonly: 'sendonly',
  recvonly: 'inactive',
  inactive: 'inactive',
};

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

interface Known {
  /** The section's formats that are ours as well. */
  readonly common: FormatList;
  readonly receive: ReceiveFormats;
  readonly formats: FormatList;
  /** What else we may send. */
  readonly others: FormatList;
}

function agree(
  description: SessionDescription,
  audio: MediaDescription,
  send: MediaFormat | undefined,
  { common, receive, formats, others }: Known,
): AudioAgreement {
  const codec = send === undefined ? undefined : codecOf(send);
  if (send === undefined || codec === undefined) {
    throw noCommonCodec(`we speak ${names(formats)}; the far end ${names(audio.formats)}`);
  }
  const packetDuration = packetDurationOf(audio);
  const host = audio.address ?? description.address;
  const rtcpPort = audio.rtcpMux ? audio.port : (audio.rtcpPort ?? audio.port + 1);
  return {
    send,
    codec,
    packetDuration,
    others: others.flatMap((format) => {
      const other = codecOf(format);
      const { payloadType, clockRate } = format;
      return other === undefined ? [] : [{ codec: other, payloadType, clockRate, packetDuration }];
    }),
    receive,
    events: eventsFor(send, common),
    noise: isG711(send) ? common.find(isNoise) : undefined,
    target: { host, port: audio.port, rtcpPort: isPort(rtcpPort) ? rtcpPort : 0 },
    sending: wantsToReceive(audio, host),
  };
}

/**
 * A peer sends with our numbers (RFC 3264 section 6.1). Some send with their own: those are understood too where they
 * mean nothing else.
 */
const receiveFormats = (common: FormatList, formats: FormatList): ReceiveFormats =>
  formatTable([...formats, ...common]);

function formatTable(known: FormatList): ReceiveFormats {
  const formats: (ReceiveFormat | undefined)[] = new Array(128).fill(undefined);
  for (const format of known) {
    const kind = codecOf(format) ?? (isNoise(format) ? 'cn' : 'telephone-event');
    formats[format.payloadType] ??= { kind, clockRate: format.clockRate };
  }
  return formats;
}

/** Milliseconds that G.711 packets may have: less costs more in headers than in voice, more would be delay. */
const packetDurations = { min: 10, max: 60 };

function packetDurationOf({ ptime = frameDuration }: MediaDescription): number {
  const { min, max } = packetDurations;
  return Number.isInteger(ptime) && ptime >= min && ptime <= max ? ptime : frameDuration;
}

/**
 * The events that go with an audio format share its clock (RFC 4733 section 2.1); there are peers that know them at
 * 8000 Hz only, whatever they speak.
 */
function eventsFor({ clockRate }: MediaFormat, common: FormatList): MediaFormat | undefined {
  const events = common.filter(isEvent);
  return events.find((format) => format.clockRate === clockRate) ?? events[0];
}

/** Those of a section that are among ours. */
export function commonFormats(audio: MediaDescription, ours: FormatList): FormatList {
  return audio.formats.filter(({ payloadType, encoding, clockRate }) => {
    const known = ours.some((format) => format.encoding === encoding && format.clockRate === clockRate);
    return known && Number.isInteger(payloadType) && payloadType >= 0 && payloadType < 128;
  });
}

export function wantsToReceive(audio: MediaDescription, host: string): boolean {
  return (audio.direction === 'sendrecv' || audio.direction === 'recvonly') && !isUnspecified(host);
}

export function names(formats: readonly MediaFormat[]): string {
  return formats.map(({ encoding, clockRate }) => `${encoding}/${clockRate}`).join(', ') || 'no format';
}

export function noCommonCodec(message: string): MediaError {
  return new MediaError('NoCommonCodec', `no codec in common: ${message}`);
}
