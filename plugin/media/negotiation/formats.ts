import { frameDuration } from 'speex-wasm';
import type { MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import type { AudioCodec } from '../audio/flv-audio.js';
import type { MediaTarget } from '../rtp/media-target.js';
import { answerTo, type FarEnd, protocol, readFarEnd } from './far-end.js';
import { codecOf, type FormatList, isNoise, passThroughFormats } from './own-formats.js';

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
  const far = readFarEnd(answer, formats);
  const others = far.common.filter((format) => format !== far.format && codecOf(format));
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
 * that we speak, and the comfort noise and events that go with it, under its numbers in both directions; everything else
 * that it offers is refused.
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
  const { audio, format: send, noise, events, target, sending } = far;
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
    noise,
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
