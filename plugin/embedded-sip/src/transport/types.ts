export type Protocol = 'udp' | 'tcp';

/** Where a message came from, and on which of our addresses. */
export interface Flow {
  readonly protocol: Protocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** Where a message goes. Over TCP a connection with that peer is reused, else one is opened. */
export interface Target {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

export interface TransportEvents {
  onMessage(text: string, flow: Flow): void;
  /** A datagram was refused by the destination (ICMP), or a connection could not be made or broke. */
  onUnreachable(target: Target): void;
}

export function targetKey(target: Target): string {
  return `${target.protocol}|${target.address}|${target.port}`;
}
