import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resample } from './resample.js';
import { maxWavSamples, readWav, wavHeader, wavHeaderLength } from './wav.js';

/** Octets of a file that is read: more than an hour of CD quality. */
const maxFile = 2 ** 30;

/** @throws WavError when it is none; the system's error when it cannot be read; RangeError when it is too long */
export async function loadWav(path: string, sampleRate: number): Promise<Int16Array> {
  const { size } = await stat(path);
  if (size > maxFile) throw new RangeError(`it has ${size} octets; at most ${maxFile} are read`);
  const sound = readWav(await readFile(path));
  return resample(sound.samples, sound.sampleRate, sampleRate);
}

/** A WAV file that grows with a call: no call is too long for the memory. */
export class WavRecorder {
  readonly #file: number;
  readonly #sampleRate: number;
  #count = 0;

  /** @throws the system's error when the file cannot be written */
  constructor(path: string, sampleRate: number) {
    this.#file = openSync(path, 'w');
    this.#sampleRate = sampleRate;
    writeSync(this.#file, wavHeader(sampleRate, 0), 0, wavHeaderLength, 0);
  }

  append(samples: Int16Array): void {
    const fitting = samples.subarray(0, maxWavSamples - this.#count);
    const bytes = new Uint8Array(fitting.buffer, fitting.byteOffset, fitting.byteLength);
    writeSync(this.#file, bytes, 0, bytes.length, wavHeaderLength + this.#count * 2);
    this.#count += fitting.length;
  }

  /** Writes the sizes, which only now are known. */
  close(): void {
    writeSync(this.#file, wavHeader(this.#sampleRate, this.#count), 0, wavHeaderLength, 0);
    closeSync(this.#file);
  }
}
