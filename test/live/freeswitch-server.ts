import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { PeerProcess } from '../support/process.js';
import { Scope } from '../support/scope.js';
import { answers } from './control-port.js';
import { type FreeSwitchSettings, readFreeSwitch } from './settings.js';

/** It loads its modules first. */
const startTimeMs = 30_000;

/** The FreeSWITCH server of the live tests, by its event socket. */
export class FreeSwitchServer {
  readonly #settings: FreeSwitchSettings;
  readonly #scope: Scope;
  #process: PeerProcess | undefined;

  constructor(settings: FreeSwitchSettings, scope: Scope) {
    this.#settings = settings;
    this.#scope = scope;
  }

  /** As `SONO_FREESWITCH_HOST` has it. */
  get address(): string {
    const { host, port, secret } = this.#settings;
    return `${host}:${port}:${secret}`;
  }

  get restartable(): boolean {
    return this.#settings.command !== undefined;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Runs the command until the file's tests are over, and waits until the event socket answers. */
  async start(): Promise<void> {
    const { host, port, command = '' } = this.#settings;
    const scope = this.#scope;
    // A group of its own, so that what the command starts ends with it.
    const running = await PeerProcess.start(scope, 'setsid', ['sh', '-c', `exec ${command}`], { timeLimitMs: 600_000 });
    this.#process = running;
    scope.defer(async () => {
      if (this.#process === running) await this.signal('SIGKILL');
    });
    for (const deadline = Date.now() + startTimeMs; Date.now() < deadline; await sleep(100)) {
      if ((await answers(this.#settings)) && (await this.#hasProfile())) return;
    }
    throw new Error(`nothing answers at ${host}:${port} after ${JSON.stringify(command)}:\n${running.stderr.tail()}`);
  }

  /** SIGKILL as after a crash, SIGSTOP and SIGCONT as when it hangs. */
  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It has ended already.
    }
    if (signal === 'SIGKILL') await this.#process?.exited;
  }

  /** Runs a command of its console. */
  async api(command: string): Promise<string> {
    const { host, port, secret } = this.#settings;
    const socket = connect(port, host);
    let text = '';
    socket.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
    socket.write(`auth ${secret}\n\napi ${command}\n\nexit\n\n`);
    await once(socket, 'close', { signal: AbortSignal.timeout(5_000) });
    const answer = /Content-Type: api\/response\nContent-Length: (\d+)\n\n/.exec(text);
    const from = (answer?.index ?? 0) + (answer?.[0].length ?? 0);
    return text.slice(from, from + Number(answer?.[1] ?? 0)).trim();
  }

  /** Channels that it has. */
  async channels(): Promise<number> {
    return Number(/^(\d+) session\(s\) - peak/m.exec(await this.api('status'))?.[1] ?? Number.NaN);
  }

  /** Waits until it has so many channels. */
  async waitChannels(count: number, timeoutMs = 5_000): Promise<void> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(50)) {
      if ((await this.channels()) === count) return;
    }
    throw new Error(`FreeSWITCH has ${await this.channels()} channels after ${timeoutMs} ms, not ${count}`);
  }

  async #hasProfile(): Promise<boolean> {
    return (await this.api('sofia status').catch(() => '')).includes('drachtio_mrf');
  }
}

/** The server for all tests of a file: started here when the settings say how, else it is running. */
export function useFreeSwitch(): () => FreeSwitchServer {
  const settings = readFreeSwitch();
  const scope = new Scope();
  const server = settings && new FreeSwitchServer(settings, scope);
  beforeAll(async () => {
    if (server?.restartable) await server.start();
  }, startTimeMs + 5_000);
  afterAll(() => scope.close());
  beforeEach(({ skip }) => {
    skip(server === undefined, 'SONO_LIVE_FREESWITCH is not set: there is no FreeSWITCH server to test with');
  });
  return () => {
    if (!server) throw new Error('there is no FreeSWITCH server');
    return server;
  };
}
