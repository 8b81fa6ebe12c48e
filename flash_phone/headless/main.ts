#!/usr/bin/env node
import { CommanderError } from 'commander';
import { loadSpeex } from 'speex-wasm/node';
import { type Arguments, readArguments } from './arguments.js';
import { sampleRate } from './codec.js';
import { exitCode } from './exit-code.js';
import { jsonReporter, quietReporter, type Reporter, textReporter } from './report.js';
import { TestCall } from './test-call.js';
import { testSound } from './test-sound.js';
import { WavError } from './wav.js';
import { loadWav, WavRecorder } from './wav-file.js';

/** A file cannot be used; the message says which and why. */
class FileError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2), process.env);
  const speex = await loadSpeex();
  if (speex === undefined) throw new Error('there is no Speex codec; "npm run build" makes it, or says what it needs');
  const sound = options.wav === undefined ? testSound() : await openWav(options.wav);
  const recorder = options.record === undefined ? undefined : openRecorder(options.record);
  const reporter = reporterFor(options);
  const record = (samples: Int16Array) => recorder?.append(samples);
  const call = new TestCall({ ...options, sound, speex, record }, reporter.tell);
  stopOnSignal(() => void call.stop());
  const summary = await call.run();
  recorder?.close();
  reporter.sum(summary);
  return summary.exitCode;
}

function reporterFor({ json, quiet }: Arguments): Reporter {
  if (quiet) return quietReporter((text) => process.stderr.write(text));
  const write = (text: string) => process.stdout.write(text);
  return json ? jsonReporter(write) : textReporter(write);
}

async function openWav(path: string): Promise<Int16Array> {
  try {
    return await loadWav(path, sampleRate);
  } catch (error) {
    throw fileError(path, error);
  }
}

function openRecorder(path: string): WavRecorder {
  try {
    return new WavRecorder(path, sampleRate);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The system's errors have a code too; everything else is a fault of this program. */
function fileError(path: string, error: unknown): unknown {
  const expected = error instanceof WavError || error instanceof RangeError;
  return expected || (error instanceof Error && 'code' in error) ? new FileError(path, error) : error;
}

/** A terminal and npm each send Ctrl-C: what follows the first signal so closely is that one again. */
const sameSignalMs = 300;

/** The first signal hangs up; a second one ends at once. */
function stopOnSignal(hangUp: () => void): void {
  let since: number | undefined;
  const stop = () => {
    if (since !== undefined) {
      if (performance.now() - since > sameSignalMs) process.exit(exitCode.interrupted);
      return;
    }
    since = performance.now();
    hangUp();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCode.usage;
  if (!(error instanceof FileError)) throw error;
  process.stderr.write(`phone: ${error.message}\n`);
  return exitCode.usage;
}

// Not by running out of work: the timers of a call that the far end ended go on.
process.exit(await main().catch(exitCodeOf));
