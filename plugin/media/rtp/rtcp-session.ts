import { buildRtcp, parseRtcp, type ReportBlock, type RtcpPacket, type RtcpReport, type SenderInfo } from './rtcp.js';
import { distance32 } from './serial.js';

/** A source of ours, as a sender report tells of it. */
export interface RtpSender {
  readonly ssrc: number;
  /** Hz of the RTP timestamps. */
  readonly clockRate: number;
  readonly packets: number;
  /** Octets of payload. */
  readonly octets: number;
  timestampAt(now: number): number;
}

/** What we hear of the peer's source, as a report block tells of it. */
export interface RtpReceiver {
  readonly ssrc: number | undefined;
  /** Extended sequence number. */
  readonly highestSequence: number | undefined;
  readonly lost: number;
  /** Milliseconds. */
  readonly jitter: number;
  /** Hz of its RTP timestamps, where they may be another than ours. */
  readonly clockRate?: number;
}

/** Which RTP timestamp a source has at a moment of its own clock, as its last sender report says. */
export interface SenderClock {
  readonly ssrc: number;
  /** Milliseconds of the NTP timestamp: of the same clock for all sources of a peer (RFC 3550 section 6.4.1). */
  readonly time: number;
  readonly rtpTimestamp: number;
}

export interface RtcpSessionOptions {
  readonly cname: string;
  readonly sender: RtpSender;
  readonly receiver: RtpReceiver;
}

/** The reports of one stream, ours and the peer's (RFC 3550 section 6.4). Deterministic: octets and times in and out. */
export class RtcpSession {
  /** Datagrams that are no RTCP. */
  malformed = 0;
  /** Packets of ours that the peer says it has lost. */
  remoteLost = 0;
  /** Milliseconds of jitter of what we send, as the peer measured it. */
  remoteJitter: number | undefined;
  /** Milliseconds there and back, measured by the peer's last report. */
  roundTrip: number | undefined;
  senderClock: SenderClock | undefined;
  readonly #options: RtcpSessionOptions;
  #packetsReported = 0;
  #lostReported = 0;
  #highestReported: number | undefined;
  /** Middle bits of the peer's last sender report, which source it was of, and when it came. */
  #lastSenderReport = 0;
  #lastSenderReportOf = 0;
  #lastSenderReportAt = 0;
  /** A source that said BYE, and the last packet heard of it: nothing is reported until there is another. */
  #left: { readonly ssrc: number; readonly highest: number | undefined } | undefined;

  constructor(options: RtcpSessionOptions) {
    this.#options = options;
  }

  /** The compound packet to send now: a sender report if we sent since the last one, else a receiver report. */
  report(now: number, bye = false): Buffer {
    const { sender, cname } = this.#options;
    const sent = sender.packets > this.#packetsReported;
    this.#packetsReported = sender.packets;
    const block = this.#block(now);
    const report: RtcpReport = {
      ssrc: sender.ssrc,
      cname,
      bye,
      ...(sent ? { sender: this.#senderInfo(now) } : {}),
      ...(block === undefined ? {} : { block }),
    };
    return buildRtcp(report);
  }

  /** @returns the packets of the datagram, none when it is no RTCP */
  receive(bytes: Uint8Array, now: number): readonly RtcpPacket[] {
    const packets = parseRtcp(bytes);
    if (typeof packets === 'string') {
      this.malformed++;
      return [];
    }
    for (const packet of packets) {
      if (packet.type === 'bye') this.#leave(packet.ssrcs);
      if (packet.type !== 'sr' && packet.type !== 'rr') continue;
      if (packet.type === 'sr') {
        this.#lastSenderReportOf = packet.ssrc;
        this.#lastSenderReport = middleBits(packet.sender.ntpSeconds, packet.sender.ntpFraction);
        this.#lastSenderReportAt = now;
        const { ntpSeconds, ntpFraction, rtpTimestamp } = packet.sender;
        this.senderClock = {
          ssrc: packet.ssrc,
          time: ntpSeconds * 1000 + (ntpFraction * 1000) / 2 ** 32,
          rtpTimestamp,
        };
      }
      for (const block of packet.blocks) {
        if (block.ssrc === this.#options.sender.ssrc) this.#heard(block, now);
      }
    }
    return packets;
  }

  /** RFC 3550 section 6.3.4. The call goes on: whether it ends is SIP's to say. */
  #leave(ssrcs: readonly number[]): void {
    const { ssrc, highestSequence: highest } = this.#options.receiver;
    if (ssrc !== undefined && ssrcs.includes(ssrc)) this.#left = { ssrc, highest };
  }

  #heard(block: ReportBlock, now: number): void {
    this.remoteLost = Math.max(0, block.cumulativeLost);
    this.remoteJitter = (block.jitter * 1000) / this.#options.sender.clockRate;
    if (block.lastSenderReport === 0) return;
    const { seconds, fraction } = ntp(now);
    const units = distance32(middleBits(seconds, fraction), block.lastSenderReport + block.delaySinceLastSenderReport);
    this.roundTrip = Math.max(0, (units * 1000) / 65536);
  }

  /** The NTP timestamp counts from an arbitrary moment, which section 4 allows where no wall clock is used. */
  #senderInfo(now: number): SenderInfo {
    const { sender } = this.#options;
    const { seconds, fraction } = ntp(now);
    return {
      ntpSeconds: seconds,
      ntpFraction: fraction,
      rtpTimestamp: sender.timestampAt(now),
      packets: sender.packets % 2 ** 32,
      octets: sender.octets % 2 ** 32,
    };
  }

  #block(now: number): ReportBlock | undefined {
    const { receiver, sender } = this.#options;
    const highest = receiver.highestSequence;
    if (receiver.ssrc === undefined || highest === undefined) return undefined;
    if (this.#left?.ssrc === receiver.ssrc && this.#left.highest === highest) return undefined;
    this.#left = undefined;
    const expected = highest - (this.#highestReported ?? highest);
    const lost = receiver.lost - this.#lostReported;
    this.#highestReported = highest;
    this.#lostReported = receiver.lost;
    const lastSenderReport = this.#lastSenderReportOf === receiver.ssrc ? this.#lastSenderReport : 0;
    const since = lastSenderReport === 0 ? 0 : now - this.#lastSenderReportAt;
    return {
      ssrc: receiver.ssrc,
      fractionLost: expected <= 0 ? 0 : Math.min(255, Math.max(0, Math.floor((lost * 256) / expected))),
      cumulativeLost: Math.min(receiver.lost, 0x7fffff),
      highestSequence: highest,
      jitter: Math.round((receiver.jitter * (receiver.clockRate ?? sender.clockRate)) / 1000),
      lastSenderReport,
      delaySinceLastSenderReport: Math.round((since * 65536) / 1000),
    };
  }
}

function ntp(milliseconds: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: seconds % 2 ** 32, fraction: Math.floor((milliseconds / 1000 - seconds) * 2 ** 32) };
}

function middleBits(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}
