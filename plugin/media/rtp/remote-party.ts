import { isPort, type MediaTarget } from './media-target.js';

/** Where a datagram came from. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

interface Candidate extends Source {
  readonly since: number;
  last: number;
}

/**
 * Milliseconds that somebody who sends from elsewhere than the answer says has to go on alone before we send there: ten
 * packets, in which a far end that is where it says will have sent its first. Silent for as long, he makes way for another.
 */
export const patience = 200;

/** Where the far end was before, whose last packets may still be on their way until a moment of the clock. */
export interface FormerPlace extends Source {
  readonly until: number;
}

/**
 * Where the far end is. What its answer says holds until packets come from elsewhere, and from nowhere else, for a while:
 * then, behind NAT, that is where it is (symmetric RTP, RFC 4961). Whoever sends later from a third place is a stranger.
 * The place that the answer says takes precedence whenever it is heard, and once it was heard nobody else is: who is
 * only faster than the far end does not get its calls.
 */
export class RemoteParty {
  /** What the answer says. */
  readonly target: MediaTarget;
  /** Where to send; undefined as long as there is nowhere. */
  address: string | undefined;
  port: number;
  /** 0 if there is none. */
  rtcpPort: number;
  /** The port and the address of the target. */
  readonly #port: number;
  #signalled: string | undefined;
  /** The target itself was heard. */
  #settled = false;
  #candidate: Candidate | undefined;
  #moved = false;
  readonly #former: FormerPlace | undefined;

  constructor(target: MediaTarget, former?: FormerPlace) {
    this.target = target;
    this.#former = former;
    this.port = target.port;
    this.#port = target.port;
    this.rtcpPort = target.rtcpPort;
  }

  /** Whether RTCP goes with RTP (RFC 5761). */
  get muxed(): boolean {
    return this.rtcpPort === this.port;
  }

  /** It is where its answer says, and nobody else is heard any more. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Where valid packets came from. */
  get place(): Source | undefined {
    const { address, port } = this;
    return this.#settled && address !== undefined ? { address, port } : this.#candidate;
  }

  /** The target's name resolves to this address. */
  resolved(address: string): void {
    this.#signalled = address;
    if (!this.#moved) this.address = address;
  }

  /** Whether a datagram from there is to be looked at. */
  admits(source: Source, now: number): boolean {
    if (this.#isTarget(source)) return true;
    if (this.#settled || this.#isStraggler(source, now)) return false;
    const candidate = this.#candidate;
    return candidate === undefined || isSame(candidate, source) || (!this.#moved && now - candidate.last > patience);
  }

  /** Whether a valid packet came from there before. */
  knows(source: Source): boolean {
    return this.#settled || (this.#candidate !== undefined && isSame(this.#candidate, source));
  }

  /** A valid packet came from there, which was admitted. Returns whether we send elsewhere from now on. */
  heard(source: Source, now: number): boolean {
    if (this.#settled) return false;
    if (this.#isTarget(source)) {
      this.#settled = true;
      if (!this.#moved) return false;
      this.#send(source, this.target.rtcpPort);
      return true;
    }
    if (this.#candidate === undefined || !isSame(this.#candidate, source)) {
      this.#candidate = { address: source.address, port: source.port, since: now, last: now };
    }
    const candidate = this.#candidate;
    candidate.last = now;
    if (this.#moved) return false;
    // Where the target has no address there is nobody to wait for.
    if (this.#signalled !== undefined && now - candidate.since < patience) return false;
    this.#moved = true;
    const { port, rtcpPort } = this.target;
    const next = isPort(source.port + 1) ? source.port + 1 : 0;
    this.#send(source, port === rtcpPort ? source.port : next);
    return true;
  }

  /** Whether RTCP from there, on a port of its own, is to be looked at: only the address is known for sure. */
  admitsRtcp({ address }: Source): boolean {
    return address === this.address || address === this.#signalled;
  }

  /** RTCP came from there. Behind NAT its port is another than any rule says. */
  heardRtcp({ address, port }: Source): void {
    if (this.#moved && !this.muxed && address === this.address) this.rtcpPort = port;
  }

  /** Whether another answer means the same place, so that what was learnt stays true. */
  isAt(target: MediaTarget): boolean {
    const { host, port, rtcpPort } = this.target;
    return target.host === host && target.port === port && target.rtcpPort === rtcpPort;
  }

  #isTarget({ address, port }: Source): boolean {
    return port === this.#port && address === this.#signalled;
  }

  #isStraggler(source: Source, now: number): boolean {
    return this.#former !== undefined && now < this.#former.until && isSame(this.#former, source);
  }

  #send({ address, port }: Source, rtcpPort: number): void {
    this.address = address;
    this.port = port;
    this.rtcpPort = rtcpPort;
  }
}

const isSame = (a: Source, b: Source): boolean => a.port === b.port && a.address === b.address;
