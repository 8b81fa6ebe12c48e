/** Marks an SRTCP index whose packet is encrypted (RFC 3711 section 3.4). */
export const encryptedFlag = 0x8000_0000;

/** Octets of the SRTCP index with its flag. */
export const srtcpIndexLength = 4;

/** What of an RTCP packet is never encrypted: its first header and SSRC. */
export const rtcpHeaderLength = 8;

/** How packets of one direction are protected with the keys of one suite. It keeps no state between packets. */
export interface SrtpTransform {
  /** Octets that protection adds to an RTP packet. */
  readonly rtpOverhead: number;
  /** Octets that protection adds to an RTCP packet, the index among them. */
  readonly rtcpOverhead: number;
  /**
   * @param start where the payload begins
   * @param index rollover counter and sequence number, 48 bits
   */
  protectRtp(packet: Uint8Array, start: number, ssrc: number, index: number): Buffer;
  /** The packet without protection, deciphered in place; undefined when it was not made with these keys. */
  unprotectRtp(packet: Buffer, start: number, ssrc: number, index: number): Buffer | undefined;
  /** @param index 31 bits */
  protectRtcp(packet: Uint8Array, ssrc: number, index: number): Buffer;
  /** The index that a protected packet says it has, with its flag. */
  srtcpIndex(packet: Buffer): number;
  /** As for RTP, by the index that the packet says it has. */
  unprotectRtcp(packet: Buffer, ssrc: number): Buffer | undefined;
}
