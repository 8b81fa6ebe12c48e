import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { root } from './source-tree.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Machine {
  /** What dpkg-query answers. */
  readonly installed: string;
  readonly user: number;
  readonly apt: boolean;
}

/** Runs the script where it finds these programs and no others; apt-get only writes down how it was called. */
async function runOn({ installed, user, apt }: Machine) {
  const folder = mkdtempSync(join(tmpdir(), 'peers-'));
  folders.push(folder);
  const program = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  symlinkSync('/bin/bash', join(folder, 'bash'));
  program('dpkg-query', `printf '${installed}'; exit 1`);
  program('id', `echo ${user}`);
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  if (apt) program('apt-get', `echo "$*" >> ${calls}; echo noise`);
  return await new Promise<{ code: number; stdout: string; stderr: string; calls: string[] }>((resolve) => {
    const script = join(root, 'test/support/install-peers.sh');
    execFile('/bin/bash', [script], { env: { PATH: folder } }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, stdout, stderr, calls: readFileSync(calls, 'utf8').trim().split('\n').filter(Boolean) });
    });
  });
}

/** As the script lists them: `  'name|what for'`. */
const packages = [
  ...readFileSync(join(root, 'test/support/install-peers.sh'), 'utf8').matchAll(/^ {2}'([^|']+)\|/gm),
].map(([, name]) => name ?? '');
const all = packages.map((name) => `installed ${name}\\n`).join('');
const withoutSipp = all.replace('installed sip-tester', 'config-files sip-tester');

it('lists the programs that every test run needs', () => {
  expect(packages).toEqual(expect.arrayContaining(['ffmpeg', 'python3-librtmp', 'sip-tester', 'linphone-cli']));
});

it('says and does nothing where all is there', async () => {
  expect(await runOn({ installed: all, user: 0, apt: true })).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
});

it('says what it installs and why, then installs it', async () => {
  const { code, stdout, calls } = await runOn({ installed: withoutSipp, user: 0, apt: true });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Installing [^\n]+:\n {2}sip-tester +sipp: [^\n]+\n$/);
  expect(calls).toEqual(['update -qq', 'install -y -qq --no-install-recommends sip-tester']);
});

it('installs all of them on a new machine', async () => {
  const { calls } = await runOn({ installed: '', user: 0, apt: true });
  expect(calls[1]).toBe(`install -y -qq --no-install-recommends ${packages.join(' ')}`);
});

it('tells anybody but root the command, and fails', async () => {
  const { code, stderr, calls } = await runOn({ installed: withoutSipp, user: 1000, apt: true });
  expect(code).toBe(1);
  expect(stderr).toMatch(/apt-get update && apt-get install -y --no-install-recommends sip-tester\n$/);
  expect(calls).toEqual([]);
});

it('names the programs where there is no apt-get, and fails', async () => {
  const { code, stderr } = await runOn({ installed: '', user: 0, apt: false });
  expect(code).toBe(1);
  for (const name of packages) expect(stderr).toContain(name);
});
