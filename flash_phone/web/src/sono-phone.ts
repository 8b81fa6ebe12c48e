import type { AmfObject, AmfValue } from 'rtmp-server-ts/browser';
import { defaultGateway } from './assets.js';
import { CallAudio } from './call-audio.js';
import { CallStreams } from './call-streams.js';
import { Devices } from './devices.js';
import { Emitter } from './emitter.js';
import { CallStatus, type CallStatusCode, SonoPhoneError, type SonoPhoneEvents } from './events.js';
import { FlashPhone, type FlashPhoneOptions, hasFlashPlayer } from './flash-phone.js';
import { GatewayLink } from './gateway-link.js';
import type { Credentials, Phone } from './phone.js';
import { QualityMeter } from './quality-meter.js';

export interface SonoPhoneOptions {
  /** The gateway, `ws://` or `wss://`. Default: the one that served this script. */
  readonly url?: string;
}

export interface CreateOptions extends SonoPhoneOptions {
  /** The Flash phone, for browsers that cannot be one themselves; `prefer` takes it wherever there is a Flash Player. */
  readonly flash?: FlashPhoneOptions & { readonly prefer?: boolean };
}

/**
 * A phone without a face: one connection to a gateway, one call. Methods return at once; what comes of them is told by events.
 * `dial` and `accept` ask for the microphone and have to be called from a click or a key.
 */
export class SonoPhone extends Emitter<SonoPhoneEvents> implements Phone {
  /** Microphones and speakers. */
  readonly devices: Devices;
  readonly #url: string;
  readonly #link: GatewayLink;
  readonly #quality = new QualityMeter();
  #status: CallStatusCode = CallStatus.notConnected;
  #address: string | undefined;
  #audio: CallAudio | undefined;
  #streams: CallStreams | undefined;
  #muted = false;
  #ringing = false;
  /** Counts calls, so that what was begun for one that is over is given up. */
  #call = 0;
  /** Somebody who is to be called as soon as the gateway is reached. */
  #waiting: string | undefined;

  constructor({ url = defaultGateway() }: SonoPhoneOptions = {}) {
    super();
    this.#url = url;
    this.devices = new Devices((kind, id) => this.#useDevice(kind, id));
    this.#link = new GatewayLink({
      connected: () => this.emit('connected', {}),
      disconnected: (reason, retryMs) => this.#disconnected(reason, retryMs),
      registered: (uri) => this.#registered(uri),
      registrationLost: (reason) => {
        this.#address = undefined;
        this.emit('registrationLost', { reason });
      },
      status: (info) => this.#received(info),
      failed: (error) => this.#fail(error),
    });
  }

  /** This phone, or where the browser lacks what it needs the Flash phone behind the same methods and events. */
  static create({ flash, ...options }: CreateOptions = {}): Phone {
    const able = globalThis.AudioWorkletNode !== undefined;
    const wanted = flash !== undefined && (flash.prefer === true || !able) && hasFlashPlayer();
    return wanted ? new FlashPhone(flash) : new SonoPhone(options);
  }

  /** Where the call stands. */
  get status(): CallStatusCode {
    return this.#status;
  }

  /** The SIP address at which this phone can be called; undefined while there is none. */
  get address(): string | undefined {
    return this.#address;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Connects and registers, and does so again after each loss of the connection until `disconnect`. */
  connect(url = this.#url): void {
    this.disconnect();
    this.#link.open(url);
  }

  disconnect(): void {
    this.#waiting = undefined;
    this.#address = undefined;
    this.#link.close();
    this.#endCall('this phone disconnected');
  }

  /** Without arguments the gateway makes up an address. Takes the place of what was registered. */
  register(username?: string, registrar?: string, credentials?: Credentials): void {
    const args = [username, registrar, credentials] as (AmfValue | undefined)[];
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    this.#link.register(args.map((value) => value ?? null));
  }

  unregister(): void {
    this.#address = undefined;
    this.#link.command('unregister');
  }

  /** Calls a SIP address. Connects first where that was not done yet. */
  dial(uri: string): void {
    if (this.#status !== CallStatus.notConnected || this.#ringing || this.#audio !== undefined) {
      this.#fail(new SonoPhoneError('Sono.Call.Existing', 'There is a call already.'));
      return;
    }
    void this.#withAudio(() => this.#dial(uri));
  }

  /** Answers the incoming call. */
  accept(): void {
    void this.#withAudio(() => this.#link.command('accept'));
  }

  /** Refuses the incoming call. @param sipStatus 400-699, 486 (busy) by default */
  reject(sipStatus?: number): void {
    this.#link.command('reject', ...(sipStatus === undefined ? [] : [sipStatus]));
  }

  /** Ends the call, or the attempt at one. */
  hangup(): void {
    if (this.#waiting !== undefined || (this.#status === CallStatus.notConnected && !this.#ringing)) this.#closeAudio();
    this.#waiting = undefined;
    if (this.#link.connection !== undefined) this.#link.command('hangup');
  }

  /** @param digits 0-9 * # A-D @param ms length of each */
  sendDTMF(digits: string, ms?: number): void {
    this.#link.command('sendDTMF', digits, ...(ms === undefined ? [] : [ms]));
  }

  hold(held: boolean): void {
    this.#link.command('hold', held);
  }

  /** The far end hears silence. Stays so over calls. */
  mute(muted: boolean): void {
    this.#muted = muted;
    this.#audio?.mute(muted);
  }

  transfer(uri: string): void {
    this.#link.command('transfer', uri);
  }

  sendMessage(uri: string, text: string): void {
    this.#link.command('sendMessage', uri, text);
  }

  #dial(uri: string): void {
    if (this.#address !== undefined) this.#link.command('dial', uri);
    else {
      this.#waiting = uri;
      if (!this.#link.wanted) this.#link.open(this.#url);
    }
  }

  #registered(uri: string): void {
    this.#address = uri;
    this.emit('registered', { uri });
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#link.command('dial', waiting);
  }

  #received(info: AmfObject): void {
    const text = (value: AmfValue | undefined) => (typeof value === 'string' ? value : '');
    switch (info.code) {
      case 'Sono.Call.Status':
        this.#changed(info);
        break;
      case 'Sono.Call.Incoming':
        this.#ringing = true;
        this.emit('incoming', {
          uri: text(info.uri),
          from: text(info.from),
          ...(text(info.displayName) !== '' && { displayName: text(info.displayName) }),
        });
        break;
      case 'Sono.Call.Hold':
        this.emit('hold', {
          held: info.held === true,
          local: info.local === true,
          remote: info.remote === true,
          ...(typeof info.reason === 'string' && { reason: info.reason }),
        });
        break;
      case 'Sono.Call.DTMF':
        this.emit('dtmf', { digit: text(info.digit), duration: Number(info.duration) || 0 });
        break;
      case 'Sono.Call.Transferred':
        this.emit('transferred', { uri: text(info.uri) });
        break;
      case 'Sono.Call.TransferFailed':
        this.emit('transferFailed', { reason: text(info.reason) });
        break;
      case 'Sono.Message':
        this.emit('message', { from: text(info.from), text: text(info.text) });
        break;
    }
  }

  #changed({ status_code: code, sip_status: sipStatus, reason }: AmfObject): void {
    const status = Object.values(CallStatus).find((known) => known === code);
    // A gateway that is newer than this phone may have more of them.
    if (status === undefined) return;
    this.#status = status;
    if (status === CallStatus.connectStreams) void this.#openStreams();
    if (status === CallStatus.disconnecting) this.#closeStreams();
    if (status === CallStatus.notConnected) this.#closeAudio();
    this.emit('status', {
      status,
      ...(typeof sipStatus === 'number' && { sipStatus }),
      ...(typeof reason === 'string' && { reason }),
    });
  }

  async #withAudio(then: () => void): Promise<void> {
    const call = ++this.#call;
    try {
      const { microphone, speaker } = this.devices;
      const audio = await CallAudio.open(
        {
          said: (message) => this.#streams?.say(message),
          level: (said, heard) => this.#level(said, heard),
          failed: (error) => this.#fail(error),
          statistics: (counts) => {
            this.emit('quality', this.#quality.second(counts));
            if (this.#link.connection !== undefined) void this.#quality.measure(this.#link.connection);
          },
        },
        { ...(microphone !== undefined && { microphone }), ...(speaker !== undefined && { speaker }) },
      );
      if (call !== this.#call) {
        audio.close();
        return;
      }
      this.#audio = audio;
      audio.mute(this.#muted);
      then();
    } catch (error) {
      if (call === this.#call) this.#fail(error);
    }
  }

  async #openStreams(): Promise<void> {
    this.#closeStreams();
    const connection = this.#link.connection;
    if (connection === undefined) return;
    const streams = new CallStreams();
    this.#streams = streams;
    try {
      await streams.open(connection, (timestamp, message) => this.#audio?.play(timestamp, message));
    } catch (cause) {
      if (this.#streams === streams)
        this.#fail(new SonoPhoneError('Stream.Failed', 'The gateway takes no audio.', { cause }));
    }
  }

  #level(microphone: number, speaker: number): void {
    if (this.#streams === undefined) return;
    this.emit('level', { microphone: percent(this.#muted ? 0 : microphone), speaker: percent(speaker) });
  }

  #closeStreams(): void {
    this.#streams?.close();
    this.#streams = undefined;
  }

  #closeAudio(): void {
    this.#call++;
    this.#ringing = false;
    this.#closeStreams();
    this.#quality.reset();
    this.#audio?.close();
    this.#audio = undefined;
  }

  #disconnected(reason: string, retryMs: number | undefined): void {
    this.#address = undefined;
    if (this.#waiting !== undefined) {
      this.#waiting = undefined;
      this.#closeAudio();
      this.#fail(new SonoPhoneError('NotConnected', reason));
    }
    this.#endCall(reason);
    this.emit('disconnected', { reason, ...(retryMs !== undefined && { retryMs }) });
  }

  /** A lost connection has lost its call too. */
  #endCall(reason: string): void {
    const calling = this.#status !== CallStatus.notConnected || this.#ringing;
    this.#status = CallStatus.notConnected;
    this.#closeAudio();
    if (calling) this.emit('status', { status: CallStatus.notConnected, reason });
  }

  async #useDevice(kind: 'microphone' | 'speaker', id: string | undefined): Promise<void> {
    try {
      if (kind === 'microphone') await this.#audio?.useMicrophone(id);
      else await this.#audio?.useSpeaker(id ?? '');
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const code = error instanceof SonoPhoneError ? error.code : 'Internal';
    // A call that was refused before it began has taken the microphone for nothing.
    if (this.#status === CallStatus.notConnected && !this.#ringing && this.#streams === undefined) this.#closeAudio();
    this.emit('error', { code, description: error instanceof Error ? error.message : String(error) });
  }
}

/** As an ear judges: 60 dB below the loudest is nothing. */
function percent(peak: number): number {
  return Math.round(Math.max(0, Math.min(100, 100 + (20 * Math.log10(Math.max(peak, 1e-6)) * 100) / 60)));
}
