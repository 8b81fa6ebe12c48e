import type { VideoAgreement } from '../../../../plugin/media/negotiation/video-formats.js';
import { buildRtp, parseRtp, type RtpPacket } from '../../../../plugin/media/rtp/rtp.js';
import { buildAvcConfig } from '../../../../plugin/media/video/avc-config.js';
import { buildConfigMessage, buildFrameMessage } from '../../../../plugin/media/video/flv-avc.js';

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
export const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

/** As x264 writes them, 1280x720, Baseline. */
export const sps = bytes('6742c01fda014016effc000c001040000003004000000f03c60ca8');
export const pps = bytes('68ce0fc8');
/** 1920x1080, High. */
export const otherSps = bytes('67640028acd940780227e5ffc0001000110000030001000003003c8f18319600');

/** A slice: its NAL header, first_mb_in_slice (0 where it begins the picture), and something that tells it from others. */
export function slice(type: 1 | 5, options: { first?: boolean; length?: number; mark?: number } = {}): Uint8Array {
  const { first = true, length = 20, mark = 0 } = options;
  const nal = new Uint8Array(length).fill(mark);
  nal.set([type === 5 ? 0x65 : 0x41, first ? 0x88 : 0x40]);
  return nal;
}

export const header = buildConfigMessage(buildAvcConfig([sps], [pps]));

/** A picture as a client sends it. */
export const keyFrame = (...more: Uint8Array[]): Uint8Array => buildFrameMessage([slice(5), ...more], 0);
export const interFrame = (mark = 0, compositionTime = 0): Uint8Array =>
  buildFrameMessage([slice(1, { mark })], compositionTime);

export const agreement: VideoAgreement = {
  send: { payloadType: 102, mode: 1 },
  receive: new Set([102, 103]),
  parameterSets: [],
  feedback: { nack: true, pli: true, fir: true },
  target: { host: '127.0.0.1', port: 4000, rtcpPort: 4001 },
  sending: true,
};

export function parsed(datagram: Uint8Array): RtpPacket {
  const packet = parseRtp(datagram);
  if (typeof packet === 'string') throw new Error(packet);
  return packet;
}

export const payloadOf = (datagram: Uint8Array): string => {
  const { start, end } = parsed(datagram);
  return hex(datagram.subarray(start, end));
};

/** Packets of a far end: payloads of one picture, the last with the marker. */
export class FarEnd {
  sequence = 100;
  timestamp = 90_000;
  ssrc = 77;
  payloadType = 102;

  picture(...payloads: readonly Uint8Array[]): RtpPacket[] {
    this.timestamp += 3_000;
    return payloads.map((payload, index) => this.packet(payload, index === payloads.length - 1));
  }

  packet(payload: Uint8Array, marker: boolean): RtpPacket {
    const { payloadType, timestamp, ssrc } = this;
    const sequence = this.sequence++ & 0xffff;
    return parsed(buildRtp({ payloadType, marker, sequence, timestamp: timestamp % 2 ** 32, ssrc }, payload));
  }
}
