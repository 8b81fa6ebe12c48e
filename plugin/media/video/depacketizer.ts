import { maxNals } from './flv-avc.js';
import { fuA, stapA } from './packetizer.js';

/** Octets of one picture: 720p key frames have about 100,000. */
const maxPicture = 1024 * 1024;

/**
 * The NAL units in the RTP payloads of one picture (RFC 6184 section 5.6 to 5.8), which come in order. Single NAL units,
 * STAP-A and FU-A; the packets of the interleaved mode are refused.
 */
export class PictureReader {
  readonly nals: Uint8Array[] = [];
  /** Payloads that break a rule or a limit: the picture is not whole. */
  malformed = 0;
  #length = 0;
  /** The parts of a fragmented NAL unit. */
  #fragments: Uint8Array[] = [];

  /** Whether nothing is open, wrong or missing as far as can be seen from within. */
  get whole(): boolean {
    return this.malformed === 0 && this.#fragments.length === 0;
  }

  /** Takes a payload; NAL units are parts of it, not copies. */
  push(payload: Uint8Array): void {
    const [first, header = 0] = payload;
    // Nothing but padding: some senders probe the path with it.
    if (first === undefined) return;
    const type = first & 0x1f;
    if (type === fuA) {
      this.#takeFragment(payload, (first & 0xe0) | (header & 0x1f), header);
      return;
    }
    // Another packet before the last fragment: it never comes.
    if (this.#fragments.length > 0) this.#refuse();
    if (type === stapA) this.#takeAggregate(payload);
    else if (type === 0 || type > stapA) this.#refuse();
    else this.#take(payload);
  }

  #takeAggregate(payload: Uint8Array): void {
    let at = 1;
    while (at + 2 < payload.length) {
      const length = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
      at += 2;
      if (length === 0 || at + length > payload.length) break;
      this.#take(payload.subarray(at, at + length));
      at += length;
    }
    if (at !== payload.length || at === 1) this.malformed++;
  }

  #takeFragment(payload: Uint8Array, firstOctet: number, header: number): void {
    const [start, end] = [(header & 0x80) !== 0, (header & 0x40) !== 0];
    // A start within another, a start that is the end as well, a middle without start, or nothing in it.
    if (start === this.#fragments.length > 0 || (start && end) || payload.length < 3) {
      this.#refuse();
      return;
    }
    if (start) this.#fragments.push(Uint8Array.of(firstOctet));
    this.#fragments.push(payload.subarray(2));
    this.#length += payload.length;
    if (this.#length > maxPicture) {
      this.#refuse();
    } else if (end) {
      const nal = Buffer.concat(this.#fragments);
      this.#fragments = [];
      this.#length -= nal.length;
      this.#take(nal);
    }
  }

  #take(nal: Uint8Array): void {
    this.#length += nal.length;
    if (this.#length > maxPicture || this.nals.length === maxNals) this.malformed++;
    else this.nals.push(nal);
  }

  #refuse(): void {
    this.malformed++;
    this.#fragments = [];
  }
}
