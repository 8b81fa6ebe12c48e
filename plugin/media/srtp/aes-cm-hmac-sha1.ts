import { createHmac } from 'node:crypto';
import { CounterMode } from './counter-mode.js';
import type { SessionKeys } from './key-derivation.js';
import { encryptedFlag, rtcpHeaderLength, type SrtpTransform, srtcpIndexLength } from './transform.js';

/** Rollover counters fill the upper 32 of the 48 bits of an index. */
const sequences = 2 ** 16;

interface TagLengths {
  readonly tagLength: number;
  readonly rtcpTagLength: number;
}

/**
 * AES in counter mode and HMAC-SHA1 (RFC 3711 section 4):
 *
 *     SRTP   header | encrypted payload | tag over all before it and the rollover counter
 *     SRTCP  header, SSRC | encrypted rest | E flag and index | tag over all before it
 */
export class AesCmHmacSha1 implements SrtpTransform {
  readonly rtpOverhead: number;
  readonly rtcpOverhead: number;
  readonly #rtp: CounterMode;
  readonly #rtcp: CounterMode;
  readonly #rtpKey: Buffer;
  readonly #rtcpKey: Buffer;
  readonly #rollover = Buffer.alloc(4);

  constructor(rtp: SessionKeys, rtcp: SessionKeys, { tagLength, rtcpTagLength }: TagLengths) {
    this.#rtp = new CounterMode(rtp);
    this.#rtcp = new CounterMode(rtcp);
    this.#rtpKey = rtp.authentication;
    this.#rtcpKey = rtcp.authentication;
    this.rtpOverhead = tagLength;
    this.rtcpOverhead = srtcpIndexLength + rtcpTagLength;
  }

  protectRtp(packet: Uint8Array, start: number, ssrc: number, index: number): Buffer {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.rtpOverhead);
    sealed.set(packet);
    this.#rtp.apply(sealed, start, length, ssrc, index);
    this.#rtpTag(sealed.subarray(0, length), index).copy(sealed, length, 0, this.rtpOverhead);
    return sealed;
  }

  unprotectRtp(packet: Buffer, start: number, ssrc: number, index: number): Buffer | undefined {
    const body = packet.subarray(0, packet.length - this.rtpOverhead);
    if (!isTag(this.#rtpTag(body, index), packet, body.length)) return undefined;
    this.#rtp.apply(body, start, body.length, ssrc, index);
    return body;
  }

  protectRtcp(packet: Uint8Array, ssrc: number, index: number): Buffer {
    const { length } = packet;
    const sealed = Buffer.allocUnsafe(length + this.rtcpOverhead);
    sealed.set(packet);
    this.#rtcp.apply(sealed, rtcpHeaderLength, length, ssrc, index);
    const end = sealed.writeUInt32BE((index | encryptedFlag) >>> 0, length);
    this.#rtcpTag(sealed.subarray(0, end)).copy(sealed, end);
    return sealed;
  }

  srtcpIndex(packet: Buffer): number {
    return packet.readUInt32BE(packet.length - this.rtcpOverhead);
  }

  unprotectRtcp(packet: Buffer, ssrc: number): Buffer | undefined {
    const body = packet.subarray(0, packet.length - this.rtcpOverhead);
    const end = body.length + srtcpIndexLength;
    if (!isTag(this.#rtcpTag(packet.subarray(0, end)), packet, end)) return undefined;
    this.#rtcp.apply(body, rtcpHeaderLength, body.length, ssrc, this.srtcpIndex(packet) % encryptedFlag);
    return body;
  }

  #rtpTag(body: Buffer, index: number): Buffer {
    this.#rollover.writeUInt32BE(Math.floor(index / sequences), 0);
    return createHmac('sha1', this.#rtpKey).update(body).update(this.#rollover).digest();
  }

  #rtcpTag(body: Buffer): Buffer {
    const { rtcpOverhead } = this;
    return createHmac('sha1', this.#rtcpKey)
      .update(body)
      .digest()
      .subarray(0, rtcpOverhead - srtcpIndexLength);
  }
}

/** Compares what of a tag is sent, in a time that does not tell where the two differ. */
function isTag(tag: Buffer, packet: Buffer, at: number): boolean {
  let difference = 0;
  for (let index = at; index < packet.length; index++) difference |= (packet[index] ?? 0) ^ (tag[index - at] ?? 0);
  return difference === 0;
}
