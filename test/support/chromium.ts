import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

/** Chromium without a window, on one page. What the page writes to its console is on standard error. */
export async function openPage(scope: Scope, url: string): Promise<PeerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'chromium-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  // Its sandbox wants more of the kernel than a container gives; the page is ours.
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const quiet = ['--enable-logging=stderr', '--disable-background-networking', '--disable-component-update'];
  return await PeerProcess.start(scope, 'chromium', [...options, ...quiet, `--user-data-dir=${folder}`, url]);
}
