/** A range of UDP ports, both ends included. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

export interface RtpPortsOptions {
  readonly range: PortRange;
  /** Milliseconds that a port rests after use, so that a late packet of one call never reaches the next. Default 2000. */
  readonly rest?: number;
  readonly now: () => number;
  /** 0 to below 1; decides where in the range to begin. */
  readonly random?: () => number;
}

/**
 * The pairs of an even port for RTP and the odd one above it for RTCP (RFC 3550 section 11) that calls take turns with:
 * from a random one on upwards, so that a port is used again as late as possible.
 */
export class RtpPorts {
  readonly #first: number;
  readonly #pairs: number;
  readonly #rest: number;
  readonly #now: () => number;
  readonly #taken = new Set<number>();
  readonly #restingUntil = new Map<number, number>();
  #next: number;

  /** @throws RangeError when the range does not hold one pair. */
  constructor({ range, rest = 2000, now, random = Math.random }: RtpPortsOptions) {
    this.#first = range.min + (range.min % 2);
    this.#pairs = Math.floor((range.max + 1 - this.#first) / 2);
    if (this.#pairs < 1)
      throw new RangeError(`RTP ports ${range.min}-${range.max} hold no pair of an even and an odd port`);
    this.#rest = rest;
    this.#now = now;
    this.#next = Math.floor(random() * this.#pairs);
  }

  /** Pairs in the range. */
  get size(): number {
    return this.#pairs;
  }

  /** The even port of a free pair, or undefined when all are in use or resting. */
  take(): number | undefined {
    const now = this.#now();
    for (let tried = 0; tried < this.#pairs; tried++) {
      const port = this.#first + this.#next * 2;
      this.#next = (this.#next + 1) % this.#pairs;
      if (this.#taken.has(port) || (this.#restingUntil.get(port) ?? now) > now) continue;
      this.#taken.add(port);
      return port;
    }
    return undefined;
  }

  /** Gives a pair back; it rests before it is taken again. */
  give(port: number): void {
    if (this.#taken.delete(port)) this.#restingUntil.set(port, this.#now() + this.#rest);
  }
}
