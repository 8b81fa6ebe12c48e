import { frameDuration } from 'speex-wasm';
import type { MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import type { AudioCodec } from '../audio/flv-audio.js';
import type { MediaTarget } from '../rtp/media-target.js';
import { answerTo, type FarEnd, isEvent, protocol, readFarEnd } from './far-end.js';

/** Payload formats that we speak, in order of preference. */
export type FormatList = readonly MediaFormat[];

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

/** RFC 4733. One for each clock rate: events share the timestamps of the audio they come with (section 2.1). */
const events: FormatList = [
  { payloadType: 100, encoding: 'telephone-event', clockRate: 16000, parameters: '0-15' },
  { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, parameters: '0-15' },
];

const opusEvents: FormatList = [
  { payloadType: 102, encoding: 'telephone-event', clockRate: 48000, parameters: '0-15' },
];

/** Our formats of these codecs in this order, and the events that go with them. */
export function formatsOf(codecs: readonly AudioCodec[]): FormatList {
  const all = [...opus, ...speex, ...g711];
  const audio = codecs.flatMap((codec) => all.filter(({ encoding }) => encoding === codec));
  const rates = new Set(audio.map(({ clockRate }) => clockRate));
  return [...audio, ...[...events, ...opusEvents].filter(({ clockRate }) => rates.has(clockRate))];
}

/** What we speak without a Speex codec: Speex, passed through. */
export const passThroughFormats: FormatList = formatsOf(['speex']);

/** What we speak with one: what passes through comes first. */
export const transcodingFormats: FormatList = formatsOf(['speex', 'pcmu', 'pcma']);

/** What a received payload type means. */
export interface ReceiveFormat {
  readonly kind: AudioCodec | 'telephone-event';
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
  const far = readFarEnd(answer, formats);
  const others = far.common.filter((format) => format !== far.format && !isEvent(format));
  return agree(far, receiveFormats(far.common, formats), others);
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
 * that we speak, and the events that go with it, under its numbers in both directions; everything else that it offers is
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
  const far = readFarEnd(offer, formats, passing);
  const mux = far.audio.rtcpMux ? { rtcpMux: true } : {};
  return {
    agreement: agree(far, formatTable(far.common)),
    answer: answerTo(offer, far, { address, port, ...mux }, held),
  };
}

function agree(far: FarEnd, receive: ReceiveFormats, others: FormatList = []): AudioAgreement {
  const { audio, format: send, events, target, sending } = far;
  const packetDuration = packetDurationOf(audio);
  const codec = codecOf(send);
  if (codec === undefined) throw new TypeError(`${send.encoding} is no codec of the gateway`);
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
    events,
    target,
    sending,
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
    const kind = codecOf(format) ?? 'telephone-event';
    formats[format.payloadType] ??= { kind, clockRate: format.clockRate };
  }
  return formats;
}

function codecOf({ encoding }: MediaFormat): AudioCodec | undefined {
  const known = encoding === 'speex' || encoding === 'pcmu' || encoding === 'pcma' || encoding === 'opus';
  return known ? encoding : undefined;
}

/** Milliseconds that G.711 packets may have: less costs more in headers than in voice, more would be delay. */
const packetDurations = { min: 10, max: 60 };

function packetDurationOf({ ptime = frameDuration }: MediaDescription): number {
  const { min, max } = packetDurations;
  return Number.isInteger(ptime) && ptime >= min && ptime <= max ? ptime : frameDuration;
}
