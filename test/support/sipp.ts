import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultWaitMs } from './event-log.js';
import { freePort, freePortRange, loopback, untilBound } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

export interface SippOptions {
  readonly scenario: string;
  readonly transport?: 'udp' | 'tcp';
  /** Where the media of the phone is, when it is not SIPp's own port, which echoes. */
  readonly rtpPort?: number;
  /** Makes it a caller: whom it calls, and through which address. */
  readonly call?: { readonly user: string; readonly host: string; readonly port: number };
  /** Calls until it ends; 1 unless given. */
  readonly calls?: number;
  /** Seconds after which it gives up. */
  readonly timeLimitS?: number;
}

export interface SipMessage {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly direction: 'sent' | 'received';
  readonly text: string;
}

/** SIPp with one scenario, on loopback. What it receives as media at its own port it sends back. */
export class Sipp {
  readonly port: number;
  readonly #process: PeerProcess;
  readonly #messageFile: string;
  readonly #errorFile: string;

  private constructor(port: number, process: PeerProcess, folder: string) {
    this.port = port;
    this.#process = process;
    this.#messageFile = join(folder, 'messages');
    this.#errorFile = join(folder, 'errors');
  }

  static async start(scope: Scope, options: SippOptions): Promise<Sipp> {
    const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'scenario.xml'), options.scenario);
    const port = await freePort();
    const process: PeerProcess = await PeerProcess.start(scope, 'sipp', await argumentsOf(options, port), {
      cwd: folder,
      timeLimitMs: (options.timeLimitS ?? 60) * 1000 + 5000,
      // Not its output, which is a screen full of counters.
      report: () => sipp.#told(),
    });
    const sipp: Sipp = new Sipp(port, process, folder);
    if (!options.call) await sipp.#listening(options.transport ?? 'udp');
    return sipp;
  }

  /** SIP URI at which it can be called. */
  uri(user = 'sipp'): string {
    return `sip:${user}@${loopback}:${this.port}`;
  }

  /** Everything sent and received so far. */
  async messages(): Promise<SipMessage[]> {
    return existsSync(this.#messageFile) ? parseTrace(await readFile(this.#messageFile, 'utf8')) : [];
  }

  /** Start lines so far, as `> INVITE` for received and `< 200` for sent. */
  async flow(): Promise<string[]> {
    return (await this.messages()).map(({ direction, text }) => {
      const [first = '', second = ''] = text.split(' ');
      return `${direction === 'received' ? '>' : '<'} ${first.startsWith('SIP/') ? second : first}`;
    });
  }

  /** The first message received whose start line matches. */
  received(startLine: RegExp, timeoutMs = defaultWaitMs): Promise<SipMessage> {
    return this.#find('received', startLine, timeoutMs);
  }

  /** The first message sent whose start line matches. */
  sent(startLine: RegExp, timeoutMs = defaultWaitMs): Promise<SipMessage> {
    return this.#find('sent', startLine, timeoutMs);
  }

  async #find(way: SipMessage['direction'], startLine: RegExp, timeoutMs: number): Promise<SipMessage> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(25)) {
      const messages = await this.messages();
      const found = messages.find(({ direction, text }) => direction === way && startLine.test(text));
      if (found) return found;
    }
    throw new Error(`sipp has ${way} nothing like ${startLine} within ${timeoutMs} ms; ${await this.#told()}`);
  }

  /** Waits until the calls have gone exactly as in the scenario. */
  async done(timeoutMs = defaultWaitMs): Promise<void> {
    const { code, signal } = await this.#process.end(timeoutMs).catch(async (error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; ${await this.#told()}`);
    });
    if (code !== 0) throw new Error(`sipp ended with ${signal ?? `code ${code}`}; ${await this.#told()}`);
  }

  async #told(): Promise<string> {
    const errors = existsSync(this.#errorFile) ? await readFile(this.#errorFile, 'utf8') : '';
    const messages = await this.messages();
    const trace = messages.map(({ direction, text }) => `--- ${direction}\n${text}`).join('\n');
    return `sipp on port ${this.port}, its errors:\n${errors}\nits messages:\n${trace}`;
  }

  /** An INVITE that comes before the socket is bound would be refused by the system. */
  async #listening(transport: 'udp' | 'tcp'): Promise<void> {
    if (await untilBound(transport, this.port)) return;
    throw new Error(`sipp does not listen on ${transport} port ${this.port}; ${await this.#told()}`);
  }
}

async function argumentsOf(options: SippOptions, port: number): Promise<string[]> {
  const { transport = 'udp', call, calls = 1, timeLimitS = 60 } = options;
  const mediaPort = (await freePortRange(4)).min;
  return [
    ...(call ? [`${call.host}:${call.port}`, '-s', call.user] : []),
    ...['-sf', 'scenario.xml', '-t', transport === 'udp' ? 'u1' : 't1', '-i', loopback, '-p', String(port)],
    ...['-ci', loopback, '-cp', String(await freePort()), '-mi', loopback, '-mp', String(mediaPort)],
    ...(options.rtpPort === undefined ? ['-rtp_echo'] : []),
    ...['-key', 'rtp_port', String(options.rtpPort ?? mediaPort)],
    ...['-m', String(calls), '-timeout', String(timeLimitS), '-timeout_error', '-nostdin'],
    ...['-trace_msg', '-message_file', 'messages', '-trace_err', '-error_file', 'errors'],
  ];
}

function parseTrace(trace: string): SipMessage[] {
  return trace.split(/^-{20,} ?/m).flatMap((part) => {
    const match = /^(\S+ \S+)\s+(?:UDP|TCP) message (sent|received) [^\n]*\n\n?(.*)$/s.exec(part);
    if (!match) return [];
    const [, time = '', direction, text = ''] = match;
    return [{ at: Date.parse(time.replace(' ', 'T')), direction: direction as 'sent' | 'received', text: text.trim() }];
  });
}
