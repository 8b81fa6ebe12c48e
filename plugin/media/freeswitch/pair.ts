import type { ClientFrame, MediaOptions, MediaReport } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import type { DirectMedia } from '../direct.js';
import type { DirectSession } from '../direct-session.js';
import { audioOf } from '../negotiation/far-end.js';
import { isEvent } from '../negotiation/own-formats.js';
import type { ServerEndpoint } from './endpoint.js';
import { describe } from './served-formats.js';
import type { Carried, FreeSwitchServer } from './server.js';

/**
 * The two channels of a call on one server, and our own RTP to the first of them, the client's, in the codec that suits the
 * client best. The second is the far end's.
 */
export class EndpointPair implements Carried {
  heard: number | undefined;
  readonly far: ServerEndpoint;
  readonly #near: ServerEndpoint;
  readonly #client: DirectSession;
  readonly #server: FreeSwitchServer;
  readonly #over: (reason: string) => void;
  #bridged: Promise<void> | undefined;
  #report: MediaReport | undefined;
  #lost = false;

  /**
   * @param remote where the second channel sends to; without it that channel offers
   * @throws Error when the server makes no channel, MediaError when there is no port
   */
  static async open(
    server: FreeSwitchServer,
    direct: DirectMedia,
    { callId, player, lost, dtmf, client }: MediaOptions,
    remote?: SessionDescription,
  ): Promise<EndpointPair> {
    let pair: EndpointPair | undefined;
    const { localAddress } = server;
    const leg = await direct.openLeg(localAddress, {
      callId,
      ...(client && { client }),
      ...(dtmf && { dtmf }),
      player: {
        play: (frame) => {
          if (pair?.heard !== undefined) pair.heard++;
          return player.play(frame);
        },
      },
      lost: (reason) => pair?.lost(reason),
    });
    const made = await Promise.allSettled([server.createEndpoint(clientLeg(leg.offer)), server.createEndpoint(remote)]);
    const [near, far] = made;
    if (near.status === 'fulfilled' && far.status === 'fulfilled') {
      pair = new EndpointPair(server, leg, near.value, far.value, lost);
      return pair;
    }
    leg.close();
    for (const one of made) if (one.status === 'fulfilled') one.value.destroy();
    throw made.find((one) => one.status === 'rejected')?.reason;
  }

  private constructor(
    server: FreeSwitchServer,
    client: DirectSession,
    near: ServerEndpoint,
    far: ServerEndpoint,
    lost: (reason: string) => void,
  ) {
    this.#server = server;
    this.#client = client;
    this.#near = near;
    this.far = far;
    this.#over = lost;
    for (const endpoint of [near, far]) {
      endpoint.onGone((reason) => this.lost(`FreeSWITCH ${server.name} hung up: ${reason}`));
    }
    server.carry(this);
  }

  get serverName(): string {
    return this.#server.name;
  }

  /** Client and far end hear each other from now on; a second call does nothing. */
  bridge(): Promise<void> {
    this.#bridged ??= (async () => {
      await this.#client.accept(this.#near.local);
      await this.#near.bridge(this.far);
      this.heard = 0;
    })();
    return this.#bridged;
  }

  write(frame: ClientFrame): void {
    this.#client.write(frame);
  }

  /** As {@link MediaSession.sendDtmf}: the server hands the keys on. */
  sendDtmf(digits: string, ms: number): boolean {
    return this.#client.sendDtmf(digits, ms);
  }

  lost(reason: string): void {
    if (this.#lost || this.#report !== undefined) return;
    this.#lost = true;
    this.#over(reason);
  }

  /** Hangs up both channels. Returns what our side of them measured. */
  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    this.#server.release(this);
    this.#report = { ...this.#client.close(), engine: 'freeswitch', server: this.serverName };
    this.#near.destroy();
    this.far.destroy();
    return this.#report;
  }
}

/** What the first channel is told of our socket: one codec, so that the server's own order of them does not matter. */
function clientLeg(offer: SessionDescription): SessionDescription {
  const { port, formats, direction } = audioOf(offer);
  const [best, ...others] = formats;
  const events = others.filter((format) => isEvent(format) && format.clockRate === best?.clockRate);
  return describe(offer.address, port, best === undefined ? [] : [best, ...events], direction);
}
