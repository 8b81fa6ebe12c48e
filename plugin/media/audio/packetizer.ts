import { distance32 } from '../rtp/serial.js';

/** Milliseconds by which timestamps may be ahead of the audio before that is a gap; less is jitter. */
const gapThreshold = 40;
/** Milliseconds by which they may be behind it before the source counts anew. */
const restartThreshold = 1_000;

/** The data are overwritten when it returns. */
export type TakePacket<T = Uint8Array> = (data: T, timestamp: number) => void;

/**
 * Cuts the audio of one source, which comes in pieces of any length, into packets of one length. Their timestamps follow
 * from the number of samples. Deterministic.
 */
export class Packetizer<T extends Uint8Array | Int16Array> {
  readonly #duration: number;
  readonly #rate: number;
  readonly #pending: T;
  #filled = 0;
  /** Timestamp of the first pending sample; undefined before the first piece. */
  #start: number | undefined;

  /**
   * @param duration Milliseconds of a packet.
   * @param pending Takes what is not a packet yet: as long as one.
   */
  constructor(duration: number, pending: T) {
    this.#duration = duration;
    this.#rate = pending.length / duration;
    this.#pending = pending;
  }

  /** Milliseconds that are missing before audio of this timestamp: 0 where the difference may be jitter. */
  gapBefore(timestamp: number): number {
    if (this.#start === undefined) return 0;
    const ahead = distance32(timestamp, this.#end(this.#start));
    return ahead > gapThreshold ? ahead : 0;
  }

  /** @param timestamp Milliseconds of the first sample, modulo 2^32. */
  write(samples: T, timestamp: number, take: TakePacket<T>): void {
    this.#align(timestamp);
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#pending.length - this.#filled);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#pending.length) break;
      this.#filled = 0;
      const start = this.#start ?? timestamp;
      this.#start = (start + this.#duration) % 2 ** 32;
      take(this.#pending, start);
    }
  }

  /** What was begun before a gap is left out: less than one packet. */
  #align(timestamp: number): void {
    if (this.#start !== undefined) {
      const ahead = distance32(timestamp, this.#end(this.#start));
      if (ahead <= gapThreshold && ahead >= -restartThreshold) return;
    }
    this.#start = timestamp;
    this.#filled = 0;
  }

  #end(start: number): number {
    return start + Math.floor(this.#filled / this.#rate);
  }
}

/** For G.711, octet by octet. */
export function g711Packetizer(duration: number): Packetizer<Uint8Array> {
  return new Packetizer(duration, new Uint8Array(duration * 8));
}
