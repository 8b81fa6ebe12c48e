import { MediaError } from '../../call/ports.js';
import { type MediaClock, systemClock } from '../network/clock.js';
import { mediaErrorOf } from './errors.js';
import type { Inviter } from './fsmrf.js';
import { FreeSwitchServer, type SdpText, type ServerAddress, type ServerState } from './server.js';

export interface PoolLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface PoolOptions {
  readonly servers: readonly ServerAddress[];
  readonly inviter: Inviter;
  readonly sdp: SdpText;
  readonly logger: PoolLogger;
  readonly clock?: MediaClock;
}

const messages: Readonly<Record<ServerState, string>> = {
  up: 'FreeSWITCH server takes calls',
  paused: 'FreeSWITCH server is paused: no new calls go there',
  full: 'FreeSWITCH server is full: no new calls go there',
  silent: 'FreeSWITCH server does not answer; its calls end where their media has stopped too',
  down: 'no connection to the FreeSWITCH server; trying again',
};

/** The FreeSWITCH servers, of which each call takes one. */
export class FreeSwitchPool {
  readonly #servers: readonly FreeSwitchServer[];
  readonly #logger: PoolLogger;

  constructor({ servers, inviter, sdp, logger, clock = systemClock }: PoolOptions) {
    this.#logger = logger;
    this.#servers = servers.map(
      (address) => new FreeSwitchServer({ address, inviter, sdp, clock, changed: (server) => this.#changed(server) }),
    );
  }

  start(): void {
    for (const server of this.#servers) server.start();
  }

  /** Whether there is a server for a new call. */
  get usable(): boolean {
    return this.#servers.some(({ takesCalls }) => takesCalls);
  }

  /** Each server in a line for a person. */
  get description(): readonly string[] {
    return this.#servers.map(({ name, description }) => `FreeSWITCH ${name} ${description}`);
  }

  /**
   * Has a server serve a call: the one with the least load for its weight, and where it fails the next one. The only one
   * gets a second chance: a port that another program has taken makes it refuse, with the status of a codec not known.
   *
   * @throws MediaError with code `NoServer` or `NoCommonCodec`, as the last server said, and what `serve` throws that is
   * not the server's fault
   */
  async serve<T>(callId: string, serve: (server: FreeSwitchServer) => Promise<T>): Promise<T> {
    const tried = new Set<FreeSwitchServer>();
    let last = new MediaError('NoServer', `no FreeSWITCH server takes calls: ${this.description.join('; ')}`);
    for (let attempt = 0; attempt < Math.max(2, this.#servers.length); attempt++) {
      const server = this.#choose(tried) ?? this.#choose(new Set());
      if (!server) break;
      tried.add(server);
      try {
        return await server.serve(serve);
      } catch (error) {
        last = mediaErrorOf(error);
        if (last.code === 'NoPorts' || last.code === 'Io' || (last.code === 'NoCommonCodec' && attempt > 0)) break;
        if (last.code === 'NoServer') server.failed();
        this.#logger.warn(
          { call: callId, server: server.name, reason: last.message },
          'FreeSWITCH server failed a call',
        );
      }
    }
    throw last;
  }

  /** Waits until what is being hung up is gone, and disconnects. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  /** Servers that failed a call just now come last. */
  #choose(tried: ReadonlySet<FreeSwitchServer>): FreeSwitchServer | undefined {
    const [best] = this.#servers
      .filter((server) => server.takesCalls && !tried.has(server))
      .sort((a, b) => Number(a.resting) - Number(b.resting) || a.load - b.load);
    return best;
  }

  #changed({ name, state, description }: FreeSwitchServer): void {
    const fields = { server: name, state: description };
    if (state === 'up') this.#logger.info(fields, messages.up);
    else this.#logger.warn(fields, messages[state]);
  }
}
