import { rtpHeaderEnd } from '../rtp/rtp.js';
import { distance16 } from '../rtp/serial.js';
import { createTransform } from './create-transform.js';
import type { SuiteName } from './suites.js';
import type { SrtpTransform } from './transform.js';

const maxSrtcpIndex = 2 ** 31 - 1;

/** Protects what we send with one master key. */
export class SrtpSender {
  readonly #transform: SrtpTransform;
  /** The newest index of each of our sources. */
  readonly indices: Map<number, number>;
  /** Of the last report. */
  rtcpIndex: number;

  /** @param before the sender that this one replaces: its indices go on, so that none is used twice with a key that returns */
  constructor(suite: SuiteName, material: Uint8Array, before?: SrtpSender) {
    this.#transform = createTransform(suite, material);
    this.indices = new Map(before?.indices);
    this.rtcpIndex = before?.rtcpIndex ?? 0;
  }

  /** @param packet a valid RTP packet */
  rtp(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(8);
    const sequence = packet.readUInt16BE(2);
    const newest = this.indices.get(ssrc) ?? sequence;
    const index = newest + distance16(sequence, newest);
    this.indices.set(ssrc, Math.max(newest, index));
    return this.#transform.protectRtp(packet, rtpHeaderEnd(packet) ?? packet.length, ssrc, index);
  }

  /** @param packet a valid compound packet */
  rtcp(packet: Buffer): Buffer {
    // At a report a second the indices last for 68 years.
    this.rtcpIndex = Math.min(this.rtcpIndex + 1, maxSrtcpIndex);
    return this.#transform.protectRtcp(packet, packet.readUInt32BE(4), this.rtcpIndex);
  }
}
