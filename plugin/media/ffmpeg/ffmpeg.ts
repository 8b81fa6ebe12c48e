import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ProgramCodec } from '../audio/flv-audio.js';
import { type ForeignCodecs, type ForeignOutput, type ForeignStream, foreignRate } from '../audio/foreign.js';
import type { Container } from './container.js';
import { FfmpegStream, type FfmpegStreamOptions } from './ffmpeg-stream.js';
import { flv } from './flv.js';
import { matroska } from './matroska.js';

export interface FfmpegOptions {
  /** The program: a path, or a name to be looked for in PATH. */
  readonly path: string;
  /** Most processes at a time; a call takes one or two. */
  readonly processes: number;
}

type Direction = Pick<FfmpegStreamOptions, 'from' | 'to' | 'output' | 'lag'>;

const run = promisify(execFile);

/** Milliseconds that FFmpeg may take to say what it can. */
const answerTime = 10_000;

/** Milliseconds that output is behind input at most, once the process runs: a frame to decode, MP3's look-ahead to encode. */
const decodingLag = 40;
const encodingLag = 120;

const decoders: Readonly<Record<ProgramCodec, string>> = {
  nelly: 'nellymoser',
  nelly8: 'nellymoser',
  nelly16: 'nellymoser',
  aac: 'aac',
  mp3: 'mp3float',
  opus: 'opus',
};

/** High rates where the client does not mind: frames are a number of samples, so they are shorter. */
const encoders: Readonly<Record<ProgramCodec, readonly [name: string, ...options: string[]]>> = {
  nelly: ['nellymoser', '-ar', '22050'],
  nelly8: ['nellymoser', '-ar', '8000'],
  nelly16: ['nellymoser', '-ar', '16000'],
  aac: ['aac', '-ar', '44100', '-b:a', '64k'],
  mp3: ['libmp3lame', '-ar', '44100', '-b:a', '64k'],
  opus: ['libopus', '-ar', '48000', '-b:a', '32k', '-application', 'audio', '-frame_duration', '20'],
};

/** Nellymoser, AAC, MP3 and Opus by FFmpeg, a process for each direction of a call that needs one. */
export class Ffmpeg implements ForeignCodecs {
  readonly #options: FfmpegOptions;
  readonly #decoders: ReadonlySet<string>;
  readonly #encoders: ReadonlySet<string>;
  #running = 0;

  private constructor(options: FfmpegOptions, decoders: ReadonlySet<string>, encoders: ReadonlySet<string>) {
    this.#options = options;
    this.#decoders = decoders;
    this.#encoders = encoders;
  }

  /** Asks the program what it can; undefined when there is none that runs. */
  static async find(options: FfmpegOptions): Promise<Ffmpeg | undefined> {
    try {
      const [decoders, encoders] = await Promise.all([
        namesOf(options.path, '-decoders'),
        namesOf(options.path, '-encoders'),
      ]);
      return new Ffmpeg(options, decoders, encoders);
    } catch {
      return undefined;
    }
  }

  /** Processes that run now. */
  get running(): number {
    return this.#running;
  }

  decodes(codec: ProgramCodec): boolean {
    return this.#decoders.has(decoders[codec]);
  }

  encodes(codec: ProgramCodec): boolean {
    const readsSpeex = this.#decoders.has('speex') || this.#decoders.has('libspeex');
    return readsSpeex && this.#encoders.has(encoders[codec][0]);
  }

  decode(codec: ProgramCodec, { take, failed }: ForeignOutput<Int16Array>): ForeignStream {
    const samples = ['-c:a', 'pcm_s16le', '-ar', String(foreignRate)];
    const output = { take: (body: Uint8Array, timestamp: number) => take(samplesOf(body), timestamp), failed };
    return this.#open({ from: containerOf(codec), to: flv, output: samples, lag: decodingLag }, output);
  }

  encode(codec: ProgramCodec, output: ForeignOutput<Uint8Array>): ForeignStream {
    return this.#open(
      { from: flv, to: containerOf(codec), output: ['-c:a', ...encoders[codec]], lag: encodingLag },
      output,
    );
  }

  #open(direction: Direction, events: ForeignOutput<Uint8Array>): ForeignStream {
    const { path, processes } = this.#options;
    const start = (): boolean => {
      if (this.#running >= processes) return false;
      this.#running++;
      return true;
    };
    const stop = (): void => {
      this.#running--;
    };
    return new FfmpegStream({ path, ...direction, start, stop }, events);
  }
}

/** FLV has Opus only in Enhanced RTMP, which FFmpeg knows in its newest versions alone. */
const containerOf = (codec: ProgramCodec): Container => (codec === 'opus' ? matroska : flv);

/** Behind FLV's octet, little endian. */
function samplesOf(body: Uint8Array): Int16Array {
  const count = (body.length - 1) >> 1;
  const view = new DataView(body.buffer, body.byteOffset + 1, count * 2);
  return Int16Array.from({ length: count }, (_, index) => view.getInt16(index * 2, true));
}

/** The second word of each line of the listing. */
async function namesOf(path: string, list: '-decoders' | '-encoders'): Promise<ReadonlySet<string>> {
  const { stdout } = await run(path, ['-hide_banner', list], { timeout: answerTime, maxBuffer: 1 << 20 });
  return new Set(stdout.split('\n').flatMap((line) => /^\s*[A-Z.]{6}\s+(\S+)/.exec(line)?.[1] ?? []));
}
