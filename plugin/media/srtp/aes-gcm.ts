import { createCipheriv, createDecipheriv } from 'node:crypto';
import { initialisationVector } from './initialisation-vector.js';
import type { SessionKeys } from './key-derivation.js';
import { encryptedFlag, rtcpHeaderLength, type SrtpTransform, srtcpIndexLength } from './transform.js';

const cipher = 'aes-128-gcm';
const authTagLength = 16;

/**
 * AES in Galois/counter mode (RFC 7714):
 *
 *     SRTP   header | encrypted payload and tag
 *     SRTCP  header, SSRC | encrypted rest and tag | E flag and index
 *
 * What is not encrypted is authenticated with it.
 */
export class AesGcm implements SrtpTransform {
  readonly rtpOverhead = authTagLength;
  readonly rtcpOverhead = authTagLength + srtcpIndexLength;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;

  constructor(rtp: SessionKeys, rtcp: SessionKeys) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  protectRtp(packet: Uint8Array, start: number, ssrc: number, index: number): Buffer {
    const vector = initialisationVector(this.#rtp.salt, ssrc, index);
    return seal(this.#rtp.key, vector, packet.subarray(0, start), packet.subarray(start), noOctets);
  }

  unprotectRtp(packet: Buffer, start: number, ssrc: number, index: number): Buffer | undefined {
    const vector = initialisationVector(this.#rtp.salt, ssrc, index);
    return open(this.#rtp.key, vector, packet.subarray(0, start), packet, noOctets);
  }

  protectRtcp(packet: Uint8Array, ssrc: number, index: number): Buffer {
    const trailer = Buffer.alloc(srtcpIndexLength);
    trailer.writeUInt32BE((index | encryptedFlag) >>> 0, 0);
    const vector = initialisationVector(this.#rtcp.salt, ssrc, index);
    const header = packet.subarray(0, rtcpHeaderLength);
    return seal(this.#rtcp.key, vector, header, packet.subarray(rtcpHeaderLength), trailer);
  }

  srtcpIndex(packet: Buffer): number {
    return packet.readUInt32BE(packet.length - srtcpIndexLength);
  }

  unprotectRtcp(packet: Buffer, ssrc: number): Buffer | undefined {
    const vector = initialisationVector(this.#rtcp.salt, ssrc, this.srtcpIndex(packet) % encryptedFlag);
    const trailer = packet.subarray(packet.length - srtcpIndexLength);
    return open(this.#rtcp.key, vector, packet.subarray(0, rtcpHeaderLength), packet, trailer);
  }
}

const noOctets = Buffer.alloc(0);

/** header | encrypted text and tag | trailer */
function seal(key: Buffer, vector: Buffer, header: Uint8Array, text: Uint8Array, trailer: Buffer): Buffer {
  const sealing = createCipheriv(cipher, key, vector, { authTagLength });
  sealing.setAAD(trailer.length === 0 ? header : Buffer.concat([header, trailer]));
  const encrypted = sealing.update(text);
  sealing.final();
  return Buffer.concat([header, encrypted, sealing.getAuthTag(), trailer]);
}

function open(key: Buffer, vector: Buffer, header: Buffer, packet: Buffer, trailer: Buffer): Buffer | undefined {
  const end = packet.length - trailer.length - authTagLength;
  const opening = createDecipheriv(cipher, key, vector, { authTagLength });
  opening.setAAD(trailer.length === 0 ? header : Buffer.concat([header, trailer]));
  opening.setAuthTag(packet.subarray(end, end + authTagLength));
  const text = opening.update(packet.subarray(header.length, end));
  try {
    opening.final();
  } catch {
    return undefined;
  }
  text.copy(packet, header.length);
  return packet.subarray(0, end);
}
