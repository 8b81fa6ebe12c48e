import { setTimeout as sleep } from 'node:timers/promises';
import type { EchoCall } from './echo-call.js';
import type { MeasuredProcess } from './measured-process.js';
import { talkAll } from './talk.js';

/** Frames that each call sends before it is measured: code is compiled while it runs. */
export const warmUpFrames = 150;

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
    for (let i = 0; i < count; i++) this.#calls.push(await start());
    await this.#talk(warmUpFrames);
    await sleep(500);
    this.#takeDelays();
  }

  /** All calls talk for so long. */
  async run(seconds: number): Promise<void> {
    const frames = seconds * 50;
    const before = this.#process.cpuSeconds();
    const began = performance.now();
    await this.#talk(frames);
    const elapsed = (performance.now() - began) / 1000;
    this.cpu.push((this.#process.cpuSeconds() - before) / elapsed / this.#calls.length);
    await sleep(500);
    this.sent += frames * this.#calls.length;
    for (const delay of this.#takeDelays()) this.delays.push(delay);
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

  #takeDelays(): number[] {
    return this.#calls.flatMap(({ talk }) => talk.delays.splice(0));
  }
}
