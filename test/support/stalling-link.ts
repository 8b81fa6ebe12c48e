import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopback } from './ports.js';
import type { Scope } from './scope.js';

/** A TCP connection's way to a local port that can stand still: what is sent meanwhile arrives at once afterwards. */
export class StallingLink {
  readonly port: number;
  #until = 0;

  private constructor(port: number) {
    this.port = port;
  }

  /** Stalls from the near to the far end only; what comes back is not held up. */
  static async open(scope: Scope, farPort: number): Promise<StallingLink> {
    const server = createServer((near) => {
      const far = connect(farPort, loopback);
      far.setNoDelay(true);
      for (const socket of [near, far]) socket.on('error', () => {});
      near.on('data', async (bytes) => {
        const wait = link.#until - performance.now();
        if (wait > 0) {
          near.pause();
          await sleep(wait);
          near.resume();
        }
        far.write(bytes);
      });
      near.on('close', () => far.destroy());
      far.pipe(near);
      scope.defer(() => near.destroy());
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, loopback, () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
    const link = new StallingLink(port);
    scope.defer(() => server.close());
    return link;
  }

  stall(ms: number): void {
    this.#until = performance.now() + ms;
  }
}
