import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { defaultWaitMs, EventLog } from './event-log.js';
import type { Scope } from './scope.js';

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Written to standard input, which is then closed. Without it, standard input stays open for {@link PeerProcess.writeLine}. */
  readonly input?: Uint8Array | string;
  /** Milliseconds after which the process is killed. */
  readonly timeLimitMs?: number;
  /** What is told of it when the test fails; its output unless given. */
  readonly report?: () => string | Promise<string>;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

process.on('exit', killAll);
// The test runner ends its workers so, also those in which a clean-up failed.
process.once('SIGTERM', () => {
  killAll();
  process.exit(143);
});

/** A program that a test runs: killed with its scope, its output told when the test fails. */
export class PeerProcess {
  readonly name: string;
  readonly pid: number;
  /** Lines of standard output. */
  readonly stdout: EventLog<string>;
  /** Lines of standard error. */
  readonly stderr: EventLog<string>;
  /** Resolves when the process has ended and all of its output was read. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, pid: number) {
    this.name = name;
    this.pid = pid;
    this.stdout = new EventLog<string>(name, (line) => line);
    this.stderr = new EventLog<string>(`${name} (standard error)`, (line) => line);
    this.#child = child;
    running.add(child);
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.stdout.push(line));
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => this.stderr.push(line));
    // The process may end before it has read its input.
    child.stdin?.on('error', () => {});
    this.exited = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        running.delete(child);
        const reason = `${name} ended with ${signal ?? `code ${code}`}`;
        this.stdout.end(reason);
        this.stderr.end(reason);
        resolve({ code, signal });
      });
    });
  }

  static async start(
    scope: Scope,
    command: string,
    args: readonly string[],
    { env, cwd, input, timeLimitMs = 120_000, report }: ProcessOptions = {},
  ): Promise<PeerProcess> {
    const child = spawn(command, args, {
      stdio: 'pipe',
      timeout: timeLimitMs,
      killSignal: 'SIGKILL',
      ...(env && { env }),
      ...(cwd !== undefined && { cwd }),
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid ?? 0));
      child.once('error', (error) => reject(missing(command, error)));
    });
    const name = `${command.replace(/.*\//, '')}[${pid}]`;
    const peer = new PeerProcess(name, child, pid);
    if (input !== undefined) child.stdin?.end(input);
    scope.defer(() => peer.kill('SIGKILL'));
    scope.report(report ?? (() => `${name} ${args.join(' ')}\n${peer.stdout.tail()}\n${peer.stderr.tail()}`));
    return peer;
  }

  writeLine(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Sends a signal without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    this.#child.kill(signal);
    return await this.exited;
  }

  /** Waits for the end; a process that goes on for `timeoutMs` is an error. */
  async end(timeoutMs = defaultWaitMs): Promise<ExitStatus> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.name} still runs after ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Runs a program to its end and returns what it wrote to standard output. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { input, timeLimitMs = 60_000 }: { readonly input?: Uint8Array | string; readonly timeLimitMs?: number } = {},
): Promise<Buffer> {
  const child = spawn(command, args, { stdio: 'pipe', timeout: timeLimitMs, killSignal: 'SIGKILL' });
  running.add(child);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(missing(command, error)));
    child.on('close', resolve);
  }).finally(() => running.delete(child));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${Buffer.concat(errors)}`);
  return Buffer.concat(output);
}

function missing(command: string, cause: Error): Error {
  if (!('code' in cause) || cause.code !== 'ENOENT') return cause;
  return new Error(`${command} is not installed; "bash test/support/install-peers.sh" installs it or says how`, {
    cause,
  });
}
