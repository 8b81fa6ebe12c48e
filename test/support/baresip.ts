import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, freePortRange, loopback } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';
import { readAudio } from './speech.js';
import { writeTelephoneWav } from './telephone.js';

export interface BaresipOptions {
  readonly codec: 'PCMU' | 'PCMA';
  /** What it says as soon as a call is up (16 kHz). It hangs up when that is over. */
  readonly speech: Int16Array;
  /** A film that it shows its callers, as Matroska: of FLV it sees no video. */
  readonly film?: Uint8Array;
  /** How it encrypts: under RTP/AVP where it can, always under RTP/SAVP, or RTP/SAVPF. Not, unless given. */
  readonly encryption?: 'srtp' | 'srtp-mand' | 'srtp-mandf';
  /** Has its reports go with RTP where the other side takes that. */
  readonly rtcpMux?: boolean;
}

/** baresip without a screen or a sound card: takes every call and makes some, speaks from a file and hears into one. */
export class Baresip {
  readonly uri: string;
  readonly #process: PeerProcess;
  readonly #folder: string;

  private constructor(process: PeerProcess, folder: string, uri: string) {
    this.#process = process;
    this.#folder = folder;
    this.uri = uri;
  }

  static async start(scope: Scope, { codec, speech, film, encryption, rtcpMux }: BaresipOptions): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const [port, rtp] = [await freePort(), await freePortRange(4)];
    const uri = `sip:baresip@${loopback}:${port}`;
    const source = join(folder, 'speech.wav');
    await mkdir(join(folder, 'heard'));
    await writeFile(source, await writeTelephoneWav(speech));
    if (film !== undefined) await writeFile(join(folder, 'film'), film);
    await writeFile(
      join(folder, 'config'),
      `module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module stdio.so
${film === undefined ? '' : videoModules}module_app account.so
module_app menu.so
sip_listen ${loopback}:${port}
net_interface ${loopback}
rtp_ports ${rtp.min}-${rtp.max}
rtcp_mux ${rtcpMux ? 'yes' : 'no'}
audio_source aufile,${source}
audio_player aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path ${join(folder, 'heard')}
${film === undefined ? '' : videoSettings(join(folder, 'film'))}`,
    );
    const account = `<${uri}>;regint=0;answermode=auto;audio_codecs=${codec}/8000/1;video_codecs=H264`;
    await writeFile(join(folder, 'accounts'), encryption === undefined ? account : `${account};mediaenc=${encryption}`);
    await writeFile(join(folder, 'contacts'), '');
    // Its standard input must be a pipe.
    const process = await PeerProcess.start(scope, 'stdbuf', ['-oL', '-eL', 'baresip', '-f', folder]);
    await process.stdout.find('that it is ready', (line) => line.includes('baresip is ready'));
    return new Baresip(process, folder, uri);
  }

  /** Until it has decoded a picture; its width and height. */
  async sees(): Promise<string> {
    const line = await this.#process.stdout.find('a picture', (text) => text.includes('receiving with resolution'));
    return line.replace(/.*resolution (\d+) x (\d+).*/, '$1x$2');
  }

  /** What its decoder found wrong. */
  get decodingErrors(): string[] {
    return [...this.#process.stdout.all, ...this.#process.stderr.all].filter((line) =>
      /concealing|error while decoding|corrupt|decode_slice/.test(line),
    );
  }

  call(uri: string): void {
    this.#process.writeLine(`/dial ${uri}`);
  }

  /** What it says of the encryption of its call. */
  async encrypted(): Promise<string> {
    return await this.#process.stdout.find('that SRTP is on', (line) => line.includes('SRTP is Enabled'));
  }

  /** Until its call is refused with this status. */
  async refused(status: string): Promise<void> {
    await this.#process.stdout.find(`a ${status}`, (line) => line.includes('session closed') && line.includes(status));
  }

  /** Until the call is over, whoever ended it. */
  async ended(): Promise<void> {
    await this.#process.stderr.find('the end of the call', (line) => /session closed|terminated/.test(line));
  }

  /** Ends the program; returns what it heard in its call (16 kHz). */
  async heard(): Promise<Int16Array> {
    await this.#process.kill('SIGTERM');
    const folder = join(this.#folder, 'heard');
    const file = (await readdir(folder)).find((name) => name.includes('dec'));
    if (file === undefined) throw new Error('baresip recorded nothing');
    return await readAudio(await readFile(join(folder, file)));
  }
}

const videoModules = 'module avcodec.so\nmodule avformat.so\nmodule fakevideo.so\nmodule swscale.so\n';

const videoSettings = (film: string): string => `video_source avformat,${film}
video_display fakevideo,nowhere
video_size 640x360
video_bitrate 1000000
video_fps 30
avcodec_h264enc libx264
avcodec_h264dec h264
`;
