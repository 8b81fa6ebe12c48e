import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Whether processes can be kept on one core. */
export const canPin = spawnSync('taskset', ['-V']).status === 0;

/** A process of its own, so that its processor time and memory are its alone. */
export class MeasuredProcess {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves when it has written its first line. */
  static async start(script: string, options: StartOptions = {}): Promise<MeasuredProcess> {
    const { args = [], nodeOptions = [], env = {}, core } = options;
    const pinned = core !== undefined && canPin ? ['taskset', '-c', String(core)] : [];
    const [command = process.execPath, ...rest] = [...pinned, process.execPath, ...nodeOptions, script, ...args];
    const child = spawn(command, rest, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${script} did not start`))),
    ]);
    return new MeasuredProcess(child);
  }

  /** Processor time used so far, in seconds. */
  cpuSeconds(): number {
    return cpuSeconds(this.#process.pid ?? 0);
  }

  /** Resident memory in kB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await gone;
  }
}

/** A script of this folder as a process of its own. */
export function startScript(name: string, args: readonly number[]): Promise<MeasuredProcess> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return MeasuredProcess.start(script, { args: args.map(String), nodeOptions: ['--import', 'tsx'] });
}

/** Processor time that a process has used so far, in seconds (proc(5): utime and stime, in ticks of 10 ms). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The processes that a process has started (proc(5)). */
export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The only one that it may run on, where `taskset` is installed. */
  readonly core?: number;
}
