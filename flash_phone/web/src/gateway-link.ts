import {
  type AmfObject,
  type AmfValue,
  amfProperties,
  RtmpCallError,
  RtmpClient,
  type RtmpConnection,
} from 'rtmp-server-ts/browser';
import { withoutEnd } from './base-phone.js';
import { loadCodec } from './codec.js';
import { SonoPhoneError } from './events.js';
import type { Credentials } from './phone.js';

export interface LinkHandler {
  connected(): void;
  /** `retryMs` is absent when it is not tried again. */
  disconnected(reason: string, retryMs?: number): void;
  registered(uri: string): void;
  /** The registrar does not know this phone any more; it registers again. */
  registrationLost(reason: string): void;
  /** onStatus of the NetConnection. */
  status(info: AmfObject): void;
  failed(error: SonoPhoneError): void;
}

/** Milliseconds before the next attempt: doubled after each failure, up to the longest. */
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/** Bits of connect's audioCodecs: what can be played here (RTMP specification section 7.2.1.1, SUPPORT_SND_). */
const canPlay = { g711: 0x0080 | 0x0100, speex: 0x0800 } as const;

/** The connection to the gateway, made again whenever it is lost, and registered again then. */
export class GatewayLink {
  readonly #handler: LinkHandler;
  #url: string | undefined;
  #connection: RtmpConnection | undefined;
  #registration: readonly AmfValue[] = [];
  #retryMs = firstRetryMs;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Set while a registration that was lost is tried again. */
  #registerAgain: ReturnType<typeof setTimeout> | undefined;
  #registerAgainMs = firstRetryMs;
  /** Counts connections that were asked for: what an old one still says is not listened to. */
  #attempt = 0;

  constructor(handler: LinkHandler) {
    this.#handler = handler;
    // A machine that wakes up, or a page that is looked at again, does not wait for the timer.
    globalThis.addEventListener?.('online', () => this.#retryNow());
    globalThis.document?.addEventListener('visibilitychange', () => this.#retryNow());
  }

  /** Undefined while the gateway is not reached. */
  get connection(): RtmpConnection | undefined {
    return this.#connection;
  }

  /** Whether it is reached, or will be tried. */
  get wanted(): boolean {
    return this.#url !== undefined;
  }

  open(url: string): void {
    this.close();
    this.#url = url;
    this.#retryMs = firstRetryMs;
    void this.#connect(url);
  }

  close(): void {
    this.#url = undefined;
    this.#attempt++;
    clearTimeout(this.#retry);
    clearTimeout(this.#registerAgain);
    this.#retry = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  /** Registers now and after each connection. */
  register(...args: readonly (string | Credentials | undefined)[]): void {
    this.#registration = withoutEnd(args).map((value) => (value as AmfValue | undefined) ?? null);
    if (this.#connection !== undefined) this.#register(this.#connection);
  }

  /** A command whose success is told by events, and whose refusal becomes an error. */
  command(name: string, ...args: AmfValue[]): void {
    const connection = this.#connection;
    if (connection === undefined) {
      this.#handler.failed(
        new SonoPhoneError('NotConnected', `no gateway is connected; ${name} needs one`, { command: name }),
      );
      return;
    }
    connection.call(name, ...args).catch((error) => this.#refused(name, error));
  }

  async #connect(url: string): Promise<void> {
    const attempt = ++this.#attempt;
    try {
      const audioCodecs = canPlay.g711 | ((await loadCodec()) === undefined ? 0 : canPlay.speex);
      if (attempt !== this.#attempt) return;
      const connection = await RtmpClient.connect(url, { properties: { app: 'sono', audioCodecs } });
      if (attempt !== this.#attempt) {
        connection.close();
        return;
      }
      this.#serve(connection, attempt);
    } catch (error) {
      if (attempt === this.#attempt) this.#lost(refusal(error) ?? unreachable(url));
    }
  }

  #serve(connection: RtmpConnection, attempt: number): void {
    this.#connection = connection;
    this.#retryMs = firstRetryMs;
    connection.on('status', (info) => {
      if (info.code === 'Sono.Registration.Lost') this.#registrationLost(connection, info.reason);
      else this.#handler.status(info);
    });
    connection.on('close', () => {
      if (attempt === this.#attempt) this.#lost('the gateway closed the connection');
    });
    this.#handler.connected();
    this.#register(connection);
  }

  /** @param again tried again when it is refused, as a registration that was there before has a right to be */
  #register(connection: RtmpConnection, again = false): void {
    clearTimeout(this.#registerAgain);
    connection.call('register', ...this.#registration).then(
      ([info]) => {
        const uri = amfProperties(info)?.uri;
        if (connection !== this.#connection || typeof uri !== 'string') return;
        this.#registerAgainMs = firstRetryMs;
        this.#handler.registered(uri);
      },
      (error) => {
        this.#refused('register', error);
        if (again && connection === this.#connection) this.#registerSoon(connection);
      },
    );
  }

  #registrationLost(connection: RtmpConnection, reason: AmfValue | undefined): void {
    this.#handler.registrationLost(typeof reason === 'string' ? reason : 'no reason given');
    this.#registerSoon(connection);
  }

  #registerSoon(connection: RtmpConnection): void {
    clearTimeout(this.#registerAgain);
    this.#registerAgain = setTimeout(() => {
      if (connection === this.#connection) this.#register(connection, true);
    }, this.#registerAgainMs);
    this.#registerAgainMs = Math.min(longestRetryMs, this.#registerAgainMs * 2);
  }

  /** What is not answered, or cannot be any more, is no refusal: accepted commands have no answer of their own. */
  #refused(command: string, error: unknown): void {
    if (!(error instanceof RtmpCallError)) return;
    const { code, description } = amfProperties(error.info[0]) ?? {};
    this.#handler.failed(
      new SonoPhoneError(
        typeof code === 'string' ? code : 'Sono.Call.Failed',
        typeof description === 'string' ? description : error.message,
        { command },
      ),
    );
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    const url = this.#url;
    if (url === undefined) return;
    const wait = this.#retryMs;
    this.#retryMs = Math.min(longestRetryMs, wait * 2);
    this.#retry = setTimeout(() => this.#retryNow(), wait);
    this.#handler.disconnected(reason, wait);
  }

  #retryNow(): void {
    if (this.#retry === undefined || this.#url === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect(this.#url);
  }
}

/** What the gateway itself says against a connection. */
function refusal(error: unknown): string | undefined {
  if (!(error instanceof RtmpCallError)) return undefined;
  const description = amfProperties(error.info[0])?.description;
  return typeof description === 'string' ? description : 'the gateway refuses the connection';
}

/** Browsers do not tell why a WebSocket could not be had. */
function unreachable(url: string): string {
  const foreign = URL.canParse(url) && new URL(url).host !== location.host;
  const origins = foreign ? `, or it does not allow pages of ${location.origin} (SONO_ORIGINS)` : '';
  return `no gateway answers at ${url}${origins}`;
}
