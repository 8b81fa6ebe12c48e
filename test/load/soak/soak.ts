import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SipPeer } from '../../support/sip-peer/sip-peer.js';
import { freePort } from '../gateway.js';
import { CallResults } from './gateway-log.js';
import { type Heap, heapOf, heapOptions } from './heap.js';
import { random } from './random.js';
import { type Resources, resourcesOf } from './resources.js';
import { draw, type Scenario, scenarios } from './scenarios.js';
import { SoakPhone } from './soak-phone.js';

export interface SoakOptions {
  readonly calls: number;
  /** The same seed draws the same calls and, as far as timing allows, loses the same datagrams. */
  readonly seed: number;
  /** Phones that call at the same time. Default 50. */
  readonly phones?: number;
  /** Share of SIP datagrams that are lost, each way. Default 0.02. */
  readonly loss?: number;
  /** Whether calls may last until somebody gives up after half a minute. Default true. */
  readonly slow?: boolean;
  /** Milliseconds after the last call until transactions are over: 64 * T1 and a little. Default 40,000. */
  readonly drainMs?: number;
  readonly progress?: (text: string) => void;
}

export interface SoakOutcome {
  /** Calls by the name of their scenario. */
  readonly calls: ReadonlyMap<string, number>;
  readonly seconds: number;
  /** What went otherwise than it should, one line each. */
  readonly complaints: readonly string[];
  /** When all was at rest: before the first call, after the first quarter of the calls, and after the last. */
  readonly idle: Resources;
  readonly warm: Resources;
  readonly end: Resources;
  readonly heap: Heap;
}

/** embedded-sip keeps one for each far end on loopback, to learn when nobody listens there. */
export const keptSockets = 1;

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** Makes so many short calls, of all kinds, with a gateway of its own, and looks at what is left of them. */
export async function soak(options: SoakOptions): Promise<SoakOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const gateway = await Gateway.start(folder);
  try {
    return await new Soak(gateway, options).run(folder);
  } finally {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Gateway {
  readonly results = new CallResults();
  readonly rtmpPort: number;
  readonly sipPort: number;
  readonly #process: ReturnType<typeof spawn>;

  private constructor(process: ReturnType<typeof spawn>, rtmpPort: number, sipPort: number) {
    this.#process = process;
    this.rtmpPort = rtmpPort;
    this.sipPort = sipPort;
  }

  static async start(folder: string): Promise<Gateway> {
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
    const gateway = new Gateway(child, rtmpPort, sipPort);
    createInterface({ input: child.stderr }).on('line', (line) => gateway.results.read(line));
    await once(child.stdout, 'data');
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

class Soak {
  readonly #gateway: Gateway;
  readonly #options: Required<SoakOptions>;
  readonly #drawn: readonly Scenario[];
  readonly #complaints: string[] = [];
  readonly #counts = new Map<string, number>();
  #done = 0;

  constructor(gateway: Gateway, options: SoakOptions) {
    this.#gateway = gateway;
    this.#options = { phones: 50, loss: 0.02, slow: true, drainMs: 40_000, progress: () => {}, ...options };
    const { calls, seed, slow } = this.#options;
    const choose = random(seed);
    const from = scenarios.filter((scenario) => slow || !scenario.slow);
    this.#drawn = Array.from({ length: calls }, () => draw(choose(), from));
  }

  async run(folder: string): Promise<SoakOutcome> {
    const { calls, seed, loss, progress } = this.#options;
    const warmUp = Math.floor(calls / 4);
    const { pid, sipPort } = this.#gateway;
    const lose = random(seed + 1);
    const peer = await SipPeer.start({ gateway: sipPort, loses: () => lose() < loss });
    const idle = resourcesOf(pid);
    const began = performance.now();
    const timer = setInterval(() => progress(`${this.#done} of ${calls} calls`), 10_000);
    await this.#make(peer, 0, warmUp);
    const warm = await this.#rest(idle);
    await this.#make(peer, warmUp, calls);
    const seconds = (performance.now() - began) / 1000;
    clearInterval(timer);
    progress(`${this.#done} calls in ${seconds.toFixed(0)} s; waiting until all is over`);
    const end = await this.#rest(idle);
    this.#compare();
    peer.close();
    progress('counting what is left in memory');
    const heap = await heapOf(pid, folder);
    return { calls: this.#counts, seconds, complaints: this.#complaints, idle, warm, end, heap };
  }

  /** Makes the calls from one number up to another, each phone one after the other. */
  async #make(peer: SipPeer, from: number, to: number): Promise<void> {
    let next = from;
    const one = async () => {
      const phone = await SoakPhone.connect(this.#gateway.rtmpPort);
      while (next < to) await this.#call(phone, peer, next++);
      phone.close();
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.phones, to - from) }, one));
  }

  async #call(phone: SoakPhone, peer: SipPeer, number: number): Promise<void> {
    const scenario = this.#drawn[number];
    if (!scenario) return;
    const name = nameOf(number);
    const dial = () => phone.dial(peer.uri(name));
    phone.begin();
    try {
      await scenario.run({
        phone,
        dial,
        dialled: () => {
          const called = peer.expect(name);
          dial();
          return called;
        },
        called: async () => {
          const call = peer.call(phone.address, name);
          await phone.until('called');
          return call;
        },
        random: random(this.#options.seed + number),
      });
      if (!scenario.vanishes) {
        await phone.until(0);
        const complaint = phone.complaint();
        if (complaint) throw new Error(complaint);
      }
    } catch (error) {
      this.#complaints.push(`${name}, ${scenario.name}: ${error instanceof Error ? error.message : String(error)}`);
      // What it is still in ends with it.
      await phone.vanish();
    }
    peer.forget(name);
    this.#counts.set(scenario.name, (this.#counts.get(scenario.name) ?? 0) + 1);
    this.#done++;
  }

  /** Each call has exactly one result, and one that it may have. */
  #compare(): void {
    const { results } = this.#gateway;
    this.#complaints.push(...results.complaints);
    for (const [number, scenario] of this.#drawn.entries()) {
      const found = results.of(nameOf(number)) ?? [];
      if (found.length === 1 && found.every(({ result }) => scenario.results.includes(result))) continue;
      const told = found.map(({ result, reason }) => `${result} (${reason})`).join(', ');
      this.#complaints.push(`${nameOf(number)}, ${scenario.name}: ${told || 'no result'}`);
    }
  }

  /** Until nobody is connected, no port is open that was not before, and the transactions are over. */
  async #rest(idle: Resources): Promise<Resources> {
    const { pid } = this.#gateway;
    for (let waited = 0; waited < 60 && resourcesOf(pid).sockets > idle.sockets + keptSockets; waited++)
      await sleep(1_000);
    await sleep(this.#options.drainMs);
    return resourcesOf(pid);
  }
}

const nameOf = (number: number): string => `call${number}`;
