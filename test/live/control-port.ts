import { once } from 'node:events';
import { connect } from 'node:net';
import type { LiveSettings } from './settings.js';

/** Whether somebody listens at the server's control port. */
export async function answers({ host, port }: Pick<LiveSettings, 'host' | 'port'>): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
