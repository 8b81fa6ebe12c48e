import type { RtpPacket } from '../rtp/rtp.js';
import { PictureReader } from './depacketizer.js';
import { nalType, typeOf } from './nal.js';
import { fuA, stapA } from './packetizer.js';

export interface Picture {
  readonly nals: readonly Uint8Array[];
  /** RTP timestamp. */
  readonly timestamp: number;
  /** Milliseconds of the clock at which its last packet arrived. */
  readonly arrival: number;
}

export interface PictureTaker {
  whole(picture: Picture): void;
  /** A picture, or several, are missing or not whole. */
  broken(): void;
}

interface OpenPicture {
  readonly reader: PictureReader;
  readonly timestamp: number;
  broken: boolean;
  arrival: number;
}

/**
 * Puts the packets of one source, which come in order and may have gaps, together to pictures: those of one timestamp, up
 * to the marker (RFC 6184 section 5.1).
 */
export class PictureAssembler {
  /** Payloads that break a rule or a limit, fragments without end among them. */
  malformed = 0;
  readonly #taker: PictureTaker;
  #open: OpenPicture | undefined;
  #sequence: number | undefined;

  constructor(taker: PictureTaker) {
    this.#taker = taker;
  }

  push(packet: RtpPacket, arrival: number): void {
    const gap = this.#sequence !== undefined && packet.sequence !== ((this.#sequence + 1) & 0xffff);
    this.#sequence = packet.sequence;
    const payload = packet.bytes.subarray(packet.start, packet.end);
    const begins = beginsPicture(payload);
    if (gap && this.#open !== undefined) this.#open.broken = true;
    // Whole pictures are missing; where the first packets of this one are too, it says so itself.
    else if (gap && begins) this.#taker.broken();
    if (this.#open !== undefined && this.#open.timestamp !== packet.timestamp) this.#finish();
    this.#open ??= { reader: new PictureReader(), timestamp: packet.timestamp, broken: gap && !begins, arrival };
    const open = this.#open;
    open.arrival = arrival;
    open.reader.push(payload);
    if (packet.marker) this.#finish();
  }

  /** What comes next is from another source. */
  reset(): void {
    this.#open = undefined;
    this.#sequence = undefined;
  }

  #finish(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { reader, timestamp, arrival } = open;
    if (!reader.whole) this.malformed += Math.max(1, reader.malformed);
    if (open.broken || !reader.whole) this.#taker.broken();
    else this.#taker.whole({ nals: reader.nals, timestamp, arrival });
  }
}

/** What comes before slices in a picture (ITU-T H.264 section 7.4.1.2.3). */
const leading: readonly number[] = [nalType.delimiter, nalType.sps, nalType.pps, nalType.sei];

/** Whether a payload is the first one of a picture: it leads, or holds the slice with the first macroblock. */
function beginsPicture(payload: Uint8Array): boolean {
  const type = typeOf(payload);
  if (type === stapA) return beginsPicture(payload.subarray(3));
  const header = payload[1] ?? 0;
  if (type === fuA) return (header & 0x80) !== 0 && beginsSlices(header & 0x1f, payload[2]);
  return leading.includes(type) || beginsSlices(type, header);
}

/** first_mb_in_slice is 0 when its first bit is 1 (section 7.3.3). */
function beginsSlices(type: number, first = 0): boolean {
  return type >= nalType.slice && type <= nalType.idr && first >= 0x80;
}
