import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortRange, loopback } from './ports.js';
import { PeerProcess, runProgram } from './process.js';
import type { Scope } from './scope.js';

const quiet = ['-nostdin', '-v', 'error'];

export interface VideoOptions {
  readonly seconds: number;
  readonly size?: string;
  /** Slices of a picture. */
  readonly slices?: number;
  /** Octets of a slice at most, in place of a number of them. */
  readonly sliceSize?: number;
  /** Pictures from one key frame to the next; 30 are a second. */
  readonly keyInterval?: number;
  /** SPS and PPS also before each key frame, not only in the sequence header. */
  readonly repeatHeaders?: boolean;
  /** Default true. */
  readonly audio?: boolean;
}

/** A test picture that changes all the time, with a tone in Speex, as an encoder publishes it: FLV. No two pictures are alike. */
export function encodeVideo(options: VideoOptions): Promise<Buffer> {
  const {
    seconds,
    size = '640x360',
    slices = 4,
    sliceSize,
    keyInterval = 15,
    repeatHeaders = false,
    audio = true,
  } = options;
  const parameters = [
    sliceSize === undefined ? `slices=${slices}` : `slice-max-size=${sliceSize}`,
    `repeat-headers=${Number(repeatHeaders)}`,
    'force-cfr=1',
  ];
  return runProgram('ffmpeg', [
    ...quiet,
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-f', 'lavfi', '-i', 'sine=frequency=440'],
    ...[
      '-t',
      String(seconds),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-pix_fmt',
      'yuv420p',
    ],
    ...['-b:v', '2M', '-maxrate', '2M', '-bufsize', '500k', '-g', String(keyInterval), '-bf', '0'],
    ...[
      '-x264-params',
      parameters.join(':'),
      ...(audio ? ['-c:a', 'libspeex', '-ar', '16000', '-ac', '1'] : ['-an']),
      '-f',
      'flv',
      '-',
    ],
  ]);
}

/** Publishes at the pace of the recording; ends when all is sent or the server closes. */
export function publishFlv(scope: Scope, url: string, flv: Uint8Array): Promise<PeerProcess> {
  const args = [...quiet, '-re', '-f', 'flv', '-i', '-', '-c', 'copy', '-f', 'flv', url];
  return PeerProcess.start(scope, 'ffmpeg', args, { input: flv, timeLimitMs: 60_000 });
}

/** Plays for at most `seconds`, or until the server ends it, and returns what came, as FLV. */
export function playFlv(url: string, seconds: number): Promise<Buffer> {
  const input = ['-rw_timeout', '10000000', '-analyzeduration', '3000000', '-i', url, '-t', String(seconds)];
  const output = ['-map', '0:v', '-c', 'copy', '-f', 'flv', '-'];
  return runProgram('ffmpeg', [...quiet, ...input, ...output], { timeLimitMs: 60_000 });
}

/**
 * Decodes a file, and fails at the first thing that is wrong with it.
 *
 * @returns one hash for each picture
 */
export async function decode(file: Uint8Array): Promise<string[]> {
  const strict = ['-xerror', '-err_detect', 'explode'];
  const args = [...quiet, ...strict, '-i', '-', '-map', '0:v', '-vsync', 'passthrough', '-f', 'framemd5', '-'];
  const table = (await runProgram('ffmpeg', args, { input: file })).toString();
  return table.split('\n').flatMap((line) => (line.startsWith('0,') ? [line.split(',').at(-1)?.trim() ?? ''] : []));
}

/** The video tags of an FLV file (FLV specification 10.1, annex E.4): sequence header, then pictures. */
export function videoMessages(flv: Buffer): { readonly timestamp: number; readonly body: Buffer }[] {
  const found: { timestamp: number; body: Buffer }[] = [];
  for (let at = 13; at + 11 <= flv.length; ) {
    const end = at + 11 + flv.readUIntBE(at + 1, 3);
    const timestamp = flv.readUIntBE(at + 4, 3) + flv.readUInt8(at + 7) * 2 ** 24;
    if (flv[at] === 9 && end <= flv.length) found.push({ timestamp, body: flv.subarray(at + 11, end) });
    at = end + 4;
  }
  return found;
}

/** The pictures of a recording as Matroska. */
export function toMatroska(file: Uint8Array): Promise<Buffer> {
  return runProgram('ffmpeg', [...quiet, '-i', '-', '-map', '0:v', '-c', 'copy', '-f', 'matroska', '-'], {
    input: file,
  });
}

/** How much of a recording arrived: where it began, how many pictures came, and whether they are the same without a hole. */
export function compareVideo(sent: readonly string[], received: readonly string[]) {
  const [first = ''] = received;
  const start = sent.indexOf(first);
  const same = start >= 0 && received.every((hash, index) => hash === sent[start + index]);
  return { start, count: received.length, same };
}

interface ReceiverOptions {
  readonly mode?: 0 | 1;
}

/** FFmpeg as the video side of a SIP phone: keeps what comes, without decoding it. */
export class FfmpegReceiver {
  /** Even port of the pair. */
  readonly port: number;
  readonly #process: PeerProcess;
  readonly #file: string;

  private constructor(process: PeerProcess, port: number, file: string) {
    this.#process = process;
    this.port = port;
    this.#file = file;
  }

  static async start(scope: Scope, { mode = 1 }: ReceiverOptions = {}): Promise<FfmpegReceiver> {
    const folder = await mkdtemp(join(tmpdir(), 'video-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const { min: port } = await freePortRange(2);
    const description = join(folder, 'description.sdp');
    const file = join(folder, 'received.mkv');
    const lines = [
      ...['v=0', `o=- 1 1 IN IP4 ${loopback}`, 's=-', `c=IN IP4 ${loopback}`, 't=0 0'],
      ...[`m=video ${port} RTP/AVP 99`, 'a=rtpmap:99 H264/90000', `a=fmtp:99 packetization-mode=${mode}`],
    ];
    await writeFile(description, `${lines.join('\r\n')}\r\n`);
    const input = ['-protocol_whitelist', 'file,udp,rtp', '-buffer_size', '4000000', '-reorder_queue_size', '500'];
    const process = await PeerProcess.start(scope, 'ffmpeg', [
      ...['-v', 'error', '-y', ...input, '-max_delay', '500000', '-i', description],
      ...['-map', '0:v', '-c', 'copy', '-f', 'matroska', file],
    ]);
    return new FfmpegReceiver(process, port, file);
  }

  /** Ends it; returns what it received. */
  async received(): Promise<Buffer> {
    this.#process.writeLine('q');
    this.#process.signal('SIGINT');
    await this.#process.end();
    return await readFile(this.#file);
  }
}

/** FFmpeg sends the video of a recording by RTP, at its pace. */
export function sendRtp(
  scope: Scope,
  flv: Uint8Array,
  port: number,
  options: { mode?: 0 | 1; payloadType?: number } = {},
) {
  const { mode = 1, payloadType = 99 } = options;
  return PeerProcess.start(
    scope,
    'ffmpeg',
    [
      ...[...quiet, '-re', '-f', 'flv', '-i', '-', '-map', '0:v', '-c', 'copy', '-bsf:v', 'h264_mp4toannexb'],
      ...['-f', 'rtp', '-payload_type', String(payloadType), ...(mode === 0 ? ['-rtpflags', 'h264_mode0'] : [])],
      `rtp://${loopback}:${port}?pkt_size=1200`,
    ],
    { input: flv, timeLimitMs: 60_000 },
  );
}
