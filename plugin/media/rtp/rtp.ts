/**
 * RTP packets, RFC 3550 section 5.1:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    |                           timestamp                           |
 *    |           synchronization source (SSRC) identifier            |
 *    |            contributing source (CSRC) identifiers ...         |
 *    |  extension: profile (16) and length in words (16), if X       |
 */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** The whole datagram; the payload is what lies between `start` and `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export type RtpFault =
  | 'too-short' // fewer octets than the header says it has
  | 'bad-version' // not version 2
  | 'bad-padding'; // a padding count of 0, or more than the payload

export const rtpHeaderLength = 12;

/** Where the payload begins; undefined when there are fewer octets than the header says it has. */
export function rtpHeaderEnd(bytes: Uint8Array): number | undefined {
  const length = bytes.length;
  if (length < rtpHeaderLength) return undefined;
  const first = octet(bytes, 0);
  let end = rtpHeaderLength + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (length < end + 4) return undefined;
    end += 4 + ((octet(bytes, end + 2) << 8) | octet(bytes, end + 3)) * 4;
  }
  return end > length ? undefined : end;
}

/** Reads a datagram as RTP. Nothing is copied. */
export function parseRtp(bytes: Uint8Array): RtpPacket | RtpFault {
  const length = bytes.length;
  if (length < rtpHeaderLength) return 'too-short';
  const first = octet(bytes, 0);
  if (first >> 6 !== 2) return 'bad-version';
  const start = rtpHeaderEnd(bytes);
  if (start === undefined) return 'too-short';
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = octet(bytes, length - 1);
    if (padding === 0 || padding > length - start) return 'bad-padding';
    end -= padding;
  }
  const second = octet(bytes, 1);
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: (octet(bytes, 2) << 8) | octet(bytes, 3),
    timestamp: word(bytes, 4),
    ssrc: word(bytes, 8),
    bytes,
    start,
    end,
  };
}

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/**
 * A datagram with the payload behind a header without CSRCs, extension and padding.
 *
 * @param prefix Octets of payload that come first.
 */
export function buildRtp(header: RtpHeader, payload: Uint8Array, prefix?: Uint8Array): Buffer {
  const start = rtpHeaderLength + (prefix?.length ?? 0);
  const bytes = Buffer.allocUnsafe(start + payload.length);
  bytes[0] = 0x80;
  bytes[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  bytes[2] = header.sequence >> 8;
  bytes[3] = header.sequence & 0xff;
  putWord(bytes, 4, header.timestamp);
  putWord(bytes, 8, header.ssrc);
  if (prefix !== undefined) bytes.set(prefix, rtpHeaderLength);
  bytes.set(payload, start);
  return bytes;
}

/**
 * Whether a datagram on the RTP port is RTCP (RFC 5761 section 4): packet types 192-223 stand where RTP has its marker
 * and a payload type of 64-95.
 */
export function isRtcp(bytes: Uint8Array): boolean {
  const second = octet(bytes, 1);
  return second >= 192 && second <= 223;
}

const stunCookie = 0x2112a442;

/** Whether a datagram is STUN, which some phones send to keep their NAT open (RFC 8489 section 5, RFC 7983). */
export function isStun(bytes: Uint8Array): boolean {
  return octet(bytes, 0) < 4 && bytes.length >= 20 && word(bytes, 4) === stunCookie;
}

function octet(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function word(bytes: Uint8Array, at: number): number {
  const value =
    (octet(bytes, at) << 24) | (octet(bytes, at + 1) << 16) | (octet(bytes, at + 2) << 8) | octet(bytes, at + 3);
  return value >>> 0;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
