import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, freePortRange, loopback } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';
import { readAudio, writeWav } from './speech.js';

export interface LinphoneOptions {
  /** User part of its SIP address. */
  readonly user?: string;
  /** Takes every call at once. */
  readonly autoAnswer?: boolean;
  /** The one codec that it knows; without it Speex wideband comes first, and Opus is not there. */
  readonly only?: 'PCMU' | 'PCMA' | 'G722' | 'opus';
  /** Has H.264, and a still picture in place of a camera. */
  readonly video?: boolean;
  /** Calls without SRTP are refused, its own are RTP/SAVP. */
  readonly encrypted?: boolean;
}

/** Linphone without a screen or a sound card: it speaks from a file and hears into one. Speex wideband first. */
export class Linphone {
  readonly port: number;
  readonly uri: string;
  readonly #process: PeerProcess;
  readonly #folder: string;

  private constructor(process: PeerProcess, folder: string, port: number, user: string) {
    this.#process = process;
    this.#folder = folder;
    this.port = port;
    this.uri = `sip:${user}@${loopback}:${port}`;
  }

  static async start(scope: Scope, options: LinphoneOptions = {}): Promise<Linphone> {
    const { user = 'linphone', autoAnswer = false, encrypted = false, video = false, only } = options;
    const folder = await mkdtemp(join(tmpdir(), 'linphone-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    await mkdir(join(folder, '.local/share/linphone'), { recursive: true });
    await writeFile(
      join(folder, 'linphonerc'),
      (await configuration(port, user, { encrypted, only })) + (video ? videoSettings : ''),
    );
    const log = join(folder, 'log');
    const args = [
      'linphonec',
      '-c',
      join(folder, 'linphonerc'),
      ...(video ? ['-C', '-D', '-V', '-d', '5', '-l', log] : []),
    ];
    // linphonec keeps back what it says, unless standard output is made to give away each line.
    const process = await PeerProcess.start(scope, 'stdbuf', ['-oL', ...args], {
      cwd: folder,
      env: { PATH: globalThis.process.env.PATH, HOME: folder, LC_ALL: 'C' },
    });
    const phone = new Linphone(process, folder, port, user);
    await phone.#command('soundcard use files', 'Using wav files');
    process.writeLine(`record ${phone.#recording}`);
    process.writeLine('ipv6 disable');
    // It answers after all commands before it, and after its sockets are open.
    await phone.#command(
      `autoanswer ${autoAnswer ? 'enable' : 'disable'}`,
      `Auto answer ${autoAnswer ? 'en' : 'dis'}abled`,
    );
    return phone;
  }

  /** Registers an address at its domain. */
  async register(address: string, password: string): Promise<void> {
    const registrar = address.replace(/^sip:[^@]*@/, 'sip:');
    this.#process.writeLine(`register ${address} ${registrar} ${password}`);
    // It tells only who asks.
    const asking = setInterval(() => this.#process.writeLine('status register'), 200);
    await this.#says('registered, identity=').finally(() => clearInterval(asking));
  }

  call(uri: string): void {
    this.#process.writeLine(`call ${uri}`);
  }

  /** Until media flows. */
  async connected(): Promise<void> {
    await this.#says('Media streams established');
  }

  /** Until the call is over, whoever ended it. */
  async ended(): Promise<void> {
    await this.#says(' ended (');
  }

  hold(): void {
    this.#process.writeLine('pause');
  }

  resume(): void {
    this.#process.writeLine('resume');
  }

  /** Presses keys, one command for each. */
  press(digits: string): void {
    for (const digit of digits) this.#process.writeLine(digit);
  }

  /** Passes its only call on. */
  transfer(uri: string): void {
    this.#process.writeLine(`transfer ${uri}`);
  }

  /** Until it says this. */
  says(text: string): Promise<string> {
    return this.#says(text);
  }

  /** What it wrote into its log; only with video. */
  async log(): Promise<string> {
    return await readFile(join(this.#folder, 'log'), 'utf8');
  }

  hangUp(): void {
    this.#process.writeLine('terminate');
  }

  /** Says this into the call; the call has to be connected. */
  async say(speech: Int16Array): Promise<void> {
    const file = join(this.#folder, 'speech.wav');
    await writeFile(file, await writeWav(speech));
    this.#process.writeLine(`play ${file}`);
  }

  /** Ends the program; returns what it heard in its last call. */
  async heard(): Promise<Int16Array> {
    this.#process.writeLine('quit');
    await this.#process.end();
    return await readAudio(await readFile(this.#recording));
  }

  get #recording(): string {
    return join(this.#folder, 'heard.wav');
  }

  async #command(command: string, reply: string): Promise<void> {
    this.#process.writeLine(command);
    await this.#says(reply);
  }

  #says(text: string): Promise<string> {
    return this.#process.stdout.find(`"${text}"`, (line) => line.includes(text));
  }
}

const videoSettings = `[video]
enabled=1
capture=1
display=1
automatically_initiate=1
automatically_accept=1
device=StaticImage: Static picture
displaytype=MSExtDisplay
size=vga
`;

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

/** As linphone counts them in its configuration; only one of them is on where one is named. */
function codecSections(only: LinphoneOptions['only']): string {
  const listed =
    only === undefined
      ? ([
          ['speex', 16000, 1, 1],
          ['opus', 48000, 2, 0],
        ] as const)
      : codecs.map(([mime, rate, channels]) => [mime, rate, channels, mime === only ? 1 : 0] as const);
  return listed
    .map(
      ([mime, rate, channels, enabled], index) =>
        `[audio_codec_${index}]\nmime=${mime}\nrate=${rate}\nchannels=${channels}\nenabled=${enabled}\n`,
    )
    .join('');
}

async function configuration(
  port: number,
  user: string,
  { encrypted, only }: { encrypted: boolean; only: LinphoneOptions['only'] },
): Promise<string> {
  const rtp = await freePortRange(4);
  return `[sip]
sip_port=${port}
sip_tcp_port=${port}
sip_tls_port=0
bind_address=${loopback}
contact="linphone" <sip:${user}@${loopback}>
guess_hostname=0
media_encryption=${encrypted ? 'srtp' : 'none'}
media_encryption_mandatory=${encrypted ? 1 : 0}
[rtp]
audio_rtp_port=${rtp.min}
video_rtp_port=${rtp.min + 2}
${codecSections(only)}`;
}
