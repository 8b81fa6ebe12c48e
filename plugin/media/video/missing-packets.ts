import { distance16 } from '../rtp/serial.js';

/** More than so many packets in a row are not asked for: a key frame is less. */
const maxGap = 64;
const maxMissing = 128;

/** Milliseconds that a packet may come late by itself before it is asked for. */
const patience = 5;

/** How often one packet is asked for. */
const maxRequests = 5;

interface Missing {
  readonly since: number;
  requests: number;
  requestedAt: number;
}

/** The packets of one source that have not come, and when to ask for them (again). */
export class MissingPackets {
  readonly #missing = new Map<number, Missing>();
  /** Milliseconds after which a packet is of no more use. */
  readonly #useful: number;
  #highest: number | undefined;

  constructor(useful: number) {
    this.#useful = useful;
  }

  reset(): void {
    this.#missing.clear();
    this.#highest = undefined;
  }

  received(sequence: number, now: number): void {
    const highest = this.#highest;
    const ahead = highest === undefined ? 1 : distance16(sequence, highest);
    if (ahead <= 0) {
      this.#missing.delete(sequence);
      return;
    }
    this.#highest = sequence;
    if (ahead > maxGap || this.#missing.size + ahead > maxMissing) {
      this.#missing.clear();
      return;
    }
    for (let back = ahead - 1; back > 0; back--) {
      this.#missing.set((sequence - back) & 0xffff, { since: now, requests: 0, requestedAt: now });
    }
  }

  /**
   * The packets to ask for now, in rising order.
   *
   * @param roundTrip Milliseconds there and back, as far as known.
   */
  due(now: number, roundTrip = 50): number[] {
    if (this.#missing.size === 0) return [];
    const due: number[] = [];
    const interval = Math.max(20, roundTrip * 1.5);
    for (const [sequence, missing] of this.#missing) {
      if (now - missing.since > this.#useful || missing.requests === maxRequests) {
        this.#missing.delete(sequence);
      } else if (now - missing.requestedAt >= (missing.requests === 0 ? patience : interval)) {
        missing.requests++;
        missing.requestedAt = now;
        due.push(sequence);
      }
    }
    return due;
  }
}
