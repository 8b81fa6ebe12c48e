import { fileURLToPath } from 'node:url';
import { defaultWaitMs, EventLog } from './event-log.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

/** The system's own: a Python from elsewhere does not see Debian's librtmp. */
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('librtmp-phone.py', import.meta.url));

/** Status codes of `Sono.Call.Status`. */
export const status = { notConnected: 0, inProgress: 1, connected: 2, disconnecting: 3, connectStreams: 4 } as const;

export interface PhoneOptions {
  /** Extra arguments of connect. */
  readonly connectArguments?: readonly unknown[];
  /** Bytes of the socket's receive buffer; small ones make a slow reader slow at once. */
  readonly receiveBuffer?: number;
  /** Makes its streams on status 4, as the SEMS test phone does. */
  readonly streamsOn4?: boolean;
}

export interface Info {
  readonly code?: string;
  readonly level?: string;
  readonly status_code?: number;
  readonly description?: string;
  readonly reason?: string;
  readonly sip_status?: number;
  readonly uri?: string;
  readonly from?: string;
  readonly displayName?: string;
  readonly digit?: string;
  readonly duration?: number;
  readonly held?: boolean;
  readonly local?: boolean;
  readonly remote?: boolean;
  readonly text?: string;
  readonly video?: boolean;
}

/** `at` is in milliseconds of the phone's steady clock. */
export type PhoneEvent = { readonly at: number } & (
  | { readonly event: 'connected' | 'sending' }
  | {
      readonly event: 'command';
      readonly name: string;
      readonly transaction: number;
      readonly args: readonly unknown[];
      readonly csid: number;
      readonly msid: number;
    }
  | { readonly event: 'streams'; readonly publish: number; readonly play: number }
  | { readonly event: 'audio'; readonly timestamp: number; readonly msid: number; readonly hex: string }
  | { readonly event: 'video'; readonly timestamp: number; readonly msid: number; readonly hex: string }
  | { readonly event: 'message'; readonly type: number; readonly msid: number; readonly hex: string }
  | { readonly event: 'sent'; readonly count: number }
  | { readonly event: 'failed' | 'closed'; readonly reason: string }
);

export type Command = Extract<PhoneEvent, { event: 'command' }>;
export type Audio = Extract<PhoneEvent, { event: 'audio' }>;
export type Video = Extract<PhoneEvent, { event: 'video' }>;

/** The test phone of the SEMS RTMP plugin, on librtmp. */
export class LibrtmpPhone {
  readonly events: EventLog<PhoneEvent>;
  readonly #process: PeerProcess;
  /** Statuses and calls are waited for one after the other: the index behind the last one that was. */
  #waited = 0;
  /** Far from the numbers that librtmp gives out. */
  #transaction = 10_000;

  private constructor(process: PeerProcess) {
    this.#process = process;
    this.events = new EventLog<PhoneEvent>(`librtmp phone ${process.pid}`);
  }

  /** Connects, and waits for NetConnection.Connect.Success. */
  static async connect(scope: Scope, url: string, options: PhoneOptions = {}): Promise<LibrtmpPhone> {
    const phone = await LibrtmpPhone.start(scope, url, options);
    await phone.command('the result of connect', ({ name, transaction }) => name === '_result' && transaction === 1);
    return phone;
  }

  /** Starts without waiting for the server's answer to connect. */
  static async start(scope: Scope, url: string, options: PhoneOptions = {}): Promise<LibrtmpPhone> {
    const process = await PeerProcess.start(scope, python, ['-u', script, url, JSON.stringify(options)]);
    const phone = new LibrtmpPhone(process);
    void phone.#follow();
    return phone;
  }

  /** Every `Sono.Call.Incoming` so far. */
  get calls(): Info[] {
    const infos = this.events.all.flatMap((event) => netStatus(event) ?? []);
    return infos.filter(({ code }) => code === 'Sono.Call.Incoming');
  }

  /** Codes of all `Sono.Call.Status` so far. */
  get statuses(): number[] {
    return this.events.all.flatMap((event) => callStatus(event)?.status_code ?? []);
  }

  get audio(): Audio[] {
    return this.events.all.filter((event) => event.event === 'audio');
  }

  get video(): Video[] {
    return this.events.all.filter((event) => event.event === 'video');
  }

  get pid(): number {
    return this.#process.pid;
  }

  call(name: string, ...args: readonly unknown[]): void {
    this.#send({ do: 'call', name, args });
  }

  /** As {@link call}, and waits for `_result` or `_error`: its name and the first argument. */
  async request(name: string, ...args: readonly unknown[]): Promise<{ name: string; info: Info }> {
    const transaction = ++this.#transaction;
    this.#send({ do: 'call', name, args, transaction });
    const reply = await this.command(`the reply to ${name}`, (command) => command.transaction === transaction);
    return { name: reply.name, info: (reply.args[0] ?? {}) as Info };
  }

  /**
   * Calls register(); returns the phone's SIP address. Without arguments, as the phone does after connecting, it is made
   * up; otherwise they are the username, the registrar and the credentials.
   */
  async register(...args: readonly unknown[]): Promise<string> {
    const { name, info } = await this.request('register', ...args);
    if (name !== '_result' || info.uri === undefined) throw new Error(`register: ${name} ${JSON.stringify(info)}`);
    return info.uri;
  }

  /** Takes back the registration; the registrar is told behind the reply. */
  async unregister(): Promise<void> {
    const { name, info } = await this.request('unregister');
    if (name !== '_result') throw new Error(`unregister: ${name} ${JSON.stringify(info)}`);
  }

  /** The next `Sono.Call.Incoming` behind the last status or call waited for. */
  async waitIncoming(timeoutMs = defaultWaitMs): Promise<Info> {
    return await this.#waitPush('Sono.Call.Incoming', (info) => info.code === 'Sono.Call.Incoming', timeoutMs);
  }

  /** The next push with this code behind the last status, call or push waited for. */
  async waitPush(code: string, timeoutMs = defaultWaitMs): Promise<Info> {
    return await this.#waitPush(code, (info) => info.code === code, timeoutMs);
  }

  /** @param options such as `{video: true}` */
  accept(...options: readonly unknown[]): void {
    this.call('accept', ...options);
  }

  /** Takes the call that comes next and waits until the phone has both of its streams. */
  async acceptAndConnect(...options: readonly unknown[]): Promise<Info> {
    const incoming = await this.waitIncoming();
    this.accept(...options);
    await this.waitStatus(status.connected);
    await this.waitStreams();
    return incoming;
  }

  /** Dials. There is no reply when it is accepted: wait for a status. `options` are such as `{video: true}`. */
  dial(uri: unknown, ...options: readonly unknown[]): void {
    this.call('dial', uri, ...options);
  }

  hangup(): void {
    this.call('hangup');
  }

  /** Dials and waits until the phone has both of its streams. */
  async dialAndConnect(uri: string, ...options: readonly unknown[]): Promise<void> {
    this.dial(uri, ...options);
    await this.waitStatus(status.connected);
    await this.waitStreams();
  }

  /** The next `Sono.Call.Status` with this code behind the last one waited for. */
  async waitStatus(code: number, timeoutMs = defaultWaitMs): Promise<Info> {
    const isStatus = (info: Info) => info.code === 'Sono.Call.Status' && info.status_code === code;
    return await this.#waitPush(`status ${code}`, isStatus, timeoutMs);
  }

  /** Until both streams are there and play is confirmed: what is sent from now on comes back from an echo. */
  async waitStreams(): Promise<void> {
    const from = this.#waited;
    await this.events.find('its streams', ({ event }) => event === 'streams', { from });
    for (const code of ['NetStream.Publish.Start', 'NetStream.Play.Start']) {
      await this.events.find(code, (event) => netStatus(event)?.code === code, { from });
    }
  }

  command(what: string, accept: (command: Command) => boolean): Promise<Command> {
    return this.events.find(what, (event) => event.event === 'command' && accept(event)) as Promise<Command>;
  }

  /** Sends one message every `ms` milliseconds; resolves when the last one is sent. */
  async send(messages: readonly Uint8Array[], { ms = 20, timestamp = 0 } = {}): Promise<void> {
    const from = this.events.all.length;
    this.startSending(messages, { ms, timestamp });
    const timeoutMs = messages.length * ms + defaultWaitMs;
    await this.events.find('the last frame to be sent', ({ event }) => event === 'sent', { from, timeoutMs });
  }

  startSending(messages: readonly Uint8Array[], { ms = 20, timestamp = 0 } = {}): void {
    this.#start('audio', messages, ms, timestamp);
  }

  /** Sends 30 video messages a second. */
  startShowing(messages: readonly Uint8Array[]): void {
    this.#start('video', messages, 1000 / 30, 0);
  }

  #start(kind: 'audio' | 'video', messages: readonly Uint8Array[], ms: number, timestamp: number): void {
    this.#send({
      do: kind,
      messages: messages.map((message) => Buffer.from(message).toString('hex')),
      ms,
      timestamp,
    });
  }

  async waitVideo(count: number, timeoutMs = defaultWaitMs): Promise<Video[]> {
    await this.events.find(`${count} video messages`, () => this.video.length >= count, { timeoutMs });
    return this.video;
  }

  async waitAudio(count: number, timeoutMs = defaultWaitMs): Promise<Audio[]> {
    const enough = () => this.audio.length >= count;
    await this.events.find(`${count} audio messages`, enough, { timeoutMs });
    return this.audio;
  }

  createStreams(times: number): void {
    this.#send({ do: 'createStream', times });
  }

  openStreams(): void {
    this.#send({ do: 'streams' });
  }

  /** Reads nothing for that long. */
  stall(ms: number): void {
    this.#send({ do: 'stall', ms });
  }

  disconnect(): void {
    this.#send({ do: 'close' });
  }

  /** Goes without a word. */
  async vanish(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  closed(): Promise<PhoneEvent> {
    return this.events.find('the end of the connection', ({ event }) => event === 'closed');
  }

  async #waitPush(what: string, accept: (info: Info) => boolean, timeoutMs: number): Promise<Info> {
    const isIt = (event: PhoneEvent) => {
      const info = netStatus(event);
      return info !== undefined && accept(info);
    };
    const event = await this.events.find(what, isIt, { from: this.#waited, timeoutMs });
    this.#waited = this.events.all.indexOf(event) + 1;
    return netStatus(event) ?? {};
  }

  #send(command: Readonly<Record<string, unknown>>): void {
    this.#process.writeLine(JSON.stringify(command));
  }

  async #follow(): Promise<void> {
    this.#process.stdout.follow((line) => this.events.push(JSON.parse(line) as PhoneEvent));
    const { code, signal } = await this.#process.exited;
    this.events.end(`the phone ended with ${signal ?? code}: ${this.#process.stderr.tail()}`);
  }
}

/** The info object of a push or status command. */
function netStatus(event: PhoneEvent): Info | undefined {
  return event.event === 'command' && event.name === 'onStatus' ? (event.args[0] as Info) : undefined;
}

function callStatus(event: PhoneEvent): Info | undefined {
  const info = netStatus(event);
  return info?.code === 'Sono.Call.Status' ? info : undefined;
}
