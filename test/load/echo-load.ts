import { setTimeout as sleep } from 'node:timers/promises';
import type { EchoCall } from './echo-call.js';
import type { MeasuredProcess } from './measured-process.js';
import { talkAll } from './talk.js';

/**
 * Frames that each call sends before it is measured: code is compiled while it runs, and anew when it comes to what it has not
 * done so far, the last after 10 s of a call.
 */
export const warmUpFrames = 600;

/** Frames with which a turn begins that are not measured: each call is pinged behind a pause, and everything fetched into the caches. */
const leadIn = 25;

/** Calls through one process, and what they cost it. */
export class EchoLoad {
  /** Of all frames that came back. */
  readonly delays: number[] = [];
  /** Share of one core per call, of each turn. */
  readonly cpu: number[] = [];
  sent = 0;
  readonly #process: MeasuredProcess;
  readonly #calls: EchoCall[] = [];

  constructor(process: MeasuredProcess) {
    this.#process = process;
  }

  get lost(): number {
    return this.sent - this.delays.length;
  }

  async add(count: number, start: () => Promise<EchoCall>): Promise<void> {
    const first = this.#calls.length === 0;
    for (let i = 0; i < count; i++) this.#calls.push(await start());
    if (first) await this.#talk(warmUpFrames);
  }

  /** All calls talk for so long. */
  async run(seconds: number): Promise<void> {
    const frames = seconds * 50;
    await this.#talk(leadIn);
    for (const { talk } of this.#calls) talk.forget();
    const before = this.#process.cpuSeconds();
    const began = performance.now();
    await this.#talk(frames);
    const elapsed = (performance.now() - began) / 1000;
    this.cpu.push((this.#process.cpuSeconds() - before) / elapsed / this.#calls.length);
    await sleep(500);
    this.sent += frames * this.#calls.length;
    for (const { talk } of this.#calls) for (const delay of talk.delays) this.delays.push(delay);
  }

  async end(): Promise<void> {
    for (const call of this.#calls) call.end();
    await sleep(500);
    await this.#process.stop();
  }

  #talk(frames: number): Promise<void> {
    return talkAll(
      this.#calls.map(({ talk }) => talk),
      frames,
    );
  }
}
