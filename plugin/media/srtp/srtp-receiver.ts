import { rtpHeaderEnd } from '../rtp/rtp.js';
import { distance16 } from '../rtp/serial.js';
import { createTransform } from './create-transform.js';
import { ReplayWindow } from './replay-window.js';
import type { SuiteName } from './suites.js';
import { encryptedFlag, rtcpHeaderLength, type SrtpTransform } from './transform.js';

export type SrtpFault =
  | 'too-short' // fewer octets than header and tag have
  | 'replayed' // taken already, or too old to tell
  | 'forged' // not made with the key, or changed on the way
  | 'too-many-sources'; // more sources than one far end has

/** Sources that one key may have in a call: each costs memory for as long as the key is used. */
const maxSources = 256;

const sequences = 2 ** 16;

/** Opens what the far end sends with one master key. A packet counts only once it has proved to be made with the key. */
export class SrtpReceiver {
  readonly #transform: SrtpTransform;
  readonly #rtp = new Map<number, ReplayWindow>();
  readonly #rtcp = new Map<number, ReplayWindow>();
  /** The newest index of each source of the receiver before. */
  readonly #before: ReadonlyMap<number, number>;

  /** @param before the receiver that this one replaces: rollover counters go on (RFC 3711 section 3.3.1) */
  constructor(suite: SuiteName, material: Uint8Array, before?: SrtpReceiver) {
    this.#transform = createTransform(suite, material);
    this.#before = new Map(before?.newest());
  }

  /** The newest index of each source. */
  newest(): readonly (readonly [ssrc: number, index: number])[] {
    return [...this.#rtp].map(([ssrc, { highest }]) => [ssrc, highest]);
  }

  /** The RTP packet in a datagram, deciphered in place. */
  rtp(packet: Buffer): Buffer | SrtpFault {
    const start = rtpHeaderEnd(packet);
    if (start === undefined || packet.length < start + this.#transform.rtpOverhead) return 'too-short';
    const ssrc = packet.readUInt32BE(8);
    const window = this.#rtp.get(ssrc);
    if (window === undefined) return this.#firstRtp(packet, start, ssrc);
    const index = window.highest + distance16(packet.readUInt16BE(2), window.highest);
    if (index < 0 || window.has(index)) return 'replayed';
    const opened = this.#transform.unprotectRtp(packet, start, ssrc, index);
    if (opened === undefined) return 'forged';
    window.add(index);
    return opened;
  }

  /** Of a new source the rollover counter is 0, or, after a change of keys, what it was; not all senders agree which. */
  #firstRtp(packet: Buffer, start: number, ssrc: number): Buffer | SrtpFault {
    if (this.#rtp.size >= maxSources) return 'too-many-sources';
    const sequence = packet.readUInt16BE(2);
    const before = this.#before.get(ssrc) ?? sequence;
    const continued = Math.max(sequence, before + distance16(sequence, before));
    for (const index of continued < sequences ? [sequence] : [continued, sequence]) {
      const opened = this.#transform.unprotectRtp(packet, start, ssrc, index);
      if (opened === undefined) continue;
      this.#rtp.set(ssrc, new ReplayWindow(index));
      return opened;
    }
    return 'forged';
  }

  /** The RTCP packet in a datagram, deciphered in place. */
  rtcp(packet: Buffer): Buffer | SrtpFault {
    if (packet.length < rtcpHeaderLength + this.#transform.rtcpOverhead) return 'too-short';
    const ssrc = packet.readUInt32BE(4);
    const flagged = this.#transform.srtcpIndex(packet);
    // That reports go unencrypted was not agreed on.
    if (flagged < encryptedFlag) return 'forged';
    const index = flagged - encryptedFlag;
    const window = this.#rtcp.get(ssrc);
    if (window === undefined && this.#rtcp.size >= maxSources) return 'too-many-sources';
    if (window?.has(index)) return 'replayed';
    const opened = this.#transform.unprotectRtcp(packet, ssrc);
    if (opened === undefined) return 'forged';
    if (window === undefined) this.#rtcp.set(ssrc, new ReplayWindow(index));
    else window.add(index);
    return opened;
  }
}
