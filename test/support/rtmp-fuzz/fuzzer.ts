import { RtmpError } from 'rtmp-server-ts';
import { type Random, randomNumbers } from './random.js';
import { spoil } from './spoil.js';
import type { FuzzTarget } from './targets.js';

/** Inputs beside the seeds that are kept to be spoilt further. */
const CORPUS = 500;
/** Milliseconds after which an input is looked at again. */
const STALL = 20;
/** Further inputs are told apart by the outcomes of those before; what was held for microtasks is let go. */
const BATCH = 64;

/** An input that the package did not stand. */
class FuzzFailure extends Error {
  constructor(target: FuzzTarget, input: Uint8Array, cause: unknown) {
    super(`${target.name} fails on ${Buffer.from(input).toString('hex')}`, { cause });
    this.name = 'FuzzFailure';
  }
}

/**
 * Spoils valid inputs. An input from which something comes that came from none before is kept and spoilt further, so that the fuzzing finds its
 * way into the parser.
 */
export class Fuzzer {
  readonly target: FuzzTarget;
  /** How many inputs ended with which code; `ok` for those that were right. */
  readonly outcomes = new Map<string, number>();
  /** Milliseconds that the slowest input takes, and that all of them took. */
  slowest = 0;
  milliseconds = 0;
  inputs = 0;
  readonly #random: Random;
  readonly #corpus: Uint8Array[];
  readonly #seen = new Set<string>();

  constructor(target: FuzzTarget, seed: number) {
    this.target = target;
    this.#random = randomNumbers(seed);
    this.#corpus = [...target.seeds];
  }

  get kept(): number {
    return this.#corpus.length - this.target.seeds.length;
  }

  /** What is kept, each the first from which something new came. */
  get found(): readonly Uint8Array[] {
    return this.#corpus.slice(this.target.seeds.length);
  }

  /** @throws FuzzFailure */
  async run(count: number): Promise<void> {
    for (let left = count; left > 0; left -= BATCH) {
      for (let index = Math.min(left, BATCH); index > 0; index -= 1) this.#one();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #one(): void {
    const random = this.#random;
    const input = spoil(this.#pick(), this.#pick(), random);
    const before = performance.now();
    const { code, way } = this.#feed(input);
    this.#took(performance.now() - before, input);
    this.inputs += 1;
    this.outcomes.set(code, (this.outcomes.get(code) ?? 0) + 1);
    if (this.#seen.has(way) || this.kept >= CORPUS) return;
    this.#seen.add(way);
    this.#corpus.push(input);
  }

  #feed(input: Uint8Array): { readonly code: string; readonly way: string } {
    try {
      return { code: 'ok', way: this.target.feed(input, this.#random) };
    } catch (error) {
      if (!(error instanceof RtmpError)) throw new FuzzFailure(this.target, input, this.#again(input) ?? error);
      // Of each error some inputs of every length, in powers of two.
      return { code: error.code, way: `${error.code} ${Math.clz32(input.length)}` };
    }
  }

  /** The failure with its stack, which the script does without for speed. */
  #again(input: Uint8Array): unknown {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 20;
    try {
      this.target.feed(input, this.#random);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** A machine that is busy with other things is slow once, a slow input is so again. */
  #took(milliseconds: number, input: Uint8Array): void {
    this.milliseconds += milliseconds;
    let least = milliseconds;
    for (let repetition = 0; least > STALL && repetition < 5; repetition += 1) {
      const before = performance.now();
      this.#feed(input);
      least = Math.min(least, performance.now() - before);
    }
    this.slowest = Math.max(this.slowest, least);
  }

  #pick(): Uint8Array {
    return this.#corpus[this.#random(this.#corpus.length)] ?? new Uint8Array(0);
  }
}
