import type { SessionDescription } from '../../call/session-description.js';
import type { MediaClock } from '../network/clock.js';
import { ServerEndpoint } from './endpoint.js';
import type { Inviter } from './fsmrf.js';
import { Leases } from './leases.js';
import { Link } from './link.js';
import { readStatus } from './status.js';
import { within } from './within.js';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Its share of the calls compared with others, 1-100. */
  readonly weight: number;
}

/** SDP text, which the library takes and gives. */
export interface SdpText {
  read(text: string): SessionDescription;
  write(description: SessionDescription): string;
}

export interface ServerOptions {
  readonly address: ServerAddress;
  readonly inviter: Inviter;
  readonly sdp: SdpText;
  readonly clock: MediaClock;
  /** Is told of each change, with words for a person. */
  readonly changed: (server: FreeSwitchServer) => void;
}

/** A call that the server carries. */
export interface Carried {
  /** Frames that have come from the server. */
  readonly heard: number;
  lost(reason: string): void;
}

/** What the server is good for; `paused` and `full` servers carry the calls they have. */
export type ServerState = 'down' | 'silent' | 'paused' | 'full' | 'up';

/** Milliseconds between two checks, before a server that does not answer counts as silent, and as gone. */
const checkPeriod = 300;
const silentAfter = 900;
const goneAfter = 10_000;
/** Milliseconds before the first new attempt after a failure; doubled by each that fails too. */
const firstRetry = 250;
const longestRetry = 5_000;
/** Milliseconds that a server has for a channel, and in which one that failed is the last choice. */
const endpointTimeout = 3_000;
const restAfterFailure = 2_000;
/** Channels of a call. */
const channelsPerCall = 2;

/** One FreeSWITCH server: connected anew whenever it is lost, asked all the time how it is. */
export class FreeSwitchServer {
  readonly name: string;
  readonly weight: number;
  readonly #options: ServerOptions;
  /** With what each had heard when the server was asked last. */
  readonly #calls = new Map<Carried, number>();
  readonly #leases = new Leases();
  /** Hang-ups that have begun. */
  readonly #endings = new Set<Promise<void>>();
  #link: Link | undefined;
  #state: ServerState = 'down';
  #reason = 'not connected yet';
  #askedAt: number | undefined;
  #sessions = 0;
  #maxSessions = 0;
  /** Channels made since the server was last asked how many it has, and those being made. */
  #made = 0;
  #making = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #retry = firstRetry;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: ServerOptions) {
    const { host, port, weight } = options.address;
    this.name = `${host}:${port}`;
    this.weight = weight;
    this.#options = options;
  }

  /** Begins to connect, and goes on until {@link close}. */
  start(): void {
    void this.#connect();
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Whether new calls may go to it. */
  get takesCalls(): boolean {
    return this.#state === 'up' && this.#channels + channelsPerCall <= this.#maxSessions;
  }

  /** Channels in relation to its weight. */
  get load(): number {
    return this.#channels / this.weight;
  }

  /** Whether it has failed a call a moment ago. */
  get resting(): boolean {
    return this.#options.clock.now() - this.#failedAt < restAfterFailure;
  }

  /** In words for a person. */
  get description(): string {
    if (this.#state === 'down') return `down: ${this.#reason}`;
    return `${this.#state}, ${this.#sessions} of ${this.#maxSessions} sessions`;
  }

  /** Our address on the way to it. */
  get localAddress(): string {
    return this.#current().localAddress;
  }

  /** Ties a call to the server: it is told when the server is gone. */
  carry(call: Carried): void {
    this.#calls.set(call, call.heard);
  }

  release(call: Carried): void {
    this.#calls.delete(call);
  }

  /**
   * Makes a channel that sends to where `remote` says; without that, one whose description is an offer.
   * Rejects when the server is gone, refuses, or takes too long.
   */
  async createEndpoint(remote?: SessionDescription): Promise<ServerEndpoint> {
    const { sdp, clock } = this.#options;
    const link = this.#current();
    const made = link.createEndpoint(remote && sdp.write(remote)).then((endpoint) => {
      this.#leases.add(endpoint.uuid, link);
      return new ServerEndpoint(endpoint, {
        sdp,
        clock,
        kill: (uuid) => link.api(`uuid_kill ${uuid}`),
        ending: (ended) => this.#track(endpoint.uuid, ended),
      });
    });
    try {
      return await within(made, endpointTimeout, clock, `${this.name} made no channel`);
    } catch (error) {
      // It may come yet, and nobody would hang it up.
      made.then(
        (late) => late.destroy(),
        () => {},
      );
      throw error;
    }
  }

  /** Has it serve a call, which counts from the beginning. */
  async serve<T>(serve: (server: FreeSwitchServer) => Promise<T>): Promise<T> {
    this.#making += channelsPerCall;
    try {
      const served = await serve(this);
      this.#made += channelsPerCall;
      return served;
    } finally {
      this.#making -= channelsPerCall;
    }
  }

  /** A call could not be served here. */
  failed(): void {
    this.#failedAt = this.#options.clock.now();
  }

  /** Waits until the channels that are being hung up are gone, and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await Promise.all(this.#endings);
    this.#link?.close();
    this.#link = undefined;
  }

  get #channels(): number {
    return this.#sessions + this.#made + this.#making;
  }

  #current(): Link {
    if (!this.#link) throw new Error(`FreeSWITCH ${this.name} is ${this.description}`);
    return this.#link;
  }

  #track(uuid: string, ended: Promise<void>): void {
    this.#leases.end(uuid);
    this.#endings.add(ended);
    void ended.finally(() => this.#endings.delete(ended));
  }

  async #connect(): Promise<void> {
    const { address, inviter, clock } = this.#options;
    try {
      let link: Link | undefined;
      link = await Link.connect({ ...address, inviter, clock, lost: (reason) => this.#lost(link, reason) });
      if (this.#closed) return link.close();
      this.#link = link;
      this.#retry = firstRetry;
      this.#askedAt = undefined;
      this.#check(link);
    } catch (error) {
      this.#again(error instanceof Error ? error.message : String(error));
    }
  }

  #lost(link: Link | undefined, reason: string): void {
    if (this.#closed || link === undefined || this.#link !== link) return;
    this.#link = undefined;
    this.#leases.clear();
    this.#cancelTimer?.();
    this.#again(reason);
    for (const call of [...this.#calls.keys()]) call.lost(`FreeSWITCH ${this.name} is gone: ${reason}`);
  }

  #again(reason: string): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#options.clock.after(this.#retry, () => void this.#connect());
    this.#retry = Math.min(this.#retry * 2, longestRetry);
    this.#become('down', reason);
  }

  /** Asks, or looks how long there has been no answer; then again and again. */
  #check(link: Link): void {
    const now = this.#options.clock.now();
    if (this.#askedAt === undefined) this.#ask(link, now);
    else if (now - this.#askedAt >= goneAfter) {
      link.close();
      this.#lost(link, `no answer for ${goneAfter / 1000} s`);
      return;
    } else if (now - this.#askedAt >= silentAfter) this.#endSilentCalls();
    this.#leases.renew(link, now);
    this.#cancelTimer = this.#options.clock.after(checkPeriod, () => this.#check(link));
  }

  #ask(link: Link, now: number): void {
    this.#askedAt = now;
    const counted = this.#made;
    this.#noteHeard();
    void Promise.all([link.api('fsctl pause_check inbound'), link.api('status')]).then(([paused, status]) => {
      if (this.#link !== link) return;
      this.#askedAt = undefined;
      const { sessions, maxSessions, ready } = readStatus(status);
      this.#sessions = sessions;
      this.#maxSessions = maxSessions;
      this.#made -= counted;
      const full = sessions + channelsPerCall > maxSessions;
      this.#become(paused.trim() === 'true' || !ready ? 'paused' : full ? 'full' : 'up');
    });
  }

  /** A server that is only busy goes on sending; where nothing comes either, it hangs. */
  #endSilentCalls(): void {
    this.#become('silent');
    const silent = [...this.#calls].filter(([call, heard]) => call.heard === heard);
    for (const [call] of silent) call.lost(`FreeSWITCH ${this.name} does not answer`);
    this.#noteHeard();
  }

  #noteHeard(): void {
    for (const call of this.#calls.keys()) this.#calls.set(call, call.heard);
  }

  #become(state: ServerState, reason = ''): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.changed(this);
  }
}
