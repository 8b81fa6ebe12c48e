import { feedbackTypes, parseFeedback, type RtcpFeedback } from './rtcp-feedback.js';

/**
 * RTCP, RFC 3550 section 6: what two parties of a call tell each other about the stream. Compound packets of a sender
 * or receiver report, a source description and, at the end, a BYE.
 */

/** What a receiver says of one source (section 6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Share of packets lost since the report before, 0-255 for 0 to 1. */
  readonly fractionLost: number;
  /** Packets lost since the start, signed 24 bits. */
  readonly cumulativeLost: number;
  /** Highest sequence number received, extended by its wraps. */
  readonly highestSequence: number;
  /** Ticks of the RTP clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP timestamp of the last sender report, 0 if none. */
  readonly lastSenderReport: number;
  /** Time since then in units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export interface SenderInfo {
  /** Seconds and fraction of the NTP timestamp, 32 bits each. */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

export type RtcpPacket =
  | { readonly type: 'sr'; readonly ssrc: number; readonly sender: SenderInfo; readonly blocks: readonly ReportBlock[] }
  | { readonly type: 'rr'; readonly ssrc: number; readonly blocks: readonly ReportBlock[] }
  | { readonly type: 'sdes' }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  | RtcpFeedback
  | { readonly type: 'other'; readonly packetType: number };

export type RtcpFault =
  | 'too-short' // shorter than a header or than its length field says
  | 'bad-version' // not version 2
  | 'bad-start' // the first packet is neither a report nor feedback
  | 'bad-length' // the length does not hold what the count promises
  | 'bad-padding'; // padding anywhere but in the last packet, or more than there is

const packetTypes = { sr: 200, rr: 201, sdes: 202, bye: 203 } as const;

/** What a datagram may begin with: reports, and feedback alone (reduced size, RFC 5506), which some send unasked. */
const starts: readonly number[] = [packetTypes.sr, packetTypes.rr, feedbackTypes.transport, feedbackTypes.payload];
const cnameItem = 1;
const blockLength = 24;
const senderInfoLength = 20;

export interface RtcpReport {
  readonly ssrc: number;
  /** Present in a sender report; a receiver report is built without. */
  readonly sender?: SenderInfo;
  readonly block?: ReportBlock;
  /** Canonical name, at most 255 octets of UTF-8 (section 6.5.1). */
  readonly cname: string;
  /** Whether a BYE follows. */
  readonly bye?: boolean;
}

/** Builds a compound packet: SR or RR, SDES with the CNAME and, if asked, BYE. */
export function buildRtcp(report: RtcpReport): Buffer {
  const parts = [buildReport(report), buildSdes(report.ssrc, report.cname)];
  if (report.bye) parts.push(withHeader(packetTypes.bye, 1, word(report.ssrc)));
  return Buffer.concat(parts);
}

/** Reads a datagram as compound RTCP (validity checks of appendix A.2). */
export function parseRtcp(bytes: Uint8Array): readonly RtcpPacket[] | RtcpFault {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < view.length) {
    if (view.length - at < 4) return 'too-short';
    const first = view.readUInt8(at);
    const packetType = view.readUInt8(at + 1);
    if (first >> 6 !== 2) return 'bad-version';
    if (at === 0 && !starts.includes(packetType)) return 'bad-start';
    let end = at + 4 + view.readUInt16BE(at + 2) * 4;
    if (end > view.length) return 'too-short';
    const next = end;
    if ((first & 0x20) !== 0) {
      const padding = view.readUInt8(end - 1);
      if (next !== view.length || padding === 0 || padding % 4 !== 0 || padding > end - at - 4) return 'bad-padding';
      end -= padding;
    }
    const packet = parsePacket(packetType, first & 0x1f, view.subarray(at + 4, end));
    if (packet === undefined) return 'bad-length';
    packets.push(packet);
    at = next;
  }
  return packets.length === 0 ? 'too-short' : packets;
}

function parsePacket(packetType: number, count: number, body: Buffer): RtcpPacket | undefined {
  switch (packetType) {
    case packetTypes.sr: {
      if (body.length < 4 + senderInfoLength + count * blockLength) return undefined;
      const blocks = parseBlocks(body, 4 + senderInfoLength, count);
      return { type: 'sr', ssrc: body.readUInt32BE(0), sender: parseSenderInfo(body), blocks };
    }
    case packetTypes.rr:
      if (body.length < 4 + count * blockLength) return undefined;
      return { type: 'rr', ssrc: body.readUInt32BE(0), blocks: parseBlocks(body, 4, count) };
    case packetTypes.bye:
      if (body.length < count * 4) return undefined;
      return { type: 'bye', ssrcs: Array.from({ length: count }, (_, index) => body.readUInt32BE(index * 4)) };
    case packetTypes.sdes:
      return { type: 'sdes' };
    default:
      return parseFeedback(packetType, count, body) ?? { type: 'other', packetType };
  }
}

function parseSenderInfo(body: Buffer): SenderInfo {
  return {
    ntpSeconds: body.readUInt32BE(4),
    ntpFraction: body.readUInt32BE(8),
    rtpTimestamp: body.readUInt32BE(12),
    packets: body.readUInt32BE(16),
    octets: body.readUInt32BE(20),
  };
}

function parseBlocks(body: Buffer, from: number, count: number): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  for (let at = from; blocks.length < count; at += blockLength) {
    blocks.push({
      ssrc: body.readUInt32BE(at),
      fractionLost: body.readUInt8(at + 4),
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequence: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastSenderReport: body.readUInt32BE(at + 16),
      delaySinceLastSenderReport: body.readUInt32BE(at + 20),
    });
  }
  return blocks;
}

function buildReport({ ssrc, sender, block }: RtcpReport): Buffer {
  const parts = [word(ssrc)];
  if (sender !== undefined) {
    const { ntpSeconds, ntpFraction, rtpTimestamp, packets, octets } = sender;
    parts.push(...[ntpSeconds, ntpFraction, rtpTimestamp, packets, octets].map(word));
  }
  if (block !== undefined) parts.push(buildBlock(block));
  return withHeader(sender === undefined ? packetTypes.rr : packetTypes.sr, block === undefined ? 0 : 1, ...parts);
}

function buildBlock(block: ReportBlock): Buffer {
  const bytes = Buffer.alloc(blockLength);
  bytes.writeUInt32BE(block.ssrc, 0);
  bytes.writeUInt8(block.fractionLost, 4);
  bytes.writeIntBE(block.cumulativeLost, 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(block.jitter >>> 0, 12);
  bytes.writeUInt32BE(block.lastSenderReport >>> 0, 16);
  bytes.writeUInt32BE(block.delaySinceLastSenderReport >>> 0, 20);
  return bytes;
}

/** One chunk with the CNAME, closed by a null octet and padded to a word (section 6.5). */
function buildSdes(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname);
  const chunk = Buffer.alloc(Math.ceil((4 + 2 + text.length + 1) / 4) * 4);
  chunk.writeUInt32BE(ssrc, 0);
  chunk.writeUInt8(cnameItem, 4);
  chunk.writeUInt8(text.length, 5);
  text.copy(chunk, 6);
  return withHeader(packetTypes.sdes, 1, chunk);
}

function withHeader(packetType: number, count: number, ...body: readonly Buffer[]): Buffer {
  const header = Buffer.from([0x80 | count, packetType, 0, 0]);
  const packet = Buffer.concat([header, ...body]);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  return packet;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0, 0);
  return bytes;
}
