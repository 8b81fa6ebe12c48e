import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keepFound } from '../support/rtmp-fuzz/found.js';
import { Fuzzer } from '../support/rtmp-fuzz/fuzzer.js';
import { FUZZ_TARGETS } from '../support/rtmp-fuzz/targets.js';

/**
 * Feeds spoilt input to every parser of the RTMP package: `node --conditions=source --import tsx test/load/fuzz.ts [COUNT] [SEED]`, COUNT
 * inputs in all (default 1,000,000), the same ones for the same SEED; KEEP=1 puts what was found into test/support/rtmp-fuzz/found.json. Ends with 1, and the input in hexadecimal digits, when a parser throws
 * anything but an RtmpError, when a single input takes a quarter of a second, or when memory has grown.
 */
const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
const ROUNDS = 40;
const SLOW = 250;
const GROWTH = 32 * 1024 * 1024;

// Most of the time of an error goes into its stack.
Error.stackTraceLimit = 0;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function heap(): Promise<number> {
  // What finalisers let go is gone only after the turn in which they run.
  for (let turn = 0; turn < 3; turn += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

async function main(): Promise<void> {
  console.log(`seed ${seed}, ${count} inputs`);
  const fuzzers = FUZZ_TARGETS.map((target, index) => new Fuzzer(target, seed + index));
  const shares = FUZZ_TARGETS.reduce((total, { share }) => total + share, 0);
  const started = performance.now();
  let before = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const fuzzer of fuzzers) await fuzzer.run(Math.ceil((count * fuzzer.target.share) / shares / ROUNDS));
    // By then the code is compiled, and the corpora are as good as full.
    if (round === ROUNDS / 4) before = await heap();
    const inputs = fuzzers.reduce((total, fuzzer) => total + fuzzer.inputs, 0);
    const seconds = Math.round((performance.now() - started) / 1_000);
    console.error(`${inputs} inputs, ${seconds} s, ${megabytes(process.memoryUsage().rss)} resident`);
  }
  const after = await heap();
  for (const { target, inputs, outcomes, kept, slowest, milliseconds } of fuzzers) {
    const mean = `${((1_000 * milliseconds) / inputs).toFixed(1)} us each`;
    console.log(
      `\n${target.name}: ${inputs} inputs, ${kept} kept, ${mean}, the slowest takes ${slowest.toFixed(1)} ms`,
    );
    for (const [code, times] of [...outcomes].sort(([, a], [, b]) => b - a)) console.log(`  ${code} ${times}`);
  }
  if (process.env.KEEP !== undefined) keepFound(fuzzers);
  console.log(`\nheap after a quarter ${megabytes(before)}, at the end ${megabytes(after)}`);
  const slowest = Math.max(...fuzzers.map((fuzzer) => fuzzer.slowest));
  if (slowest > SLOW) throw new Error(`an input takes ${Math.round(slowest)} ms`);
  if (after - before > GROWTH) throw new Error(`the heap has grown by ${megabytes(after - before)}`);
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
