import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, freePortRange, untilBound } from '../../../support/ports.js';
import type { Scope } from '../../../support/scope.js';
import type { Scenario } from './scenario.js';

const scenarios = fileURLToPath(new URL('../scenarios', import.meta.url));

export interface SippRun {
  /** Name of a file beside the tests, without `.xml`, or one put together. */
  readonly scenario: string | Scenario;
  readonly transport: string;
  /** Whom a caller calls, as `user` at that SIP port. */
  readonly service?: string;
  readonly port?: number;
  readonly calls?: number;
  /** Percentage of messages that SIPp loses, each way. */
  readonly lost?: number;
  /** Calls begun in a second. */
  readonly rate?: number;
}

/** SIPp on loopback; `done` resolves when every call has gone as in the scenario, else it rejects with what SIPp says. */
export async function sipp(
  scope: Scope,
  run: SippRun,
): Promise<{ readonly port: number; readonly done: Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  await requireSipp();
  const port = await freePort();
  const { calls = 1, lost, rate, scenario } = run;
  const file = typeof scenario === 'string' ? join(scenarios, `${scenario}.xml`) : join(folder, 'scenario.xml');
  if (typeof scenario !== 'string') await writeFile(file, scenario.xml);
  const name = typeof scenario === 'string' ? scenario : scenario.name;
  const loopback = '127.0.0.1';
  const child = spawn(
    'sipp',
    [
      ...(run.port === undefined ? [] : [`${loopback}:${run.port}`, '-s', run.service ?? 'service']),
      ...['-sf', file, '-t', run.transport === 'udp' ? 'u1' : 't1'],
      ...['-i', loopback, '-p', String(port), '-ci', loopback, '-cp', String(await freePort())],
      ...['-mi', loopback, '-mp', String((await freePortRange(4)).min)],
      ...['-m', String(calls), '-timeout', '30', '-timeout_error', '-nostdin', '-trace_err', '-error_file', 'errors'],
      ...(lost === undefined ? [] : ['-lost', String(lost)]),
      ...(rate === undefined ? [] : ['-r', String(rate), '-l', String(calls)]),
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  scope.defer(() => child.kill('SIGKILL'));
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else
        readFile(join(folder, 'errors'), 'utf8')
          .catch(() => '(it says nothing)')
          .then((errors) => reject(new Error(`sipp (${name}) ended with ${signal ?? `code ${code}`}:\n${errors}`)));
    });
  });
  done.catch(() => undefined);
  if (run.port === undefined && !(await untilBound(run.transport === 'udp' ? 'udp' : 'tcp', port)))
    throw new Error(`sipp does not listen on ${run.transport} port ${port}`);
  return { port, done };
}

/** A missing program fails the test with what installs it. */
function requireSipp(): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('sipp', ['-v'], (error) => {
      if (error && error.code === 'ENOENT')
        reject(new Error('sipp is missing; install it with: apt-get install sip-tester'));
      else resolve();
    });
  });
}
