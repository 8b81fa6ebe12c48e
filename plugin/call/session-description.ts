/**
 * A session description (RFC 8866) as a value: what signalling writes to and reads from SDP text, and what a media
 * engine offers and accepts. Neither side needs to know the other.
 */
export interface SessionDescription {
  /** Host of the session's `c=` line: an IPv4 or IPv6 address or a name. */
  readonly address: string;
  readonly media: readonly MediaDescription[];
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One `m=` section. */
export interface MediaDescription {
  /** Media type of the `m=` line, e.g. `audio`. */
  readonly kind: string;
  /** Transport port; 0 means refused. */
  readonly port: number;
  /** Port of RTCP when it is not `port + 1` (RFC 3605). */
  readonly rtcpPort?: number;
  /** RTCP on the port of RTP, offered or taken (`a=rtcp-mux`, RFC 5761). */
  readonly rtcpMux?: boolean;
  /** Transport protocol of the `m=` line, e.g. `RTP/AVP`. */
  readonly protocol: string;
  /** Host of the section's own `c=` line, where it has one. */
  readonly address?: string;
  readonly direction: Direction;
  /** In order of preference. */
  readonly formats: readonly MediaFormat[];
  /** Milliseconds of audio per packet (`a=ptime`). */
  readonly ptime?: number;
  /** Keys of SRTP, offered in order of preference or the one that is taken (`a=crypto`). */
  readonly crypto?: readonly CryptoAttribute[];
}

/** One `a=crypto` line (RFC 4568): with what, and how, its writer would send SRTP. */
export interface CryptoAttribute {
  /** An answer repeats the tag of the line that it takes. */
  readonly tag: number;
  /** Crypto suite, e.g. `AES_CM_128_HMAC_SHA1_80`. */
  readonly suite: string;
  /** The key parameters as they stand in the line. They hold a secret, which is never to reach a log. */
  readonly keyParameters: string;
  /** The session parameters as they stand in the line, each by itself. */
  readonly sessionParameters?: readonly string[];
}

/** One RTP payload format of an `m=` section: payload type with its `rtpmap` and `fmtp`. */
export interface MediaFormat {
  /** 0-127. Belongs to the side that announced it: we send with the peer's and receive with ours. */
  readonly payloadType: number;
  /** Encoding name in lower case, e.g. `speex`. */
  readonly encoding: string;
  /** Hz. */
  readonly clockRate: number;
  readonly channels?: number;
  /** The text of `a=fmtp`. */
  readonly parameters?: string;
  /** RTCP feedback (`a=rtcp-fb`, RFC 4585 section 4.2), e.g. `nack pli`; what is said of all formats stands at each. */
  readonly feedback?: readonly string[];
}

/**
 * Whether the sender of a description holds the call: it does not want to hear anything (RFC 3264 section 8.4). That is
 * said by the direction, by an address of zeros as RFC 2543 had it, or by no audio at all.
 */
export function isHeld({ address, media }: SessionDescription): boolean {
  const audio = media.find(({ kind, port }) => kind === 'audio' && port !== 0);
  const host = audio?.address ?? address;
  if (audio === undefined || host === '0.0.0.0' || host === '::') return true;
  return audio.direction === 'sendonly' || audio.direction === 'inactive';
}

/** Whether there is a video stream that is not refused (RFC 3264 section 6). */
export function hasVideo(description: SessionDescription | undefined): boolean {
  return description?.media.some(({ kind, port }) => kind === 'video' && port > 0) ?? false;
}
