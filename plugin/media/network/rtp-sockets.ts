import { createSocket, type Socket } from 'node:dgram';
import { type LookupOneOptions, lookup } from 'node:dns';
import { isIP, isIPv6, SocketAddress } from 'node:net';
import { MediaError } from '../../call/ports.js';
import type { RtpPorts } from './rtp-ports.js';

/** Bound sockets of one call: RTP on an even port, RTCP on the next. */
export interface RtpSockets {
  readonly port: number;
  readonly rtp: Socket;
  readonly rtcp: Socket;
}

/**
 * Binds the next free pair. A pair that another program uses is passed over and rests like one of ours.
 *
 * @throws MediaError `NoPorts` when no pair is free, `Io` when binding fails for another reason.
 */
export async function openRtpSockets(ports: RtpPorts, host: string): Promise<RtpSockets> {
  for (let tried = 0; tried < ports.size; tried++) {
    const port = ports.take();
    if (port === undefined) break;
    const sockets = { port, rtp: openSocket(host), rtcp: openSocket(host) };
    try {
      await bind(sockets.rtp, port, host);
      await bind(sockets.rtcp, port + 1, host);
      return sockets;
    } catch (error) {
      closeRtpSockets(sockets);
      ports.give(port);
      if (isErrno(error, 'EADDRINUSE')) continue;
      throw new MediaError('Io', `cannot bind RTP port ${port} on ${host}: ${messageOf(error)}`, { cause: error });
    }
  }
  throw new MediaError('NoPorts', `none of the ${ports.size} RTP port pairs is free`);
}

export function closeRtpSockets({ rtp, rtcp }: RtpSockets): void {
  rtp.close();
  rtcp.close();
}

/** Its addresses are as they are, so that a socket is connected, or cannot be, when `connect` returns. */
export function isConnected(socket: Socket): boolean {
  try {
    return socket.remoteAddress().port > 0;
  } catch {
    return false;
  }
}

/**
 * Finds an address that a socket bound to `host` can send to, at once for an address and by DNS for a name. `done` gets
 * an error when the name has no address, or none of the socket's family.
 */
export function resolveHost(
  name: string,
  host: string,
  done: (error: Error | undefined, address: string) => void,
): void {
  const v6 = isIPv6(host);
  const family = isIP(name);
  // Errors never come before the caller goes on.
  const refuse = (reason: string): void => queueMicrotask(() => done(new Error(reason), name));
  if (name === '') refuse('it is empty');
  else if (family === 6 && !v6) refuse(`it cannot be reached from ${host}, an IPv4 address`);
  else if (family !== 0) done(undefined, usable(name, v6));
  else lookup(name, { family: v6 ? 0 : 4 }, (error, address) => done(error ?? undefined, usable(address, v6)));
}

/**
 * As the system writes the sources of datagrams: IPv4 addresses on a socket of the other family as IPv6 ones (RFC 4291
 * section 2.5.5.2), and those in one of the many ways that there are to write one.
 */
function usable(address: string, v6: boolean): string {
  if (!v6) return address;
  const mapped = isIP(address) === 4 ? `::ffff:${address}` : address;
  return isIPv6(mapped) && !mapped.includes('%')
    ? new SocketAddress({ address: mapped, family: 'ipv6' }).address
    : mapped;
}

function openSocket(host: string): Socket {
  return createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', lookup: lookupLiterals });
}

/**
 * dgram looks up the address of each datagram, and an address as it is only on the next tick: answering at once sends
 * each packet in the call that makes it.
 */
function lookupLiterals(
  name: string,
  options: LookupOneOptions,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(name);
  if (family === 0) lookup(name, options, done);
  else done(null, name, family);
}

function bind(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    // exclusive: else workers of a cluster would share the socket, and each other's calls.
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
