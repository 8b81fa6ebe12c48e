import { fileURLToPath } from 'node:url';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('librtmp-server.py', import.meta.url));

/** librtmp as the server of one connection: it shakes hands and reads one message; what came of it are lines of its output. */
export async function startLibrtmpServer(
  scope: Scope,
): Promise<{ readonly port: number; readonly process: PeerProcess }> {
  const process = await PeerProcess.start(scope, python, [script]);
  const listening = await process.stdout.find('its port', (line) => line.startsWith('listening '));
  return { port: Number(listening.slice('listening '.length)), process };
}
