import type { MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import { isPort, type MediaTarget } from '../rtp/media-target.js';
import type { PacketizationMode } from '../video/packetizer.js';
import { readSprop, writeSprop } from '../video/parameter-sets.js';
import { parseSps } from '../video/sps.js';
import { mirrored, type Reception, receptionOf } from './reception.js';
import { isRtpProfile } from './srtp.js';

/** What a call's video speaks, from offer and answer. */
export interface VideoAgreement {
  /** What we send: the number that the peer gave it, and whether NAL units may be split. */
  readonly send: { readonly payloadType: number; readonly mode: PacketizationMode };
  /** Payload types that the peer may send. */
  readonly receive: ReadonlySet<number>;
  /** SPS and PPS that the peer announced (`sprop-parameter-sets`). */
  readonly parameterSets: readonly Uint8Array[];
  /** What the peer takes by RTCP. */
  readonly feedback: VideoFeedback;
  /** Where the peer wants to receive. */
  readonly target: MediaTarget;
  /** Whether the peer wants to receive: false on hold. */
  readonly sending: boolean;
}

export interface VideoFeedback {
  readonly nack: boolean;
  readonly pli: boolean;
  readonly fir: boolean;
}

/** RFC 4585 section 4.2, RFC 5104 section 7.1. Named in RTP/AVP too: who does not know it reads on. */
const feedback = ['nack', 'nack pli', 'ccm fir'] as const;

/** Constrained Baseline at level 3.1, 720p at 30 pictures a second: what Flash cameras send and every phone takes. */
const commonProfile = '42e01f';

/** Our numbers for H.264 in the modes of RFC 6184 section 6, in order of preference. */
const ours = [
  { payloadType: 102, mode: 1 },
  { payloadType: 103, mode: 0 },
] as const;

/**
 * The section to offer for a socket on a port.
 *
 * @param parameterSets The client's, if it sends already: they tell its profile, and the far end may start with them.
 */
export function offerVideo(port: number, parameterSets: readonly Uint8Array[] = []): MediaDescription {
  const sprop = parameterSets.length === 0 ? '' : `;sprop-parameter-sets=${writeSprop(parameterSets)}`;
  const profile = profileOf(parameterSets);
  const formats = ours.map(({ payloadType, mode }) => ({
    payloadType,
    encoding: 'h264',
    clockRate: 90_000,
    parameters: `profile-level-id=${profile};level-asymmetry-allowed=1;packetization-mode=${mode}${sprop}`,
    feedback,
  }));
  return { kind: 'video', port, rtcpMux: true, protocol: 'RTP/AVP', direction: 'sendrecv', formats };
}

/** Reads the answer to {@link offerVideo}; undefined when the peer refuses video, or answers with nothing that we speak. */
export function agreeVideo(answer: SessionDescription): VideoAgreement | undefined {
  const video = videoOf(answer);
  const send = video && preferred(video);
  if (video === undefined || send === undefined) return undefined;
  const receive = new Set([
    ...ours.map(({ payloadType }) => payloadType),
    ...h264(video).map(({ payloadType }) => payloadType),
  ]);
  return agree(receptionOf(video, answer), send, receive);
}

export interface VideoAnswer {
  readonly agreement: VideoAgreement;
  /** Of the offer's sections, the one that is accepted. */
  readonly index: number;
  readonly media: MediaDescription;
}

/** Reads an offer and says what to answer for a socket on a port; undefined when it has no video that we speak. */
export function answerVideo(offer: SessionDescription, port: number): VideoAnswer | undefined {
  const video = videoOf(offer);
  const send = video && preferred(video);
  if (video === undefined || send === undefined) return undefined;
  const reception = receptionOf(video, offer);
  const agreement = agree(reception, send, new Set([send.payloadType]));
  const profile = parameter(send, 'profile-level-id') ?? commonProfile;
  const mode = agreement.send.mode;
  const format: MediaFormat = {
    payloadType: send.payloadType,
    encoding: 'h264',
    clockRate: 90_000,
    parameters: `profile-level-id=${profile};level-asymmetry-allowed=1;packetization-mode=${mode}`,
    feedback: feedback.filter((kind) => send.feedback?.includes(kind)),
  };
  const direction = mirrored[reception.direction];
  const mux = video.rtcpMux ? { rtcpMux: true } : {};
  const media = { kind: 'video', port, ...mux, protocol: video.protocol, direction, formats: [format] };
  return { agreement, index: offer.media.indexOf(video), media };
}

/** The first section of video that can be served. */
function videoOf({ media }: SessionDescription): MediaDescription | undefined {
  return media.find(({ kind, port, protocol }) => kind === 'video' && isPort(port) && isRtpProfile(protocol));
}

/** H.264 in a mode that we speak: the interleaved one (2) is not. */
function h264({ formats }: MediaDescription): MediaFormat[] {
  return formats.filter(
    (format) =>
      format.encoding === 'h264' && format.payloadType >= 0 && format.payloadType < 128 && modeOf(format) !== undefined,
  );
}

/** Mode 1 before mode 0, which cannot split a key frame; else the peer's order. */
function preferred(video: MediaDescription): MediaFormat | undefined {
  const formats = h264(video);
  return formats.find((format) => modeOf(format) === 1) ?? formats[0];
}

function modeOf(format: MediaFormat): PacketizationMode | undefined {
  const mode = parameter(format, 'packetization-mode') ?? '0';
  return mode === '0' ? 0 : mode === '1' ? 1 : undefined;
}

function parameter({ parameters = '' }: MediaFormat, name: string): string | undefined {
  for (const part of parameters.split(';')) {
    const [key = '', ...value] = part.trim().split('=');
    if (key.toLowerCase() === name) return value.join('=');
  }
  return undefined;
}

function agree({ target, sending }: Reception, send: MediaFormat, receive: ReadonlySet<number>): VideoAgreement {
  const taken = send.feedback ?? [];
  return {
    send: { payloadType: send.payloadType, mode: modeOf(send) ?? 0 },
    receive,
    parameterSets: readSprop(parameter(send, 'sprop-parameter-sets') ?? ''),
    feedback: { nack: taken.includes('nack'), pli: taken.includes('nack pli'), fir: taken.includes('ccm fir') },
    target,
    sending,
  };
}

function profileOf(parameterSets: readonly Uint8Array[]): string {
  for (const nal of parameterSets) {
    const info = parseSps(nal);
    if (info !== undefined) return info.profileLevelId;
  }
  return commonProfile;
}
