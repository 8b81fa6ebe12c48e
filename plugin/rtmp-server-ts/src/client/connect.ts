import type { AmfObject, AmfValue } from '../amf/values.js';
import type { BufferList } from '../bytes/buffer-list.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Handshake } from '../handshake/handshake.js';
import { type Clock, systemClock } from '../session/clock.js';
import { DEFAULT_RTMP_CLIENT_LIMITS, type RtmpClientLimits, resolveLimits } from '../session/limits.js';
import type { Transport } from '../session/transport.js';
import type { SessionProtocol } from '../session/types.js';
import type { Dial } from '../transport/dial.js';
import { authority, formatTarget, parseTarget, retarget, type Target } from '../transport/target.js';
import { ClientConnection } from './connection.js';
import type { RtmpConnection } from './types.js';

/** Another way to the same server, tried when those before it lead nowhere. */
export interface FallbackStep {
  readonly protocol: SessionProtocol;
  /** Default: that of the protocol. */
  readonly port?: number;
}

/** As Flash Player's proxyType "best": what firewalls let through, at the ports that they let through. */
export const DEFAULT_FALLBACK: readonly FallbackStep[] = [{ protocol: 'rtmps' }, { protocol: 'rtmpt' }];

export interface RtmpConnectOptions {
  /** The arguments of connect after the command object. */
  readonly args?: readonly AmfValue[];
  /** Added to the command object (`app`, `tcUrl`, `flashVer`, ...), or put in place of what is in it. */
  readonly properties?: AmfObject;
  /** Default 0, AMF0. With 3, commands and data go in their AMF3 form when the server agrees. */
  readonly objectEncoding?: 0 | 3;
  /** Default false. `true` is {@link DEFAULT_FALLBACK}, whatever the URL's own protocol. */
  readonly fallback?: boolean | readonly FallbackStep[];
  /** Those not given are as in DEFAULT_RTMP_CLIENT_LIMITS. */
  readonly limits?: Partial<RtmpClientLimits>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Carries the bytes instead of the transport that the URL names. */
  readonly transport?: () => Promise<Transport> | Transport;
}

/** What a platform can do. */
export interface Platform {
  /** For each protocol that there is. */
  readonly dials: Readonly<Partial<Record<SessionProtocol, Dial>>>;
  handshake(protocol: SessionProtocol): (input: BufferList) => Handshake;
}

/** What this package can carry, all of it: what is decoded is the program's business. Bit masks of section 7.2.1.1. */
const ALL_AUDIO_CODECS = 0x0fff;
const ALL_VIDEO_CODECS = 0x00ff;
const SEEK = 1;

/** Answers of the server, after which another way to it would lead to the same. */
const FINAL: ReadonlySet<string> = new Set(['connect.rejected', 'connect.timeout', 'amf.value']);

/** @throws see RtmpClient.connect */
export async function connectBy(platform: Platform, url: string, options: RtmpConnectOptions): Promise<RtmpConnection> {
  const limits = resolveLimits(DEFAULT_RTMP_CLIENT_LIMITS, options.limits);
  const [first, ...others] = ways(parseTarget(url), options.fallback);
  const errors: unknown[] = [];
  for (const target of [first, ...others]) {
    try {
      return await connectTo(platform, target, options, limits);
    } catch (error) {
      if (others.length === 0 || (error instanceof RtmpError && FINAL.has(error.code))) throw error;
      errors.push(error);
    }
  }
  const tried = [first, ...others].map(formatTarget).join(', ');
  throw new RtmpError('connect.failed', `none of ${tried} can be reached`, { cause: new AggregateError(errors) });
}

function ways(target: Target, fallback: RtmpConnectOptions['fallback'] = false): [Target, ...Target[]] {
  const steps = typeof fallback === 'boolean' ? (fallback ? DEFAULT_FALLBACK : []) : fallback;
  return [target, ...steps.map(({ protocol, port }) => retarget(target, protocol, port))];
}

async function connectTo(
  platform: Platform,
  target: Target,
  options: RtmpConnectOptions,
  limits: RtmpClientLimits,
): Promise<RtmpConnection> {
  const { clock = systemClock, args = [] } = options;
  const transport = options.transport
    ? await options.transport()
    : await dial(platform.dials[target.protocol], target, clock, limits);
  const connection = new ClientConnection(transport, {
    url: formatTarget(target),
    clock,
    limits,
    handshake: platform.handshake(target.protocol),
    commandObject: { ...commandObject(target, options.objectEncoding), ...options.properties },
    args,
  });
  await connection.open();
  return connection;
}

async function dial(by: Dial | undefined, target: Target, clock: Clock, limits: RtmpClientLimits): Promise<Transport> {
  if (by === undefined) throw new RtmpError('connect.url', `${target.protocol} is not possible on this platform`);
  const abort = new AbortController();
  const { openTimeout } = limits;
  const timer = clock.setTimeout(() => abort.abort(new Error(`no answer in ${openTimeout} ms`)), openTimeout);
  try {
    return await by(target, { clock, limits, signal: abort.signal });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RtmpError('connect.failed', `no connection to ${formatTarget(target)}: ${why}`, { cause });
  } finally {
    clock.clearTimeout(timer);
  }
}

function commandObject(target: Target, objectEncoding = 0): AmfObject {
  return {
    app: target.path.slice(1),
    flashVer: 'LNX 11,1,102,55',
    tcUrl: `${target.protocol}://${authority(target)}${target.path}`,
    fpad: false,
    capabilities: 15,
    audioCodecs: ALL_AUDIO_CODECS,
    videoCodecs: ALL_VIDEO_CODECS,
    videoFunction: SEEK,
    objectEncoding,
  };
}
