import { Emitter } from './emitter.js';
import { CallStatus, type CallStatusCode, type SonoPhoneEvents } from './events.js';
import type { Credentials, Phone } from './phone.js';

export interface FlashPhoneOptions {
  /** URL of sono-phone.swf, on the page's own site. */
  readonly movie: string;
  /** The gateway, `rtmp://host/sono`. */
  readonly url: string;
  /** Where the invisible movie is put. Default: the end of the page. */
  readonly parent?: HTMLElement;
}

const flashType = 'application/x-shockwave-flash';
/** Commands that wait until the movie is loaded; a page that asks for more has forgotten to wait for an event. */
const mostWaiting = 32;
let movies = 0;

/** Whether the browser, or something in its place such as Ruffle, says that it plays Flash. */
export function hasFlashPlayer(): boolean {
  return navigator.mimeTypes?.namedItem(flashType) != null;
}

/** The Flash phone without its face (`ui=none`), which this page controls by ExternalInterface. */
export class FlashPhone extends Emitter<SonoPhoneEvents> implements Phone {
  readonly #id: string;
  readonly #waiting: (() => void)[] = [];
  #ready = false;
  #status: CallStatusCode = CallStatus.notConnected;
  #address: string | undefined;
  #muted = false;
  /** Whether it is connected, or tries to be. */
  #wanted = false;
  /** Somebody who is to be called as soon as the gateway is reached. */
  #toDial: string | undefined;

  constructor({ movie, url, parent = document.body }: FlashPhoneOptions) {
    super();
    const callback = `sonoPhoneEvent${++movies}`;
    Object.assign(globalThis, { [callback]: (name: string, details: string) => this.#received(name, details) });
    this.#id = `${callback}Movie`;
    const element = document.createElement('object');
    element.id = this.#id;
    element.type = flashType;
    element.data = movie;
    // A movie of no size is not started by every player.
    element.width = element.height = '1';
    const flashVars = new URLSearchParams({ url, callback, ui: 'none', connect: 'false' });
    for (const [name, value] of Object.entries({ allowScriptAccess: 'sameDomain', FlashVars: String(flashVars) })) {
      const param = document.createElement('param');
      param.name = name;
      param.value = value;
      element.append(param);
    }
    parent.append(element);
  }

  get status(): CallStatusCode {
    return this.#status;
  }

  get address(): string | undefined {
    return this.#address;
  }

  get muted(): boolean {
    return this.#muted;
  }

  connect(url?: string): void {
    this.#wanted = true;
    this.#call('connect', url);
  }

  disconnect(): void {
    this.#address = undefined;
    this.#wanted = false;
    this.#toDial = undefined;
    this.#call('disconnect');
  }

  register(username?: string, registrar?: string, credentials?: Credentials): void {
    this.#call('register', username, registrar, credentials);
  }

  unregister(): void {
    this.#call('unregister');
  }

  dial(uri: string): void {
    if (this.#address !== undefined) this.#call('dial', uri);
    else {
      this.#toDial = uri;
      if (!this.#wanted) this.connect();
    }
  }

  accept(): void {
    this.#call('accept');
  }

  reject(sipStatus?: number): void {
    this.#call('reject', sipStatus);
  }

  hangup(): void {
    this.#toDial = undefined;
    this.#call('hangup');
  }

  sendDTMF(digits: string, ms?: number): void {
    this.#call('sendDTMF', digits, ms);
  }

  hold(held: boolean): void {
    this.#call('hold', held);
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    this.#call('mute', muted);
  }

  transfer(uri: string): void {
    this.#call('transfer', uri);
  }

  sendMessage(uri: string, text: string): void {
    this.#call('sendMessage', uri, text);
  }

  #call(name: string, ...args: unknown[]): void {
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    // Found anew: Ruffle puts an element of its own in the place of the movie's.
    const call = () =>
      (document.getElementById(this.#id) as unknown as Record<string, (...args: unknown[]) => void>)[name]?.(...args);
    if (this.#ready) call();
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(call);
    else this.emit('error', { code: 'NotConnected', description: 'The Flash phone is not loaded yet.' });
  }

  /** @param details JSON, percent-encoded: players do not escape all that needs it */
  #received(name: string, details: string): void {
    const told = JSON.parse(decodeURIComponent(details));
    if (name === 'ready') {
      this.#ready = true;
      for (const call of this.#waiting.splice(0)) call();
      return;
    }
    if (name === 'status') this.#status = told.status;
    if (name === 'registered') this.#registered(told.uri);
    if (name === 'disconnected' || name === 'registrationLost') this.#address = undefined;
    this.emit(name as keyof SonoPhoneEvents, told);
  }

  #registered(uri: string): void {
    this.#address = uri;
    const toDial = this.#toDial;
    this.#toDial = undefined;
    if (toDial !== undefined) this.#call('dial', toDial);
  }
}
