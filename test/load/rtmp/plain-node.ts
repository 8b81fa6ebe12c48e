import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

/**
 * Node's options that run a TypeScript file which imports packages alone. tsx would have the packages, too, in another form than they are
 * used in, which costs them a sixth of their speed. The file gets its arguments as ever, after its own name.
 */
export async function plainNodeOptions(script: URL): Promise<string[]> {
  const { code } = await transform(readFileSync(script, 'utf8'), { loader: 'ts', format: 'esm', target: 'node20' });
  return ['--input-type=module', '--eval', code, fileURLToPath(script)];
}

export async function plainNode(script: URL, args: readonly string[]): Promise<ChildProcess> {
  return spawn(process.execPath, [...(await plainNodeOptions(script)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
