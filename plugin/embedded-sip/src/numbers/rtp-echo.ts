import { randomInt } from 'node:crypto';
import { RTP_HEADER } from './rtp-stream.js';

/*
 * RFC 3550 section 5.1
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *  |                           timestamp                           |
 *  |                             SSRC                              |
 */
/** Turns each RTP packet into one of a stream of our own: same payload, marker and type, same spacing of timestamps. */
export class RtpEcho {
  readonly #ssrc = randomInt(2 ** 32);
  readonly #timestampOffset = randomInt(2 ** 32);
  #sequenceOffset: number | undefined;

  /** The packet to send back; undefined for anything that is not RTP. */
  echo(packet: Buffer): Buffer | undefined {
    const payload = payloadOf(packet);
    if (!payload) return undefined;
    // The offset is constant, so that loss and reordering on the way here stay visible there.
    this.#sequenceOffset ??= randomInt(2 ** 15) - packet.readUInt16BE(2);
    const back = Buffer.allocUnsafe(RTP_HEADER + payload.length);
    back[0] = 0x80;
    back[1] = packet[1] ?? 0;
    back.writeUInt16BE((packet.readUInt16BE(2) + this.#sequenceOffset) & 0xffff, 2);
    back.writeUInt32BE((packet.readUInt32BE(4) + this.#timestampOffset) >>> 0, 4);
    back.writeUInt32BE(this.#ssrc, 8);
    payload.copy(back, RTP_HEADER);
    return back;
  }
}

function payloadOf(packet: Buffer): Buffer | undefined {
  const first = packet[0] ?? 0;
  if (packet.length < RTP_HEADER || first >> 6 !== 2) return undefined;
  // RFC 5761 section 4: these second bytes are RTCP sent to the wrong port.
  const second = packet[1] ?? 0;
  if (second >= 192 && second <= 223) return undefined;
  let start = RTP_HEADER + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.length < start + 4) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  const padding = first & 0x20 ? (packet[packet.length - 1] ?? 0) : 0;
  const end = packet.length - padding;
  return end >= start ? packet.subarray(start, end) : undefined;
}
