/** Bundles the JavaScript API, its worklet and the web phone into dist/web, which the gateway serves. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const out = path('../../../dist/web/');

const common = { bundle: true, minify: true, sourcemap: false, target: 'es2022', conditions: ['source'] } as const;
const bundle = (entry: string, outfile: string, format: 'esm' | 'iife') =>
  build({ ...common, entryPoints: [path(entry)], outfile: out + outfile, format, legalComments: 'none' });

await mkdir(out, { recursive: true });
await Promise.all([
  bundle('../src/index.ts', 'sono-phone.mjs', 'esm'),
  bundle('../src/script-tag.ts', 'sono-phone.js', 'iife'),
  bundle('../worklet/worklet.ts', 'sono-phone-worklet.js', 'iife'),
  // No module: browsers load none for a page from a file, which is to say what is wrong.
  bundle('../page/main.ts', 'page.js', 'iife'),
  build({ entryPoints: [path('../page/phone.css')], outfile: `${out}phone.css`, minify: true }),
  copyFile(path('../page/index.html'), `${out}index.html`),
  copyFile(path('../page/icon.svg'), `${out}icon.svg`),
  writeFile(`${out}sono-phone.d.mts`, "export * from './types/flash_phone/web/src/index.js';\n"),
  copyFolder('../examples/', 'examples/'),
  // Absent where the build had no libspeex: the phone then speaks G.711.
  copyFile(path('../../../plugin/speex-wasm/dist/speex.wasm'), `${out}speex.wasm`).catch(() => {}),
  copyFile(path('../../../plugin/speex-wasm/dist/speex.wasm.licence'), `${out}speex.wasm.licence.txt`).catch(() => {}),
]);

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(out + to, { recursive: true });
  for (const name of await readdir(path(from))) await copyFile(path(from + name), out + to + name);
}
