import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { PeerProcess } from '../support/process.js';
import { Scope } from '../support/scope.js';
import { answers } from './control-port.js';
import type { LiveSettings } from './settings.js';

const startTimeMs = 15_000;

/** A drachtio server that the tests start and kill. */
export class DrachtioServer {
  readonly #process: PeerProcess;

  private constructor(process: PeerProcess) {
    this.#process = process;
  }

  /** Runs the command, and waits until the control port answers. */
  static async start(scope: Scope, command: string, settings: LiveSettings): Promise<DrachtioServer> {
    // A group of its own, so that what the command starts ends with it.
    const process = await PeerProcess.start(scope, 'setsid', ['sh', '-c', command], { timeLimitMs: 600_000 });
    const server = new DrachtioServer(process);
    scope.defer(() => server.kill());
    let ended = false;
    void process.exited.then(() => {
      ended = true;
    });
    for (const deadline = Date.now() + startTimeMs; Date.now() < deadline && !ended; await sleep(50)) {
      if (await answers(settings)) return server;
    }
    const told = `${process.stdout.tail()}\n${process.stderr.tail()}`;
    throw new Error(`nothing answers at ${settings.host}:${settings.port} after ${JSON.stringify(command)}:\n${told}`);
  }

  /** The server is gone without a word, as after a crash. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.#process.exited;
  }
}

/** The server for all tests of a file: started here when the settings say how, else it is running. */
export function useDrachtioServer(settings: LiveSettings): void {
  const scope = new Scope();
  beforeAll(async () => {
    if (settings.command !== undefined) await DrachtioServer.start(scope, settings.command, settings);
  }, startTimeMs + 5_000);
  afterAll(() => scope.close());
}
