import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ClientAudio } from '../call/client-audio.js';
import { MediaError, type MediaOptions, type MediaPort } from '../call/ports.js';
import type { AudioTools } from './audio/audio-tools.js';
import type { AudioCodec } from './audio/flv-audio.js';
import { DirectSession, type DirectSessionOptions } from './direct-session.js';
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

  async open(call: MediaOptions): Promise<DirectSession> {
    const { host, advertisedAddress, srtp, video = true } = this.#options;
    const openVideoSockets = () => this.#openVideoSockets();
    const offersVideo = video && call.incoming !== true && call.video?.() !== undefined;
    // Before anything is taken.
    clientFormats(call.client ?? {}, this.#options);
    const sockets = await this.openSockets(host);
    const videoSockets = offersVideo ? await openVideoSockets() : undefined;
    return this.#session(host, advertisedAddress ?? reachableAddress(host), call, {
      sockets,
      ...(videoSockets && { videoSockets }),
      ...(video && { openVideoSockets }),
      ...(srtp === undefined ? {} : { srtp }),
    });
  }

  /**
   * Codecs that reach a client unchanged, the best first.
   *
   * @throws MediaError `NoCommonCodec` when what it sends cannot be carried
   */
  passing(client: ClientAudio = {}): readonly AudioCodec[] {
    return clientFormats(client, this.#options).passing;
  }

  /** A leg to a media server, on the address of this machine from which it is reached: audio alone, not encrypted. */
  async openLeg(host: string, call: MediaOptions): Promise<DirectSession> {
    return this.#session(host, host, call, { sockets: await this.openSockets(host), srtp: 'off' });
  }

  #session(host: string, advertisedAddress: string, call: MediaOptions, media: SessionMedia): DirectSession {
    const { logger, transcoding, foreign } = this.#options;
    return new DirectSession({
      call,
      host,
      advertisedAddress,
      clock: this.#clock,
      ticker: this.#ticker,
      released: this.release,
      ...media,
      ...(logger === undefined ? {} : { logger }),
      ...(transcoding === undefined ? {} : { transcoding }),
      ...(foreign === undefined ? {} : { foreign }),
    });
  }

  /** Takes the next free pair of ports on an address of this machine; {@link release} gives it back. */
  openSockets(host: string): Promise<RtpSockets> {
    return openRtpSockets(this.#ports, host);
  }

  readonly release = (port: number): void => this.#ports.give(port);

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

type SessionMedia = Pick<DirectSessionOptions, 'sockets' | 'videoSockets' | 'openVideoSockets' | 'srtp'>;

/** An address to announce for a bound one: where all are bound, the first that is not only this machine's. */
function reachableAddress(host: string): string {
  if (!isUnspecified(host)) return host;
  const family = isIPv6(host) ? 'IPv6' : 'IPv4';
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const found = addresses.find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80'));
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}
