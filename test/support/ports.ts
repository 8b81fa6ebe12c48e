import { createSocket, type Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultWaitMs } from './event-log.js';

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

/** The state of a TCP socket that listens, as proc(5) has it: others may be left of connections that are over. */
const listening = '0A';

/** Whether some socket on this machine takes what comes to the port (Linux). */
export async function isBound(transport: 'udp' | 'tcp', port: number): Promise<boolean> {
  const table = await readFile(`/proc/net/${transport}`, 'utf8');
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local?.endsWith(`:${hex}`) === true && (transport === 'udp' || state === listening);
  });
}

/** Waits until something is bound to the port; false when nothing is after all that time. */
export async function untilBound(transport: 'udp' | 'tcp', port: number): Promise<boolean> {
  for (const deadline = Date.now() + defaultWaitMs; Date.now() < deadline; await sleep(20)) {
    if (await isBound(transport, port)) return true;
  }
  return false;
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
