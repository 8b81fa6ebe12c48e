import type { SessionDescription } from '../../call/session-description.js';
import type { MediaClock } from '../network/clock.js';
import type { Endpoint } from './link.js';
import type { SdpText } from './server.js';
import { within } from './within.js';

export interface EndpointOptions {
  readonly sdp: SdpText;
  readonly clock: MediaClock;
  /** Hangs up a channel past its own connection. */
  readonly kill: (uuid: string) => Promise<unknown>;
  /** Is told of a hang-up that has begun. */
  readonly ending: (ended: Promise<void>) => void;
}

/** Milliseconds that the server has for each. */
const modifyTimeout = 2_000;
const bridgeTimeout = 2_000;
const destroyTimeout = 1_000;

/** A channel of a server: one side of a call. */
export class ServerEndpoint {
  /** What it answered, or offers. */
  readonly local: SessionDescription;
  readonly #endpoint: Endpoint;
  readonly #options: EndpointOptions;
  #destroyed = false;

  constructor(endpoint: Endpoint, options: EndpointOptions) {
    this.local = options.sdp.read(endpoint.sdp);
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /**
   * Sends to another place, in another format or direction. Resolves to the server's answer, whose numbers of payload
   * types need not be those that it uses.
   */
  async modify(remote: SessionDescription): Promise<SessionDescription> {
    const { sdp, clock } = this.#options;
    const changed = this.#endpoint.modify(sdp.write(remote));
    return sdp.read(await within(changed, modifyTimeout, clock, 'FreeSWITCH did not change the channel'));
  }

  /** Both hear each other from now on. */
  async bridge(other: ServerEndpoint): Promise<void> {
    const bridged = this.#endpoint.bridge(other.#endpoint);
    await within(bridged, bridgeTimeout, this.#options.clock, 'FreeSWITCH did not join the channels');
  }

  /** The server has hung it up by itself. */
  onGone(listener: (reason: string) => void): void {
    this.#endpoint.onGone((reason) => {
      if (!this.#destroyed) listener(reason);
    });
  }

  /** Hangs it up: in the library's way, which waits for a BYE, and for certain where that does not come. Never rejects. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    const { clock, kill, ending } = this.#options;
    const ended = within(this.#endpoint.destroy(), destroyTimeout, clock, 'no BYE').catch(async () => {
      await within(kill(this.#endpoint.uuid), destroyTimeout, clock, 'no answer').catch(() => {});
    });
    ending(ended);
  }
}
