import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { MediaError, type MediaOptions, type MediaPort, type MediaSession } from '../call/ports.js';
import type { AudioTools } from './audio/audio-tools.js';
import { DirectSession } from './direct-session.js';
import { clientFormats } from './negotiation/client-formats.js';
import type { SrtpPolicy } from './negotiation/srtp.js';
import { type MediaClock, systemClock } from './network/clock.js';
import type { MediaLogger } from './network/rtp-channel.js';
import { type PortRange, RtpPorts } from './network/rtp-ports.js';
import { openRtpSockets, type RtpSockets } from './network/rtp-sockets.js';
import { Ticker } from './network/ticker.js';
import { isUnspecified } from './rtp/media-target.js';

export interface DirectMediaOptions extends AudioTools {
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
  /** Whether calls of clients that can do video have it. Default true. */
  readonly video?: boolean;
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

  async open(call: MediaOptions): Promise<MediaSession> {
    const { host, advertisedAddress, logger, srtp, transcoding, foreign, video = true } = this.#options;
    const openVideoSockets = () => this.#openVideoSockets();
    const offersVideo = video && call.incoming !== true && call.video?.() !== undefined;
    // Before anything is taken.
    clientFormats(call.client ?? {}, this.#options);
    const sockets = await openRtpSockets(this.#ports, host);
    const videoSockets = offersVideo ? await openVideoSockets() : undefined;
    return new DirectSession({
      call,
      host,
      advertisedAddress: advertisedAddress ?? reachableAddress(host),
      sockets,
      clock: this.#clock,
      ticker: this.#ticker,
      released: (port) => this.#ports.give(port),
      ...(videoSockets && { videoSockets }),
      ...(video && { openVideoSockets }),
      ...(logger === undefined ? {} : { logger }),
      ...(srtp === undefined ? {} : { srtp }),
      ...(transcoding === undefined ? {} : { transcoding }),
      ...(foreign === undefined ? {} : { foreign }),
    });
  }

  /** A pair for video; without one free the call goes on without video. */
  async #openVideoSockets(): Promise<RtpSockets | undefined> {
    try {
      return await openRtpSockets(this.#ports, this.#options.host);
    } catch (error) {
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }
}

/** An address to announce for a bound one: where all are bound, the first that is not only this machine's. */
function reachableAddress(host: string): string {
  if (!isUnspecified(host)) return host;
  const family = isIPv6(host) ? 'IPv6' : 'IPv4';
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const found = addresses.find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80'));
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}
