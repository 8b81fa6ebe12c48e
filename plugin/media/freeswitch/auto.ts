import type { MediaOptions, MediaPort, MediaSession } from '../../call/ports.js';
import type { DirectMedia } from '../direct.js';
import { AutoSession } from './auto-session.js';
import type { FreeSwitchPool, PoolLogger } from './pool.js';

/**
 * Our own RTP faces the far end, always: what both sides share passes through. Where they share nothing FreeSWITCH is put
 * behind that socket as the transcoder, which needs no new offer: the far end never knows. While no server takes calls, the
 * gateway transcodes what it can.
 */
export class AutoMedia implements MediaPort {
  readonly #pool: FreeSwitchPool;
  readonly #direct: DirectMedia;
  readonly #logger: PoolLogger;

  constructor(pool: FreeSwitchPool, direct: DirectMedia, logger: PoolLogger) {
    this.#pool = pool;
    this.#direct = direct;
    this.#logger = logger;
  }

  async open(options: MediaOptions): Promise<MediaSession> {
    const call = { ...options, lost: once(options.lost) };
    return new AutoSession({
      call,
      session: await this.#direct.open(call),
      direct: this.#direct,
      pool: this.#pool,
      logger: this.#logger,
    });
  }
}

/** Of a socket and a server either may go first. */
function once(lost: (reason: string) => void): (reason: string) => void {
  let told = false;
  return (reason) => {
    if (told) return;
    told = true;
    lost(reason);
  };
}
