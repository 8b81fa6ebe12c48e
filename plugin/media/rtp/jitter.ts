import { distance32 } from './serial.js';

/** Milliseconds between two transit times of one stream: what differs by more is a source whose timestamps start anew. */
const discontinuity = 1_000;

/**
 * Interarrival jitter of one source (RFC 3550 section 6.4.1 and appendix A.8), in milliseconds. Where timestamps jump, as
 * when a server joins two legs of a call under one SSRC, the packets before and behind are not compared. Deterministic.
 */
export class InterarrivalJitter {
  value = 0;
  #clockRate = 0;
  #timestamp = 0;
  #arrival = 0;

  /** The next packet is of another source. */
  restart(): void {
    this.#clockRate = 0;
  }

  /** @param arrival Milliseconds of the clock. */
  arrived(timestamp: number, clockRate: number, arrival: number): void {
    if (clockRate === this.#clockRate) {
      const sent = (distance32(timestamp, this.#timestamp) * 1000) / clockRate;
      const difference = Math.abs(arrival - this.#arrival - sent);
      if (difference < discontinuity) this.value += (difference - this.value) / 16;
    }
    this.#clockRate = clockRate;
    this.#timestamp = timestamp;
    this.#arrival = arrival;
  }
}
