import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';

export const loopback = '127.0.0.1';

/**
 * Ports below the range that the system gives out by itself (32768 and up on Linux), so that no outgoing connection
 * takes one between its being found free here and its being used. Every worker of a test run has its own fifth.
 */
const share = 4_000;
const firstPort = 10_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 5) * share;
const lastPort = firstPort + share - 1;
let next = firstPort + ((process.pid * 199) % share);

/** A port that is free for TCP and UDP on loopback. */
export async function freePort(): Promise<number> {
  return (await freePortRange(1)).min;
}

/** Consecutive ports, the first one even, all free for TCP and UDP on loopback. */
export async function freePortRange(count: number): Promise<{ min: number; max: number }> {
  for (let attempt = 0; attempt < 100; attempt++) {
    next += next % 2;
    if (next + count - 1 > lastPort) next = firstPort;
    const min = next;
    next += count;
    const ports = Array.from({ length: count }, (_, index) => min + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return { min, max: min + count - 1 };
  }
  throw new Error(`no ${count} free ports in a row from ${firstPort} to ${lastPort} on ${loopback}`);
}

async function isFree(port: number): Promise<boolean> {
  const [tcp, udp] = await Promise.all([holdTcp(port), holdUdp(port)]);
  await Promise.all([tcp, udp].map((held) => held && new Promise<void>((resolve) => held.close(() => resolve()))));
  return tcp !== undefined && udp !== undefined;
}

function holdTcp(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, loopback, () => resolve(server));
  });
}

function holdUdp(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(undefined));
    socket.bind(port, loopback, () => resolve(socket));
  });
}
