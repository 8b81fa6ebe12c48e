import { isIPv6 } from 'node:net';
import { type MediaDescription as ParsedMedia, parse, write } from 'sdp-transform';
import type { Direction, MediaDescription, MediaFormat, SessionDescription } from '../../call/session-description.js';
import { readCrypto, writeCrypto } from './sdp-crypto.js';

/** RFC 3551 table 4 and 5: formats that need no `rtpmap`. */
const staticFormats: Readonly<Record<number, Omit<MediaFormat, 'payloadType'>>> = {
  0: { encoding: 'pcmu', clockRate: 8000 },
  3: { encoding: 'gsm', clockRate: 8000 },
  4: { encoding: 'g723', clockRate: 8000 },
  8: { encoding: 'pcma', clockRate: 8000 },
  9: { encoding: 'g722', clockRate: 8000 },
  13: { encoding: 'cn', clockRate: 8000 },
  18: { encoding: 'g729', clockRate: 8000 },
  34: { encoding: 'h263', clockRate: 90000 },
};

/**
 * Reads SDP (RFC 8866). Total: what cannot be read is left out, so that text which is no SDP gives a description
 * without media.
 */
export function parseSdp(text: string): SessionDescription {
  const session = parse(text);
  const crypto = readCrypto(text);
  return {
    address: session.connection?.ip ?? session.origin?.address ?? '',
    media: (session.media ?? []).map((media, index) => {
      const lines = crypto[index] ?? [];
      return { ...readMedia(media, session.direction), ...(lines.length > 0 && { crypto: lines }) };
    }),
  };
}

function readMedia(media: ParsedMedia, sessionDirection: string | undefined): MediaDescription {
  const payloadTypes = String(media.payloads ?? '')
    .split(' ')
    .map(Number);
  return {
    kind: media.type,
    port: media.port,
    protocol: media.protocol,
    direction: readDirection(media.direction ?? sessionDirection),
    formats: payloadTypes.flatMap((payloadType) => readFormat(media, payloadType)),
    ...(media.connection && { address: media.connection.ip }),
    ...(media.rtcp && { rtcpPort: media.rtcp.port }),
    ...(media.rtcpMux !== undefined && { rtcpMux: true }),
    ...(media.ptime !== undefined && { ptime: Number(media.ptime) }),
  };
}

function readFormat(media: ParsedMedia, payloadType: number): MediaFormat[] {
  if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) return [];
  const map = media.rtp.find((entry) => entry.payload === payloadType);
  const parameters = media.fmtp.find((entry) => entry.payload === payloadType)?.config;
  const fixed = staticFormats[payloadType];
  const feedback = readFeedback(media, payloadType);
  if (!map && !fixed) return [];
  return [
    {
      payloadType,
      ...(map ? { encoding: map.codec.toLowerCase(), clockRate: map.rate ?? 8000 } : fixed),
      ...(map?.encoding !== undefined && { channels: Number(map.encoding) }),
      ...(parameters !== undefined && { parameters }),
      ...(feedback.length > 0 && { feedback }),
    } as MediaFormat,
  ];
}

/** What is said of this format and of all (RFC 4585 section 4.2). */
function readFeedback({ rtcpFb = [] }: ParsedMedia, payloadType: number): string[] {
  return rtcpFb
    .filter(({ payload }) => payload === '*' || Number(payload) === payloadType)
    .map(({ type, subtype }) => (subtype === undefined ? type : `${type} ${subtype}`));
}

function writeFeedback({ payloadType, feedback = [] }: MediaFormat) {
  return feedback.map((kind) => {
    const [type = '', ...rest] = kind.split(' ');
    return { payload: payloadType, type, ...(rest.length > 0 && { subtype: rest.join(' ') }) };
  });
}

function readDirection(text: string | undefined): Direction {
  return text === 'sendonly' || text === 'recvonly' || text === 'inactive' ? text : 'sendrecv';
}

/** What names a session, and the version of its description (RFC 8866 section 5.2). */
export interface SdpOrigin {
  readonly sessionId: number;
  readonly version: number;
}

export function writeSdp(description: SessionDescription, { sessionId, version }: SdpOrigin): string {
  const { address } = description;
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId,
      sessionVersion: version,
      netType: 'IN',
      ipVer: ipVersion(address),
      address,
    },
    name: '-',
    connection: { version: ipVersion(address), ip: address },
    timing: { start: 0, stop: 0 },
    media: description.media.map(writeMedia),
  });
}

/** As registered: names mean the same in any case (RFC 4855 section 3), and yet some phones compare the letters. */
const registeredNames: Readonly<Record<string, string>> = { cn: 'CN', h264: 'H264' };

function writeMedia(media: MediaDescription): ParsedMedia {
  return {
    type: media.kind,
    port: media.port,
    protocol: media.protocol,
    payloads: media.formats.map(({ payloadType }) => payloadType).join(' '),
    direction: media.direction,
    rtp: media.formats.map((format) => ({
      payload: format.payloadType,
      codec: registeredNames[format.encoding] ?? format.encoding,
      rate: format.clockRate,
      ...(format.channels !== undefined && { encoding: format.channels }),
    })),
    fmtp: media.formats.flatMap(({ payloadType, parameters }) =>
      parameters === undefined ? [] : [{ payload: payloadType, config: parameters }],
    ),
    rtcpFb: media.formats.flatMap(writeFeedback),
    ...(media.address !== undefined && { connection: { version: ipVersion(media.address), ip: media.address } }),
    ...(media.rtcpPort !== undefined && { rtcp: { port: media.rtcpPort } }),
    ...(media.rtcpMux && { rtcpMux: 'rtcp-mux' }),
    ...(media.crypto && { crypto: media.crypto.map(writeCrypto) }),
    ...(media.ptime !== undefined && { ptime: media.ptime }),
  } as ParsedMedia;
}

const ipVersion = (address: string): 4 | 6 => (isIPv6(address) ? 6 : 4);
