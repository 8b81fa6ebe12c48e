import { isPort, type MediaTarget } from './media-target.js';

/** Where a datagram came from. */
interface Source {
  readonly address: string;
  readonly port: number;
}

/**
 * Where the far end is: first what its answer says, then, from its first valid packet on, where that came from
 * (symmetric RTP, RFC 4961: behind NAT the two differ). That latches once; whoever sends later from elsewhere is a
 * stranger.
 */
export class RemoteParty {
  /** What the answer says. */
  readonly target: MediaTarget;
  address: string | undefined;
  port: number;
  /** 0 if there is none. */
  rtcpPort: number;
  latched = false;

  constructor(target: MediaTarget) {
    this.target = target;
    this.port = target.port;
    this.rtcpPort = target.rtcpPort;
  }

  /** The target's name resolves to this address. */
  resolved(address: string): void {
    if (!this.latched) this.address = address;
  }

  /** Takes the source of the first valid packet for the far end. Whether it is another than was known. */
  latch({ address, port }: Source): boolean {
    const moved = address !== this.address || port !== this.port;
    if (moved) this.rtcpPort = isPort(port + 1) ? port + 1 : 0;
    this.address = address;
    this.port = port;
    this.latched = true;
    return moved;
  }

  isStranger({ address, port }: Source): boolean {
    return this.latched && (port !== this.port || address !== this.address);
  }

  /** Whether another answer means the same place, so that what was latched stays true. */
  isAt(target: MediaTarget): boolean {
    const { host, port, rtcpPort } = this.target;
    return target.host === host && target.port === port && target.rtcpPort === rtcpPort;
  }
}
