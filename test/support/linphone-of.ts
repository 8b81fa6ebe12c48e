import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, freePortRange, loopback } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';
import { readAudio, writeWav } from './speech.js';

/** A linphone that knows no codec but one, takes every call, speaks from a file and hears into one. */
export class LinphoneOf {
  readonly uri: string;
  readonly #process: PeerProcess;
  readonly #folder: string;

  private constructor(process: PeerProcess, folder: string, uri: string) {
    this.#process = process;
    this.#folder = folder;
    this.uri = uri;
  }

  static async start(scope: Scope, codec: 'PCMU' | 'PCMA' | 'G722' | 'opus'): Promise<LinphoneOf> {
    const folder = await mkdtemp(join(tmpdir(), 'linphone-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    await mkdir(join(folder, '.local/share/linphone'), { recursive: true });
    await writeFile(join(folder, 'linphonerc'), await configuration(port, codec));
    // linphonec keeps back what it says, unless standard output is made to give away each line.
    const process = await PeerProcess.start(scope, 'stdbuf', ['-oL', 'linphonec', '-c', join(folder, 'linphonerc')], {
      cwd: folder,
      env: { PATH: globalThis.process.env.PATH, HOME: folder, LC_ALL: 'C' },
    });
    const phone = new LinphoneOf(process, folder, `sip:linphone@${loopback}:${port}`);
    process.writeLine('soundcard use files');
    process.writeLine(`record ${phone.#recording}`);
    process.writeLine('ipv6 disable');
    process.writeLine('autoanswer enable');
    // It answers after all commands before it, and after its sockets are open.
    await phone.#says('Auto answer enabled');
    return phone;
  }

  /** Until media flows. */
  async connected(): Promise<void> {
    await this.#says('Media streams established');
  }

  /** Until the call is over, whoever ended it. */
  async ended(): Promise<void> {
    await this.#says(' ended (');
  }

  /** Says this into the call; the call has to be connected. */
  async say(speech: Int16Array): Promise<void> {
    const file = join(this.#folder, 'speech.wav');
    await writeFile(file, await writeWav(speech));
    this.#process.writeLine(`play ${file}`);
  }

  /** Ends the program; returns what it heard in its call. */
  async heard(): Promise<Int16Array> {
    this.#process.writeLine('quit');
    await this.#process.end();
    return await readAudio(await readFile(this.#recording));
  }

  get #recording(): string {
    return join(this.#folder, 'heard.wav');
  }

  #says(text: string): Promise<string> {
    return this.#process.stdout.find(`"${text}"`, (line) => line.includes(text));
  }
}

/** Codecs that are not listed would be on. */
const codecs: readonly (readonly [mime: string, rate: number, channels: number])[] = [
  ...[8000, 16000, 32000].map((rate) => ['speex', rate, 1] as const),
  ['opus', 48000, 2],
  ['PCMU', 8000, 1],
  ['PCMA', 8000, 1],
  ['GSM', 8000, 1],
  ['G722', 8000, 1],
  ['iLBC', 8000, 1],
  ['L16', 44100, 1],
  ['L16', 44100, 2],
  ['BV16', 8000, 1],
];

async function configuration(port: number, only: string): Promise<string> {
  const rtp = await freePortRange(2);
  const sections = codecs.map(([mime, rate, channels], index) => {
    const enabled = mime === only ? 1 : 0;
    return `[audio_codec_${index}]\nmime=${mime}\nrate=${rate}\nchannels=${channels}\nenabled=${enabled}\n`;
  });
  return `[sip]
sip_port=${port}
sip_tcp_port=${port}
sip_tls_port=0
bind_address=${loopback}
contact="linphone" <sip:linphone@${loopback}>
guess_hostname=0
[rtp]
audio_rtp_port=${rtp.min}
${sections.join('')}`;
}
