import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { isSequenceHeader } from '../../call/client-audio.js';
import type { ForeignOutput, ForeignStream } from '../audio/foreign.js';
import { distance32 } from '../rtp/serial.js';
import type { Container } from './container.js';

/** How often one stream starts a process anew that ended by itself. */
const maxRestarts = 3;

/** Octets that a process may have left unread, half a second of the largest messages: more means that it hangs. */
const maxUnread = 64 * 1024;

/** Milliseconds by which timestamps may go on; back, or further, is a source that starts anew. */
const maxStep = 10_000;
/** Milliseconds of audio within which a process has to have caught up. */
const startTime = 500;

/** Milliseconds between the end of one source and the start of the next. */
const joint = 20;

export interface FfmpegStreamOptions {
  readonly path: string;
  /** What goes in, and what comes out. */
  readonly from: Container;
  readonly to: Container;
  /** Between input and output, e.g. the codec to make. */
  readonly output: readonly string[];
  /**
   * Milliseconds that output may be behind input. What queued up while the process started is dropped down to that: it
   * would delay everything after it.
   */
  readonly lag: number;
  /** Takes a place for a process; false when there is none. */
  readonly start: () => boolean;
  /** Gives the place back. */
  readonly stop: () => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Nothing is waited for or kept back that the codecs do not need: each message comes out as soon as it can. */
const input = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
  ...['-fflags', 'nobuffer', '-flags', 'low_delay', '-probesize', '32', '-analyzeduration', '0', '-threads', '1'],
];
const samples = ['-i', 'pipe:0', '-vn', '-ac', '1'];
const output = ['-flush_packets', '1'];

/** Audio through an FFmpeg process, in and out at the pace of speech. The process starts at once. */
export class FfmpegStream implements ForeignStream {
  readonly #options: FfmpegStreamOptions;
  readonly #events: ForeignOutput<Uint8Array>;
  #child: Child | undefined;
  #restarts = 0;
  #closed = false;
  /** What the process wrote last to standard error. */
  #complaint = '';
  /** AAC's sequence header, without which a new process cannot read what follows. */
  #header: Uint8Array | undefined;
  /** The process counts from 0: what stands for 0, and the last timestamp in both countings. */
  #base = 0;
  #last: number | undefined;
  #position = 0;
  #starting = true;

  constructor(options: FfmpegStreamOptions, events: ForeignOutput<Uint8Array>) {
    this.#options = options;
    this.#events = events;
    this.#start();
  }

  write(body: Uint8Array, timestamp: number): boolean {
    if (this.#closed) return false;
    const child = this.#child ?? this.#start();
    if (child === undefined || child.stdin.writableLength > maxUnread) return false;
    this.#follow(timestamp);
    if (isSequenceHeader(body)) this.#header = Uint8Array.from(body);
    child.stdin.write(this.#options.from.write(body, this.#position));
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  #start(): Child | undefined {
    const { path, from, to, output: codec, start } = this.#options;
    if (!start()) {
      this.#fail('every FFmpeg process allowed (SONO_FFMPEG_PROCESSES) is in use');
      return undefined;
    }
    const arguments_ = [...input, ...from.input, ...samples, ...codec, ...output, ...to.output, 'pipe:1'];
    const child = spawn(path, arguments_, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#last = undefined;
    this.#position = 0;
    this.#starting = true;
    child.once('error', ({ message }) => this.#ended(child, message));
    child.once('close', (code, signal) => this.#ended(child, `it ended with ${signal ?? `code ${code}`}`));
    // What it does not read any more is told by its end.
    child.stdin.on('error', () => {});
    child.stderr.on('data', (text: Buffer) => {
      this.#complaint = text.toString('utf8').trim().slice(-200);
    });
    const reader = to.reader((body, timestamp) => this.#take(body, timestamp));
    child.stdout.on('data', (bytes: Buffer) => {
      if (this.#child === child && !reader.push(bytes)) this.#ended(child, 'its output cannot be read');
    });
    child.stdin.write(from.header);
    if (this.#header !== undefined) child.stdin.write(from.write(this.#header, 0));
    return child;
  }

  /** Where the message stands in the counting of the process. */
  #follow(timestamp: number): void {
    const step = this.#last === undefined ? 0 : distance32(timestamp, this.#last);
    const goesOn = step >= 0 && step <= maxStep;
    this.#position += goesOn ? step : joint;
    if (this.#last === undefined || !goesOn) this.#base = (timestamp - this.#position + 2 ** 32) % 2 ** 32;
    this.#last = timestamp;
  }

  #take(body: Buffer, position: number): void {
    if (this.#closed) return;
    const behind = this.#position - position > this.#options.lag && position < startTime;
    if (behind && this.#starting && !isSequenceHeader(body)) return;
    this.#starting &&= isSequenceHeader(body);
    try {
      this.#events.take(body, (this.#base + position) % 2 ** 32);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** The next message starts another process, unless this happens too often. */
  #ended(child: Child, reason: string): void {
    if (this.#child !== child) return;
    this.#end();
    this.#restarts++;
    if (this.#restarts > maxRestarts) this.#fail(`FFmpeg failed ${this.#restarts} times: ${this.#complaint || reason}`);
  }

  #end(): void {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.#options.stop();
    child.stdin.destroy();
    child.kill('SIGKILL');
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    queueMicrotask(() => this.#events.failed(reason));
  }
}
