import { expect } from 'vitest';
import type { PacketSink } from '../../../plugin/media/audio/audio-sender.js';
import { parseRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';

/** Where packets go, as somebody reads them who gets them. */
export class SentPackets implements PacketSink {
  readonly all: RtpPacket[] = [];

  sendRtp(bytes: Buffer): void {
    const packet = parseRtp(bytes);
    this.all.push(typeof packet === 'string' ? expect.fail(packet) : packet);
  }
}
