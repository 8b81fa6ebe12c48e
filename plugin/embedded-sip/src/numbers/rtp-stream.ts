import { randomInt } from 'node:crypto';

/** Bytes of an RTP header without CSRCs and extension (RFC 3550 section 5.1). */
export const RTP_HEADER = 12;

/** Numbers and packs the frames of one stream of our own. */
export class RtpStream {
  readonly #ssrc = randomInt(2 ** 32);
  #sequence = randomInt(2 ** 15);
  #timestamp = randomInt(2 ** 32);
  #first = true;

  /** @param ticks how far the next packet's timestamp is from this one's */
  packet(payloadType: number, payload: Uint8Array, ticks: number): Buffer {
    const packet = Buffer.allocUnsafe(RTP_HEADER + payload.length);
    packet[0] = 0x80;
    // The marker opens a talkspurt (RFC 3551 section 4.1).
    packet[1] = (this.#first ? 0x80 : 0) | payloadType;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    packet.set(payload, RTP_HEADER);
    this.#first = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + ticks) >>> 0;
    return packet;
  }
}
