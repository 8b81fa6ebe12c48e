import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { EventLog } from './event-log.js';
import { freePort, freePortRange, loopback } from './ports.js';
import { type ExitStatus, PeerProcess } from './process.js';
import { Scope } from './scope.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const startTimeMs = 30_000;

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly call?: string;
  readonly to?: string;
  readonly result?: string;
  readonly reason?: string;
  /** A FreeSWITCH server. */
  readonly server?: string;
  readonly sipStatus?: number;
  readonly durationMs?: number;
  readonly media?: Readonly<Record<string, number | string>>;
}

export interface GatewayOptions {
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  /** Those of a gateway that was there before; free ones by default. */
  readonly ports?: Ports;
}

/** The gateway as its users start it, with ports of its own. */
export class Gateway {
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly sipPort: number;
  readonly log = new EventLog<LogLine>('gateway');
  readonly #process: PeerProcess;
  /** As it stands in a URL. */
  readonly #host: string;

  private constructor(process: PeerProcess, ports: Ports, host: string) {
    this.#process = process;
    this.#host = isIPv6(host) ? `[${host}]` : host;
    this.rtmpPort = ports.rtmp;
    this.httpPort = ports.http;
    this.sipPort = ports.sip;
    process.stderr.follow((line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
    });
    void process.exited.then(({ code, signal }) => this.log.end(`the gateway ended with ${signal ?? `code ${code}`}`));
  }

  /** Starts it and waits until it is ready for calls. */
  static async start(scope: Scope, options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = await Gateway.launch(scope, options);
    await gateway.#ready();
    return gateway;
  }

  /** Starts it without waiting, for starts that are to fail. */
  static async launch(scope: Scope, { env, args = [], ports: given }: GatewayOptions = {}): Promise<Gateway> {
    if (!existsSync(main)) throw new Error('there is no dist/main.js; run "npm run build" first');
    const ports = given ?? { rtmp: await freePort(), http: await freePort(), sip: await freePort() };
    const rtp = await freePortRange(200);
    const settings = {
      SONO_RTMP_PORT: String(ports.rtmp),
      SONO_HTTP_PORT: String(ports.http),
      SONO_SIP_PORT: String(ports.sip),
      SONO_RTP_PORTS: `${rtp.min}-${rtp.max}`,
      SONO_LOG_LEVEL: 'info',
    };
    const process = await PeerProcess.start(scope, globalThis.process.execPath, [main, ...args], {
      env: { PATH: globalThis.process.env.PATH, ...settings, ...env },
      timeLimitMs: 300_000,
    });
    return new Gateway(process, ports, env?.SONO_HOST ?? loopback);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get ports(): Ports {
    return { rtmp: this.rtmpPort, http: this.httpPort, sip: this.sipPort };
  }

  /** What it told the person who started it. */
  get output(): readonly string[] {
    return this.#process.stdout.all;
  }

  /** Standard error, the log included. */
  get errors(): readonly string[] {
    return this.#process.stderr.all;
  }

  rtmpUrl(path = 'sono'): string {
    return `rtmp://${this.#host}:${this.rtmpPort}/${path}`;
  }

  /** A number at the embedded SIP server. */
  sipUri(user: string): string {
    return `sip:${user}@${this.#host}:${this.sipPort}`;
  }

  http(path: string): Promise<Response> {
    return fetch(`http://${this.#host}:${this.httpPort}${path}`);
  }

  /** The log line of the end of the last call to this URI. */
  async callEnded(uri: string): Promise<LogLine> {
    const isStart = ({ msg, to }: LogLine) => msg === 'call started' && to === uri;
    // The client may know the end of its call before the log of its start has been read here.
    const started = this.log.all.findLast(isStart) ?? (await this.log.find(`a call to ${uri}`, isStart));
    return await this.log.find(
      `the end of the call to ${uri}`,
      ({ msg, call }) => msg === 'call ended' && call === started.call,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  exit(timeoutMs?: number): Promise<ExitStatus> {
    return this.#process.end(timeoutMs);
  }

  async #ready(): Promise<void> {
    let exit: ExitStatus | undefined;
    void this.#process.exited.then((status) => {
      exit = status;
    });
    for (const deadline = Date.now() + startTimeMs; Date.now() < deadline; await sleep(30)) {
      if (exit) {
        throw new Error(`the gateway ended with ${exit.signal ?? `code ${exit.code}`}:\n${this.#told()}`);
      }
      const response = await this.http('/readyz').catch(() => undefined);
      if (!response?.ok) continue;
      // It may be ready before what it tells has been read here.
      await this.#process.stdout.find('the last line of what it tells', (line) => line.startsWith('  SIP '));
      return;
    }
    throw new Error(`the gateway is not ready after ${startTimeMs} ms:\n${this.#told()}`);
  }

  #told(): string {
    return `${this.#process.stdout.tail()}\n${this.#process.stderr.tail()}`;
  }
}

/** One gateway for all tests of a file. */
export function useGateway(options?: GatewayOptions): () => Gateway {
  const scope = new Scope();
  let gateway: Gateway | undefined;
  beforeAll(async () => {
    gateway = await Gateway.start(scope, options);
  }, startTimeMs + 10_000);
  let failed = false;
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });
  afterAll(async () => {
    if (failed) process.stderr.write(`${await scope.describe()}\n`);
    await scope.close();
  });
  return () => {
    if (!gateway) throw new Error('the gateway is started before the first test, not earlier');
    return gateway;
  };
}

interface Ports {
  readonly rtmp: number;
  readonly http: number;
  readonly sip: number;
}
