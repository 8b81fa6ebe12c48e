import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortRange, loopback } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';
import { readAudio } from './speech.js';
import { writeTelephoneWav } from './telephone.js';

export interface BaresipOptions {
  readonly codec: 'PCMU' | 'PCMA';
  /** What it says as soon as a call is up (16 kHz). It hangs up when that is over. */
  readonly speech: Int16Array;
  /** The address that it registers at its domain. */
  readonly account?: { readonly address: string; readonly password: string };
  /** A film that it shows its callers, as Matroska: of FLV it sees no video. */
  readonly film?: Uint8Array;
  /** How it encrypts: under RTP/AVP where it can, always under RTP/SAVP, or RTP/SAVPF. Not, unless given. */
  readonly encryption?: 'srtp' | 'srtp-mand' | 'srtp-mandf';
  /** Takes calls over TLS as well, with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Has its reports go with RTP where the other side takes that. */
  readonly rtcpMux?: boolean;
}

/** baresip without a screen or a sound card: takes every call and makes some, speaks from a file and hears into one. */
export class Baresip {
  readonly uri: string;
  /** Where it takes calls over TLS. */
  readonly secureUri: string;
  readonly #process: PeerProcess;
  readonly #folder: string;

  private constructor(process: PeerProcess, folder: string, uri: string, secureUri: string) {
    this.#process = process;
    this.#folder = folder;
    this.uri = uri;
    this.secureUri = secureUri;
  }

  static async start(scope: Scope, options: BaresipOptions): Promise<Baresip> {
    const { codec, speech, account, film, encryption, rtcpMux, tls } = options;
    const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    // TLS is at the port behind that of UDP and TCP.
    const [{ min: port }, rtp] = [await freePortRange(2), await freePortRange(4)];
    const uri = account?.address ?? `sip:baresip@${loopback}:${port}`;
    const registering = account ? `;auth_pass=${account.password};regint=600` : ';regint=0';
    const source = join(folder, 'speech.wav');
    await mkdir(join(folder, 'heard'));
    await writeFile(source, await writeTelephoneWav(speech));
    if (film !== undefined) await writeFile(join(folder, 'film'), film);
    const secret = tls && `${await readFile(tls.key, 'utf8')}${await readFile(tls.cert, 'utf8')}`;
    if (secret !== undefined) await writeFile(join(folder, 'certificate'), secret);
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
${tls === undefined ? '' : `sip_certificate ${join(folder, 'certificate')}\n`}net_interface ${loopback}
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
    const accountLine = `<${uri}>${registering};answermode=auto;audio_codecs=${codec}/8000/1;video_codecs=H264`;
    const encrypted = encryption === undefined ? '' : `;mediaenc=${encryption}`;
    await writeFile(join(folder, 'accounts'), accountLine + encrypted);
    await writeFile(join(folder, 'contacts'), '');
    // Its standard input must be a pipe.
    const process = await PeerProcess.start(scope, 'stdbuf', ['-oL', '-eL', 'baresip', '-f', folder]);
    await process.stdout.find('that it is ready', (line) => line.includes('baresip is ready'));
    if (account) await process.stdout.find('its registration', (line) => /200 OK .*binding/.test(line));
    return new Baresip(process, folder, uri, `sips:baresip@${loopback}:${port + 1}`);
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
