import type { MediaOptions, MediaPort, MediaSession } from '../../call/ports.js';
import type { DirectMedia } from '../direct.js';
import { FreeSwitchSession } from './freeswitch-session.js';
import { EndpointPair } from './pair.js';
import type { FreeSwitchPool } from './pool.js';

/** Every call through FreeSWITCH, which faces the far end: its RTP is not ours. */
export class FreeSwitchMedia implements MediaPort {
  readonly #pool: FreeSwitchPool;
  readonly #direct: DirectMedia;

  /** @param direct makes our own RTP to the servers */
  constructor(pool: FreeSwitchPool, direct: DirectMedia) {
    this.#pool = pool;
    this.#direct = direct;
  }

  /** Outgoing calls have their channels before the INVITE; those of incoming ones are made with the answer. */
  async open(call: MediaOptions): Promise<MediaSession> {
    const serve: ServeCall = (remote) =>
      this.#pool.serve(call.callId, (server) => EndpointPair.open(server, this.#direct, call, remote));
    const passing = this.#direct.passing(call.client);
    return new FreeSwitchSession(passing, serve, call.incoming ? undefined : await serve());
  }
}

export type ServeCall = (remote?: Parameters<typeof EndpointPair.open>[3]) => Promise<EndpointPair>;
