import type { Clock } from '../clock.js';
import { ListenError } from '../errors.js';
import type { SipLogger } from '../log.js';
import type { EmbeddedSipLimits } from '../options.js';
import { TcpTransport } from './tcp.js';
import type { Flow, Target, TransportEvents } from './types.js';
import { UdpTransport } from './udp.js';

/** How often a free port for UDP turns out to be taken for TCP before the search is given up. */
const PORT_ATTEMPTS = 20;

interface TransportParts {
  readonly limits: EmbeddedSipLimits;
  readonly clock: Clock;
  readonly log: SipLogger;
}

/** What the layers above need of a transport; tests put one in that loses messages. */
export interface MessageTransport {
  send(text: string, target: Target): void;
  /** Whether a TCP connection with that peer is open. */
  hasConnection(address: string, port: number): boolean;
}

/** UDP and TCP on the same address and port. */
export class Transport implements MessageTransport {
  readonly host: string;
  readonly port: number;
  readonly #udp: UdpTransport;
  readonly #tcp: TcpTransport;

  private constructor(host: string, udp: UdpTransport, tcp: TcpTransport) {
    this.host = host;
    this.port = udp.port;
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /** @throws ListenError */
  static async bind(host: string, port: number, events: TransportEvents, parts: TransportParts): Promise<Transport> {
    for (let attempt = 1; ; attempt++) {
      const tcp = await TcpTransport.bind(host, port, events, parts);
      try {
        return new Transport(host, await UdpTransport.bind(host, tcp.port, events), tcp);
      } catch (error) {
        await tcp.close();
        const taken = error instanceof ListenError && error.code === 'EADDRINUSE';
        if (port !== 0 || !taken || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  send(text: string, target: Target): void {
    if (target.protocol === 'udp') this.#udp.send(text, target);
    else this.#tcp.send(text, target);
  }

  hasConnection(address: string, port: number): boolean {
    return this.#tcp.has(address, port);
  }

  async close(): Promise<void> {
    await Promise.all([this.#udp.close(), this.#tcp.close()]);
  }
}

export function targetOf(flow: Flow): Target {
  return { protocol: flow.protocol, address: flow.remoteAddress, port: flow.remotePort };
}
