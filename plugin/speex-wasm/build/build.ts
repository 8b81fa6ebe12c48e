/**
 * Compiles libspeex to dist/speex.wasm, unless it is there already, made from the same inputs. Without libspeex's source
 * the build says so and goes on: what needs the codec finds no module and does without.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { compile } from './compile.js';
import { advice, findSource, sourceSha256 } from './source.js';
import { untarGzip } from './untar.js';

const here = new URL('./', import.meta.url);
const dist = new URL('../dist/', here);
const wasm = new URL('speex.wasm', dist);
const stamp = new URL('speex.wasm.inputs', dist);

const inputs = await hashInputs();
if (!(await isUpToDate())) await build();

async function build(): Promise<void> {
  const found = await findSource(new URL('../.cache/', here), process.env.SPEEX_SOURCE);
  if ('missing' in found) {
    // Made from other inputs, it may lack what the package now calls.
    await rm(wasm, { force: true });
    console.error(`speex-wasm: not built, so calls cannot be transcoded: ${found.missing}. ${advice}`);
    return;
  }
  console.error('speex-wasm: compiling libspeex, about 10 s, only when something changed');
  const source = untarGzip(found.tarball);
  const bytes = await compile(source, new URL('../native/', here));
  await mkdir(dist, { recursive: true });
  // libspeex's licence wants to go wherever its code goes.
  await replace(new URL('speex.wasm.licence', dist), source.get('speex-1.2.1/COPYING') ?? '');
  await replace(wasm, bytes);
  await replace(stamp, inputs);
}

async function isUpToDate(): Promise<boolean> {
  try {
    const [made] = await Promise.all([readFile(stamp, 'utf8'), readFile(wasm)]);
    return made === inputs;
  } catch {
    return false;
  }
}

/** What the module is made of: libspeex, the compiler, our C, and how they are put together. */
async function hashInputs(): Promise<string> {
  const hash = createHash('sha256').update(sourceSha256);
  const own = new URL('../package.json', here);
  hash.update(JSON.stringify(JSON.parse(await readFile(own, 'utf8')).devDependencies));
  hash.update(await readFile(new URL('compile.ts', here)));
  const native = new URL('../native/', here);
  for (const name of (await readdir(native)).sort()) hash.update(await readFile(new URL(name, native)));
  return hash.digest('hex');
}

/** At once, so that a build that runs beside this one never reads half a file. */
async function replace(file: URL, content: string | Uint8Array): Promise<void> {
  const part = new URL(`${file.href}.${randomUUID()}`);
  await writeFile(part, content);
  await rename(part, file);
}
