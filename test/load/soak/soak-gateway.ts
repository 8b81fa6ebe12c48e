import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../gateway.js';
import { CallResults } from './gateway-log.js';
import { heapOptions } from './heap.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** The gateway as a process that can be asked what it holds. */
export class SoakGateway {
  readonly results = new CallResults();
  readonly rtmpPort: number;
  readonly sipPort: number;
  readonly #process: ReturnType<typeof spawn>;

  private constructor(process: ReturnType<typeof spawn>, rtmpPort: number, sipPort: number) {
    this.#process = process;
    this.rtmpPort = rtmpPort;
    this.sipPort = sipPort;
  }

  static async start(folder: string): Promise<SoakGateway> {
    const [rtmpPort, sipPort] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, [...heapOptions(folder), main], {
      env: {
        PATH: process.env.PATH,
        SONO_RTMP_PORT: String(rtmpPort),
        SONO_SIP_PORT: String(sipPort),
        SONO_HTTP_PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gateway = new SoakGateway(child, rtmpPort, sipPort);
    createInterface({ input: child.stderr }).on('line', (line) => gateway.results.read(line));
    const exit = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`${main} ended with ${code}; is it built?`)),
    );
    await Promise.race([once(child.stdout, 'data'), exit]);
    exit.catch(() => {});
    child.stdout.resume();
    return gateway;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await gone;
  }
}
