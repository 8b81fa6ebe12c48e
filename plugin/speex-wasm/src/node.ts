import { readFile } from 'node:fs/promises';
import { compileSpeex, type SpeexModule } from './module.js';

/** Where the build puts the module, seen from src/ and from dist/. */
const file = new URL('../dist/speex.wasm', import.meta.url);

/**
 * Compiles the module that `npm run build` made.
 *
 * @returns undefined when the build made none, because it found no libspeex
 */
export async function loadSpeex(): Promise<SpeexModule | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return compileSpeex(bytes);
}
