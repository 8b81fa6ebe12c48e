/** Milliseconds between two transit times of one stream: what differs by more is a source whose timestamps start anew. */
const discontinuity = 1_000;

/**
 * Interarrival jitter of one source (RFC 3550 section 6.4.1 and appendix A.8), in milliseconds. Where timestamps jump, as
 * when a server joins two legs of a call under one SSRC, the packets before and behind are not compared. Deterministic.
 */
export class InterarrivalJitter {
  /** Hz of the timestamps; 0 before the first of a source. */
  #clockRate = 0;
  /** Ticks that the last packet took, on a scale of any origin that wraps at 32 bits. */
  #transit = 0;
  /** Sixteenths of a tick. */
  #jitter = 0;
  /** Hz of those ticks. */
  #rate = 1_000;

  /** Milliseconds. */
  get value(): number {
    return (this.#jitter / 16) * (1_000 / this.#rate);
  }

  /** The next packet is of another source. */
  restart(): void {
    this.#clockRate = 0;
  }

  /** @param arrival Milliseconds of the clock. */
  arrived(timestamp: number, clockRate: number, arrival: number): void {
    const transit = (Math.round((arrival * clockRate) / 1_000) - timestamp) | 0;
    if (clockRate === this.#clockRate) {
      const difference = Math.abs((transit - this.#transit) | 0);
      if (difference < (discontinuity * clockRate) / 1_000) this.#jitter += difference - ((this.#jitter + 8) >> 4);
    } else if (clockRate !== this.#rate) {
      this.#jitter = Math.round((this.#jitter * clockRate) / this.#rate);
      this.#rate = clockRate;
    }
    this.#clockRate = clockRate;
    this.#transit = transit;
  }
}
