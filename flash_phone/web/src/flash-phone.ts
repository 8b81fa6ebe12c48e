import { BasePhone, withoutEnd } from './base-phone.js';
import { CallStatus, type SonoPhoneEvents } from './events.js';
import type { Credentials, Phone } from './phone.js';

export interface FlashPhoneOptions {
  /** URL of sono-phone.swf, on the page's own site. */
  readonly movie: string;
  /** The gateway, `rtmp://host/sono`. */
  readonly url: string;
  /** Where the invisible movie is put. Default: the end of the page. */
  readonly parent?: HTMLElement;
  /** Whether a second caller is announced (event `waiting`). Default false. */
  readonly callWaiting?: boolean;
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
export class FlashPhone extends BasePhone implements Phone {
  readonly #id: string;
  readonly #waiting: (() => void)[] = [];
  #ready = false;
  /** Whether it is connected, or tries to be. */
  #wanted = false;
  /** Somebody who is to be called as soon as the gateway is reached. */
  #toDial: string | undefined;

  constructor({ movie, url, parent = document.body, callWaiting = false }: FlashPhoneOptions) {
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
    if (callWaiting) this.callWaiting(true);
  }

  connect(url?: string): void {
    this.#wanted = true;
    this.command('connect', url);
  }

  disconnect(): void {
    this.state.address = undefined;
    this.#wanted = false;
    this.#toDial = undefined;
    this.command('disconnect');
  }

  register(username?: string, registrar?: string, credentials?: Credentials): void {
    this.command('register', username, registrar, credentials);
  }

  unregister(): void {
    this.command('unregister');
  }

  dial(uri: string): void {
    if (this.state.address !== undefined) this.command('dial', uri);
    else {
      this.#toDial = uri;
      if (!this.#wanted) this.connect();
    }
  }

  accept(): void {
    this.command('accept');
  }

  hangup(): void {
    this.#toDial = undefined;
    this.command('hangup');
  }

  mute(muted: boolean): void {
    this.state.muted = muted;
    this.command('mute', muted);
  }

  /** Whether a second caller is announced during a call, or told that the line is busy. */
  callWaiting(allowed: boolean): void {
    this.command('callWaiting', allowed);
  }

  protected override command(name: string, ...args: unknown[]): void {
    const known = withoutEnd(args);
    // Found anew: Ruffle puts an element of its own in the place of the movie's.
    const call = () =>
      (document.getElementById(this.#id) as unknown as Record<string, (...args: unknown[]) => void>)[name]?.(...known);
    if (this.#ready) call();
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(call);
    else this.emit('error', { code: 'NotConnected', description: 'The Flash phone is not loaded yet.' });
  }

  /** @param details JSON, percent-encoded: players do not escape all that needs it */
  #received(name: string, details: string): void {
    if (name === 'ready') {
      this.#ready = true;
      for (const call of this.#waiting.splice(0)) call();
      return;
    }
    // What the gateway left out is null in the movie.
    const told = JSON.parse(decodeURIComponent(details), (_, value) => value ?? undefined);
    if (name === 'status') {
      // A gateway that is newer than this phone may have more of them.
      if (!Object.values(CallStatus).includes(told.status)) return;
      this.state.status = told.status;
    }
    if (name === 'registered') this.#registered(told.uri);
    if (name === 'disconnected' || name === 'registrationLost') this.state.address = undefined;
    this.emit(name as keyof SonoPhoneEvents, told);
  }

  #registered(uri: string): void {
    this.state.address = uri;
    const toDial = this.#toDial;
    this.#toDial = undefined;
    if (toDial !== undefined) this.command('dial', toDial);
  }
}
