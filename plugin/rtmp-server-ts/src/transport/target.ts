import { RtmpError } from '../errors/rtmp-error.js';
import type { SessionProtocol } from '../session/types.js';

/** Where a client is to go. */
export interface Target {
  readonly protocol: SessionProtocol;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** `/app/instance?query`, or empty. */
  readonly path: string;
}

const DEFAULT_PORTS: Readonly<Record<SessionProtocol, number>> = {
  rtmp: 1935,
  rtmpe: 1935,
  rtmps: 443,
  rtmpt: 80,
  rtmpte: 80,
  rtmpts: 443,
  ws: 80,
  wss: 443,
};

/** By hand: the platform's URL drops the port 80 of one scheme and takes another for a path. */
const RTMP_URL = /^([a-z]+):\/\/(?:\[([0-9a-f:.]+)\]|([^\s/:?#@[\]]+))(?::(\d{1,5}))?(\/[^\s#]*)?$/i;

/** @throws RtmpError `connect.url` */
export function parseTarget(url: string): Target {
  const [, scheme = '', ipv6, name = '', digits, path = ''] = RTMP_URL.exec(url) ?? [];
  const protocol = scheme.toLowerCase();
  if (!isProtocol(protocol)) {
    const schemes = Object.keys(DEFAULT_PORTS).join(', ');
    throw new RtmpError('connect.url', `${url} is not like rtmp://host[:port]/app; known are ${schemes}`);
  }
  const port = digits === undefined ? DEFAULT_PORTS[protocol] : Number(digits);
  if (port < 1 || port > 65_535) throw new RtmpError('connect.url', `port ${port} in ${url}, it must be 1-65535`);
  return { protocol, host: ipv6 ?? name, port, path };
}

/** The same place by another way. @param port of that way; its default unless given */
export function retarget(target: Target, protocol: SessionProtocol, port = DEFAULT_PORTS[protocol]): Target {
  return { ...target, protocol, port };
}

export function formatTarget(target: Target): string {
  return `${target.protocol}://${authority(target)}${target.path}`;
}

/** `host:port`, always with the port. */
export function authority({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isProtocol(scheme: string): scheme is SessionProtocol {
  return Object.hasOwn(DEFAULT_PORTS, scheme);
}
