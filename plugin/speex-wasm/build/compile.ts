import { readdir, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { commands, type RunOptions, runLLVM, type Tree } from '@yowasp/clang';

/**
 * What libspeex's configure script would choose. Without the codec's other sources (file headers, stereo, resampling)
 * the rest of the library is just the codec.
 */
const defines = ['FLOATING_POINT', 'VAR_ARRAYS', 'RELEASE', 'DISABLE_WARNINGS', 'OS_SUPPORT_CUSTOM', 'EXPORT='];
const unused = /^(?:test.*|kiss_.*|fftwrap|smallft|vorbis_psy|stereo|speex_header)\.c$/;

const target = ['-target', 'wasm32-wasip1', '-O3', '-Iinclude', '-Iinclude/speex', '-Ilibspeex'];

/** Octets of stack: the deepest call, an ultra-wideband encoder, uses about 20,000. First in memory, overflow traps. */
const stack = ['-z', 'stack-size=131072', '--stack-first'];

/**
 * The WebAssembly module of libspeex and our exports.
 *
 * @param source The release's files by path.
 * @param native Folder with our C.
 * @throws Error with the compiler's messages
 */
export async function compile(source: ReadonlyMap<string, Uint8Array>, native: URL): Promise<Uint8Array> {
  const library: Record<string, Uint8Array> = {};
  const headers: Record<string, Uint8Array> = {};
  for (const [path, bytes] of source) {
    const name = posix.basename(path);
    if (/\/libspeex\/\w+\.[ch]$/.test(path) && !unused.test(name)) library[name] = bytes;
    if (/\/include\/speex\/\w+\.h$/.test(path)) headers[name] = bytes;
  }
  for (const name of await readdir(native)) {
    const bytes = await readFile(new URL(name, native));
    if (name.endsWith('.c')) library[`exports-${name}`] = bytes;
    else headers[name] = bytes;
  }
  const files = { libspeex: library, include: { speex: headers } };
  // Without arguments it only loads the tools, which else would report on that.
  await runLLVM(undefined, undefined, { fetchProgress: () => {} });
  const objects: Record<string, Uint8Array> = {};
  for (const name of Object.keys(library)) {
    if (!name.endsWith('.c')) continue;
    const options = [...target, ...defines.map((define) => `-D${define}`)];
    const args = ['-c', ...options, `libspeex/${name}`, '-o', 'out.o'];
    objects[`${name}.o`] = await tool(`clang ${name}`, 'out.o', (output) => commands.clang(args, files, output));
  }
  // One command for both is not possible: the driver would have to start the linker as a process.
  const inputs = [...Object.keys(objects), '-L/usr/lib/wasm32-wasip1', '-lc', '-lm'];
  const args = ['--no-entry', '--gc-sections', '--strip-all', ...stack, ...inputs, '-o', 'speex.wasm'];
  return tool('wasm-ld', 'speex.wasm', (output) => commands['wasm-ld'](args, objects, output));
}

type Start = (output: RunOptions) => Promise<Tree> | Tree | undefined;

/** Runs a tool whose result is one file. */
async function tool(name: string, result: string, start: Start): Promise<Uint8Array> {
  const said: Uint8Array[] = [];
  const stderr = (bytes: Uint8Array | null): void => void said.push(bytes ?? new Uint8Array());
  const failed = (cause: unknown) => new Error(`${name} failed: ${Buffer.concat(said).toString().trim()}`, { cause });
  let tree: Tree | undefined;
  try {
    tree = await start({ stderr });
  } catch (error) {
    throw failed(error);
  }
  const file = tree?.[result];
  if (!(file instanceof Uint8Array)) throw failed(`no ${result}`);
  return file;
}
