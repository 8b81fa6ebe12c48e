import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventLog } from '../../support/event-log.js';
import { PeerProcess } from '../../support/process.js';
import type { Scope } from '../../support/scope.js';

const main = fileURLToPath(new URL('../../../flash_phone/headless/main.ts', import.meta.url));

/** The headless phone as its users start it. */
export function startPhone(scope: Scope, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<PeerProcess> {
  const node = ['--conditions=source', '--import', 'tsx', main, ...args];
  return PeerProcess.start(scope, process.execPath, node, { env: { PATH: process.env.PATH, ...env } });
}

/** A line of `--json`. */
export interface Line {
  readonly event: string;
  readonly ms: number;
  readonly [name: string]: unknown;
}

export interface Summary extends Line {
  readonly durationMs: number;
  readonly sent: number;
  readonly dropped: number;
  readonly received: number;
  readonly roundTripMs?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly statuses: readonly unknown[];
  readonly summary: Summary;
}

/** Waits for the phone's end and reads its `--json`. */
export async function ended(phone: PeerProcess): Promise<Ended> {
  const { code } = await phone.end(60_000);
  const lines = phone.stdout.all.map((line) => JSON.parse(line) as Line);
  const statuses = lines.flatMap((line) => (line.event === 'status' ? [line.code] : []));
  return { code, lines, statuses, summary: lines.at(-1) as Summary };
}

export async function lineOf(stdout: EventLog<string>, event: string, more = ''): Promise<Line> {
  const isIt = (line: string) => line.includes(`"event":"${event}"`) && line.includes(more);
  return JSON.parse(await stdout.find(`${event} ${more}`, isIt)) as Line;
}

export function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'headless-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
