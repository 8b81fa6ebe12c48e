import type { AmfObject } from 'rtmp-server-ts/browser';
import { defaultGateway } from './assets.js';
import { type Argument, BasePhone } from './base-phone.js';
import { CallMedia } from './call-media.js';
import { Devices } from './devices.js';
import { CallStatus, SonoPhoneError } from './events.js';
import { FlashPhone, type FlashPhoneOptions, hasFlashPlayer } from './flash-phone.js';
import { statusIn, tellEvent } from './gateway-events.js';
import { GatewayLink } from './gateway-link.js';
import type { Credentials, Phone } from './phone.js';

export interface SonoPhoneOptions {
  /** The gateway, `ws://` or `wss://`. Default: the one that served this script. */
  readonly url?: string;
  /** Whether a second caller is announced (event `waiting`) instead of being told that the line is busy. Default false. */
  readonly callWaiting?: boolean;
}

export interface CreateOptions extends SonoPhoneOptions {
  /** The Flash phone, for browsers that cannot be one themselves; `prefer` takes it wherever there is a Flash Player. */
  readonly flash?: FlashPhoneOptions & { readonly prefer?: boolean };
}

/**
 * A phone without a face: one connection to a gateway, one call, and another that waits or is held. Methods return at once;
 * what comes of them is told by events. `dial` and `accept` ask for the microphone and have to be called from a click or a key.
 */
export class SonoPhone extends BasePhone implements Phone {
  /** Microphones and speakers. */
  readonly devices: Devices;
  readonly #url: string;
  readonly #link: GatewayLink;
  readonly #media: CallMedia;
  #callWaiting: boolean;
  #ringing = false;
  /** Somebody who is to be called as soon as the gateway is reached. */
  #toDial: string | undefined;

  constructor({ url = defaultGateway(), callWaiting = false }: SonoPhoneOptions = {}) {
    super();
    this.#url = url;
    this.#callWaiting = callWaiting;
    this.devices = new Devices((kind, id) => this.#media.useDevice(kind, id));
    this.#link = new GatewayLink({
      connected: () => this.#connected(),
      disconnected: (reason, retryMs) => this.#disconnected(reason, retryMs),
      registered: (uri) => this.#registered(uri),
      registrationLost: (reason) => {
        this.state.address = undefined;
        this.emit('registrationLost', { reason });
      },
      status: (info) => this.#received(info),
      failed: (error) => this.#fail(error),
    });
    this.#media = new CallMedia(this.devices, () => this.#link.connection, {
      level: (microphone, speaker) => this.emit('level', { microphone, speaker }),
      quality: (quality) => this.emit('quality', quality),
      failed: (error) => this.#fail(error),
    });
  }

  /** This phone, or where the browser lacks what it needs the Flash phone behind the same methods and events. */
  static create({ flash, ...options }: CreateOptions = {}): Phone {
    const able = globalThis.AudioWorkletNode !== undefined;
    const wanted = flash !== undefined && (flash.prefer === true || !able) && hasFlashPlayer();
    return wanted ? new FlashPhone({ ...options, ...flash }) : new SonoPhone(options);
  }

  /** Connects and registers, and does so again after each loss of the connection until `disconnect`. */
  connect(url = this.#url): void {
    this.disconnect();
    this.#link.open(url);
  }

  disconnect(): void {
    this.#toDial = undefined;
    this.state.address = undefined;
    this.#link.close();
    this.#endCall('this phone disconnected');
  }

  /** Without arguments the gateway makes up an address. Takes the place of what was registered. */
  register(username?: string, registrar?: string, credentials?: Credentials): void {
    this.#link.register(username, registrar, credentials);
  }

  unregister(): void {
    this.state.address = undefined;
    this.command('unregister');
  }

  /** Calls a SIP address. Connects first where that was not done yet. */
  dial(uri: string): void {
    if (this.state.status !== CallStatus.notConnected || this.#ringing || this.#media.open) {
      this.#fail(new SonoPhoneError('Sono.Call.Existing', 'There is a call already.'));
      return;
    }
    void this.#withAudio(() => this.#dial(uri));
  }

  /** Answers the incoming call; in a call answers the one that waits, and holds the other. */
  accept(): void {
    if (this.#media.open) this.command('accept');
    else void this.#withAudio(() => this.command('accept'));
  }

  /** Ends the call, or the attempt at one. A call that is held comes back. */
  hangup(): void {
    if (this.#toDial !== undefined || (this.state.status === CallStatus.notConnected && !this.#ringing))
      this.#media.close();
    this.#toDial = undefined;
    if (this.#link.connection !== undefined) this.command('hangup');
  }

  /** The far end hears silence. Stays so over calls. */
  mute(muted: boolean): void {
    this.state.muted = muted;
    this.#media.mute(muted);
  }

  /** Whether a second caller is announced during a call, or told that the line is busy. Holds for later connections too. */
  callWaiting(allowed: boolean): void {
    this.#callWaiting = allowed;
    if (this.#link.connection !== undefined) this.command('callWaiting', allowed);
  }

  protected override command(name: string, ...args: Argument[]): void {
    this.#link.command(name, ...args);
  }

  #dial(uri: string): void {
    if (this.state.address !== undefined) this.command('dial', uri);
    else {
      this.#toDial = uri;
      if (!this.#link.wanted) this.#link.open(this.#url);
    }
  }

  #connected(): void {
    this.emit('connected', {});
    // The gateway's own choice is no: older ones, which know nothing of it, are not asked in vain.
    if (this.#callWaiting) this.command('callWaiting', true);
  }

  #registered(uri: string): void {
    this.state.address = uri;
    this.emit('registered', { uri });
    const uriToDial = this.#toDial;
    this.#toDial = undefined;
    if (uriToDial !== undefined) this.command('dial', uriToDial);
  }

  #received(info: AmfObject): void {
    if (info.code === 'Sono.Call.Status') this.#changed(info);
    if (info.code === 'Sono.Call.Incoming') this.#ringing = true;
    tellEvent(info, (event, details) => this.emit(event, details));
  }

  #changed(info: AmfObject): void {
    const told = statusIn(info);
    // A gateway that is newer than this phone may have more of them.
    if (told === undefined) return;
    this.state.status = told.status;
    if (told.status === CallStatus.connectStreams) this.#connectStreams();
    if (told.status === CallStatus.disconnecting) this.#media.closeStreams();
    if (told.status === CallStatus.notConnected) this.#closeMedia();
    this.emit('status', told);
  }

  #connectStreams(): void {
    this.#ringing = false;
    void this.#media.openStreams();
    // The call before ended while the one that waited was accepted: its microphone is closed, and nobody asked for another.
    if (!this.#media.open) void this.#withAudio(() => {});
  }

  async #withAudio(then: () => void): Promise<void> {
    try {
      if (await this.#media.openAudio()) then();
    } catch (error) {
      this.#fail(error);
    }
  }

  #closeMedia(): void {
    this.#ringing = false;
    this.#media.close();
  }

  #disconnected(reason: string, retryMs: number | undefined): void {
    this.state.address = undefined;
    if (this.#toDial !== undefined) {
      this.#toDial = undefined;
      this.#closeMedia();
      this.#fail(new SonoPhoneError('NotConnected', reason));
    }
    this.#endCall(reason);
    this.emit('disconnected', { reason, ...(retryMs !== undefined && { retryMs }) });
  }

  /** A lost connection has lost its call too. */
  #endCall(reason: string): void {
    const calling = this.state.status !== CallStatus.notConnected || this.#ringing;
    this.state.status = CallStatus.notConnected;
    this.#closeMedia();
    if (calling) this.emit('status', { status: CallStatus.notConnected, reason });
  }

  #fail(error: unknown): void {
    const { code, command } = error instanceof SonoPhoneError ? error : { code: 'Internal', command: undefined };
    const calling = this.state.status !== CallStatus.notConnected || this.#ringing || this.#media.streaming;
    // A call that was refused before it began has taken the microphone for nothing.
    if (!calling && (command === undefined || command === 'dial')) this.#media.close();
    const description = error instanceof Error ? error.message : String(error);
    this.emit('error', { code, description, ...(command !== undefined && { command }) });
  }
}
