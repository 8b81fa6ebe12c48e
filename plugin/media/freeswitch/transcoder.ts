import type { ClientFrame, MediaOptions, MediaReport } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import type { DirectMedia } from '../direct.js';
import type { DirectSession, Diversion } from '../direct-session.js';
import type { FarEnd } from '../negotiation/far-end.js';
import type { FormatList } from '../negotiation/own-formats.js';
import { EndpointPair } from './pair.js';
import type { FreeSwitchPool } from './pool.js';
import { type PayloadTypes, Relay } from './relay.js';
import { spoken } from './served-formats.js';

/** FreeSWITCH between the client and a socket of ours that faces the far end. */
export class Transcoder {
  readonly #pair: EndpointPair;
  readonly #relay: Relay;
  /** What the server was told of the far end. */
  #far: FarEnd;

  static async open(pool: FreeSwitchPool, direct: DirectMedia, call: MediaOptions, far: FarEnd): Promise<Transcoder> {
    return pool.serve(call.callId, async (server) => {
      const relay = await Relay.open(direct, server.localAddress, call.lost);
      try {
        const pair = await EndpointPair.open(server, direct, call, relay.description(far));
        return new Transcoder(pair, relay, far);
      } catch (error) {
        relay.close();
        throw error;
      }
    });
  }

  private constructor(pair: EndpointPair, relay: Relay, far: FarEnd) {
    this.#pair = pair;
    this.#relay = relay;
    this.#far = far;
  }

  /** Serves this far end from now on: at first, or after a new offer or answer. Resolves to what an answer says of its protection. */
  async serve(
    far: FarEnd,
    description: SessionDescription,
    kind: 'offer' | 'answer',
    payloadTypes: PayloadTypes,
    session: DirectSession,
  ): Promise<Diversion['security']> {
    if (!sameFormats(far, this.#far)) await this.#pair.far.modify(this.#relay.description(far));
    this.#far = far;
    const { farEnd, security } = session.divert(description, kind, this.#relay, far.target);
    this.#relay.join(farEnd, far, payloadTypes, this.#pair.far.local);
    await this.#pair.bridge();
    return security;
  }

  /** The far end has taken its audio out of the call. */
  pause(): void {
    this.#relay.pause();
  }

  write(frame: ClientFrame): void {
    this.#pair.write(frame);
  }

  /** What is spoken with the far end now, under its numbers. */
  get formats(): FormatList {
    return spoken(this.#far);
  }

  /** As {@link MediaSession.sendDtmf}; false where the far end knows no telephone events. */
  sendDtmf(digits: string, ms: number): boolean {
    return this.#far.events !== undefined && this.#pair.sendDtmf(digits, ms);
  }

  /** Hangs up the channels. Returns what was measured towards the client, and what went through to the far end. */
  close(): MediaReport {
    const report = {
      ...this.#pair.close(),
      codec: `${this.#far.format.encoding}/${this.#far.format.clockRate}`,
      relayedToFarEnd: this.#relay.toFarEnd,
      relayedFromFarEnd: this.#relay.toServer,
    };
    this.#relay.close();
    return report;
  }
}

/** Formats under the same numbers. */
function sameFormats(one: FarEnd, other: FarEnd): boolean {
  return (
    one.format.encoding === other.format.encoding &&
    one.format.clockRate === other.format.clockRate &&
    one.format.payloadType === other.format.payloadType &&
    one.events?.payloadType === other.events?.payloadType
  );
}
