import { EmbeddedSip } from 'embedded-sip';
import type { SpeexCodec } from 'speex-wasm';
import type { ClientFrame, MediaOptions, MediaSession } from '../../../../plugin/call/ports.js';
import { DirectMedia } from '../../../../plugin/media/direct.js';
import { AutoMedia } from '../../../../plugin/media/freeswitch/auto.js';
import { FreeSwitchMedia } from '../../../../plugin/media/freeswitch/freeswitch.js';
import { EndpointPair } from '../../../../plugin/media/freeswitch/pair.js';
import { FreeSwitchPool } from '../../../../plugin/media/freeswitch/pool.js';
import { DrachtioConnection } from '../../../../plugin/signalling/drachtio/drachtio.js';
import { parseSdp, writeSdp } from '../../../../plugin/signalling/sdp/sdp.js';
import { EventLog } from '../../../support/event-log.js';
import { FreeSwitchStandIn, type StandInOptions } from '../../../support/freeswitch/stand-in.js';
import { freePort, freePortRange, loopback } from '../../../support/ports.js';
import type { Scope } from '../../../support/scope.js';
import { speexCodec } from '../../../support/speex.js';

export interface LogLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly server?: string;
  readonly state?: string;
  readonly reason?: string;
}

export interface TestServer {
  readonly port: number;
  readonly secret?: string;
  readonly weight?: number;
}

export interface TestCall {
  readonly session: MediaSession;
  readonly frames: ClientFrame[];
  readonly lost: EventLog<string>;
}

interface RigParts {
  readonly sip: EmbeddedSip;
  readonly inviter: DrachtioConnection;
  readonly servers: readonly TestServer[];
  readonly ports: { readonly min: number; readonly max: number };
  readonly codec: SpeexCodec;
}

/** The gateway's media with everything that it has in a running gateway: a SIP server, a pool of servers, ports. */
export class Rig {
  readonly log = new EventLog<LogLine>('pool');
  readonly direct: DirectMedia;
  readonly pool: FreeSwitchPool;
  readonly sip: EmbeddedSip;
  readonly #scope: Scope;

  static async start(scope: Scope, servers: readonly TestServer[]): Promise<Rig> {
    const sip = await EmbeddedSip.start({ host: loopback, port: await freePort() });
    scope.defer(() => sip.close());
    const connection = new DrachtioConnection(sip.control);
    scope.defer(() => connection.close());
    await connection.connect();
    const ports = await freePortRange(100);
    const rig = new Rig(scope, { sip, inviter: connection, servers, ports, codec: await speexCodec() });
    rig.pool.start();
    scope.defer(() => rig.pool.close());
    scope.report(() => rig.log.tail());
    return rig;
  }

  private constructor(scope: Scope, { sip, inviter, servers, ports, codec }: RigParts) {
    this.#scope = scope;
    this.sip = sip;
    this.direct = new DirectMedia({ host: loopback, ports, transcoding: { codec } });
    const take = (level: 'info' | 'warn') => (fields: object, message: string) =>
      this.log.push({ level, message, ...fields });
    this.pool = new FreeSwitchPool({
      servers: servers.map(({ port, secret = 'ClueCon', weight = 1 }) => ({ host: loopback, port, secret, weight })),
      inviter,
      sdp: { read: parseSdp, write: (description) => writeSdp(description, { sessionId: 1, version: 1 }) },
      logger: { info: take('info'), warn: take('warn') },
    });
  }

  /** Until the server is in a state. */
  async state(port: number, state: RegExp, timeoutMs?: number): Promise<LogLine> {
    const from = this.log.all.length;
    const is = ({ server, state: now = '' }: LogLine) => server === `${loopback}:${port}` && state.test(now);
    const last = this.log.all.findLast(({ server, state: now }) => server === `${loopback}:${port}` && now);
    if (last && is(last)) return last;
    return this.log.find(`${port} ${state}`, is, { from, ...(timeoutMs !== undefined && { timeoutMs }) });
  }

  /** The two channels of a call, on a server of the pool's choice. */
  async pair(): Promise<EndpointPair & { readonly lostFor: EventLog<string> }> {
    const lostFor = new EventLog<string>('lost');
    const call = { callId: 'test', player: { play: () => true }, lost: (reason: string) => lostFor.push(reason) };
    const pair = await this.pool.serve('test', (server) => EndpointPair.open(server, this.direct, call));
    this.#scope.defer(() => pair.close());
    return Object.assign(pair, { lostFor });
  }

  async call(
    mode: 'freeswitch' | 'auto',
    incoming = false,
    options: Pick<MediaOptions, 'video' | 'client'> = {},
  ): Promise<TestCall> {
    const { pool, direct } = this;
    const logger = {
      info: () => {},
      warn: (fields: object, message: string) => this.log.push({ level: 'warn', message, ...fields }),
    };
    const media = mode === 'freeswitch' ? new FreeSwitchMedia(pool, direct) : new AutoMedia(pool, direct, logger);
    const frames: ClientFrame[] = [];
    const lost = new EventLog<string>('lost');
    const session = await media.open({
      callId: 'test',
      incoming,
      ...options,
      player: {
        play: (frame) => {
          frames.push(frame);
          return true;
        },
      },
      lost: (reason) => lost.push(reason),
    });
    this.#scope.defer(() => session.close());
    return { session, frames, lost };
  }
}

/** A rig with one server that takes calls. */
export async function rigWithServer(scope: Scope, options: StandInOptions = {}) {
  const server = await FreeSwitchStandIn.start(scope, options);
  const rig = await Rig.start(scope, [{ port: server.port }]);
  await rig.state(server.port, /^up/);
  return { server, rig };
}

/** Waits for something that has no event. */
export async function until(what: string, holds: () => boolean, timeoutMs = 5_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`);
}
