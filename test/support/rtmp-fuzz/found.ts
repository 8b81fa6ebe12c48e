import { readFileSync, writeFileSync } from 'node:fs';
import type { Fuzzer } from './fuzzer.js';

/** Inputs that fuzzing has found, in hexadecimal digits, by the name of their target. */
type Found = Readonly<Record<string, readonly string[]>>;

const file = new URL('found.json', import.meta.url);
/** Of each target: the shortest, for they say the most. */
const COUNT = 60;
const LENGTH = 3_200;
const BYTES = 16_000;

/** @returns what was found of a target */
export function foundInputs(target: string): readonly Uint8Array[] {
  const found: Found = JSON.parse(readFileSync(file, 'utf8'));
  return (found[target] ?? []).map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
}

export function keepFound(fuzzers: readonly Fuzzer[]): void {
  const found: Found = Object.fromEntries(fuzzers.map((fuzzer) => [fuzzer.target.name, shortest(fuzzer.found)]));
  writeFileSync(file, `${JSON.stringify(found, undefined, 2)}\n`);
}

function shortest(inputs: readonly Uint8Array[]): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const input of inputs.toSorted((a, b) => a.length - b.length).slice(0, COUNT)) {
    bytes += input.length;
    if (input.length <= LENGTH && bytes <= BYTES) kept.push(Buffer.from(input).toString('hex'));
  }
  return kept;
}
