import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { root } from './source-tree.js';

const flash = join(root, 'flash_phone/flash');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

it('the Flash phone in the repository is what its source compiles to', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flash-'));
  folders.push(folder);
  cpSync(flash, folder, { recursive: true });
  rmSync(join(folder, 'sono-phone.swf'));
  await promisify(execFile)('haxe', ['build.hxml'], { cwd: folder });
  const [built, bundled] = [folder, flash].map((place) => readFileSync(join(place, 'sono-phone.swf')));
  expect(built?.equals(bundled ?? Buffer.alloc(0)), 'run npm run build:flash and commit the .swf').toBe(true);
});
