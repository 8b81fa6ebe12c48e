import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { MediaOptions, MediaPort } from '../call/ports.js';
import type { Transcoding } from './audio/transcoding.js';
import { DirectSession } from './direct-session.js';
import type { SrtpPolicy } from './negotiation/srtp.js';
import { type MediaClock, systemClock } from './network/clock.js';
import type { MediaLogger } from './network/rtp-channel.js';
import { type PortRange, RtpPorts } from './network/rtp-ports.js';
import { openRtpSockets, type RtpSockets } from './network/rtp-sockets.js';
import { Ticker } from './network/ticker.js';
import { isUnspecified } from './rtp/media-target.js';

export interface DirectMediaOptions {
  /** Address that the RTP sockets bind. */
  readonly host: string;
  /** Address that peers are told instead of `host`, behind NAT. */
  readonly advertisedAddress?: string;
  /** UDP ports for RTP and RTCP, a pair for each call. */
  readonly ports: PortRange;
  readonly clock?: MediaClock;
  readonly logger?: MediaLogger;
  /** Whether calls are encrypted. Default `accept`. */
  readonly srtp?: SrtpPolicy;
  /** Serves far ends that know no Speex but G.711. */
  readonly transcoding?: Transcoding;
}

/** Milliseconds between two looks at waiting packets and due reports. */
const tickPeriod = 20;

/**
 * The direct media path: the gateway's own RTP faces the far end. What both sides know passes unchanged; between Speex and
 * G.711 it is transcoded.
 */
export class DirectMedia implements MediaPort {
  readonly #options: DirectMediaOptions;
  readonly #clock: MediaClock;
  readonly #ports: RtpPorts;
  readonly #ticker: Ticker;

  /** @throws RangeError when the port range does not hold one pair. */
  constructor(options: DirectMediaOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ports = new RtpPorts({ range: options.ports, now: () => this.#clock.now() });
    this.#ticker = new Ticker(this.#clock, tickPeriod);
  }

  async open(call: MediaOptions): Promise<DirectSession> {
    const { host, advertisedAddress, srtp } = this.#options;
    return this.#open(host, advertisedAddress ?? reachableAddress(host), call, srtp);
  }

  /** A leg to a media server, on the address of this machine from which it is reached: not encrypted. */
  async openLeg(host: string, call: MediaOptions): Promise<DirectSession> {
    return this.#open(host, host, call, 'off');
  }

  async #open(host: string, advertisedAddress: string, call: MediaOptions, srtp: SrtpPolicy | undefined) {
    const { logger, transcoding } = this.#options;
    const { sockets, released } = await this.openSockets(host);
    return new DirectSession({
      call,
      host,
      advertisedAddress,
      sockets,
      clock: this.#clock,
      ticker: this.#ticker,
      released,
      ...(logger === undefined ? {} : { logger }),
      ...(srtp === undefined ? {} : { srtp }),
      ...(transcoding === undefined ? {} : { transcoding }),
    });
  }

  /** Takes the next free pair of ports on an address of this machine. */
  async openSockets(host: string): Promise<OpenedSockets> {
    const sockets = await openRtpSockets(this.#ports, host);
    return { sockets, released: () => this.#ports.give(sockets.port) };
  }
}

/** Sockets of a call, and what gives their ports back once they are closed. */
export interface OpenedSockets {
  readonly sockets: RtpSockets;
  readonly released: () => void;
}

/** An address to announce for a bound one: where all are bound, the first that is not only this machine's. */
function reachableAddress(host: string): string {
  if (!isUnspecified(host)) return host;
  const family = isIPv6(host) ? 'IPv6' : 'IPv4';
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const found = addresses.find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80'));
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}
