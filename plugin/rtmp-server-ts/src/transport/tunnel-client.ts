import { concat } from '../bytes/concat.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Transport, TransportHandler, TransportProtocol } from '../session/transport.js';
import type { DialOptions } from './dial.js';
import { formatTarget, type Target } from './target.js';

/** HTTP of the platform, for one tunnel. */
export interface HttpPoster {
  /** @throws RtmpError `tunnel.answer` when the answer is longer than the limit; whatever else was in the way */
  post(
    path: string,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  close(): void;
}

/** The unit of the first byte of an answer, which says when to ask again, is nowhere written; so many milliseconds suit its values, 1-33. */
const INTERVAL_UNIT = 10;
/** Of requests and answers. */
export const TUNNEL_CONTENT_TYPE = 'application/x-fcs';
/** What servers answer for a session that there is no more. */
const NOT_FOUND = 404;
const ZERO = Uint8Array.of(0);

/** The client's side of RTMPT: one request at a time, numbered; one that fails is sent again, once, for the server carries it out once. */
export class TunnelClientTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #http: HttpPoster;
  readonly #options: Omit<DialOptions, 'signal'>;
  readonly #id: string;
  readonly #abort = new AbortController();
  #handler: TransportHandler | undefined;
  #sequence = 0;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #sendingBytes = 0;
  #wake: (() => void) | undefined;
  #ending = false;

  private constructor(target: Target, http: HttpPoster, options: Omit<DialOptions, 'signal'>, id: string) {
    this.protocol = target.protocol === 'rtmpts' ? 'rtmpts' : 'rtmpt';
    this.remoteAddress = target.host;
    this.remotePort = target.port;
    this.#http = http;
    this.#options = options;
    this.#id = id;
  }

  /** @throws RtmpError `tunnel.answer` when the server knows no tunnels; whatever the poster throws */
  static async open(target: Target, http: HttpPoster, { signal, ...options }: DialOptions): Promise<Transport> {
    try {
      const { status, body } = await http.post('/open/1', ZERO, signal);
      const id = new TextDecoder().decode(body.subarray(0, 100)).trim();
      if (status === 200 && /^[\w.-]+$/.test(id)) return new TunnelClientTransport(target, http, options, id);
      throw new RtmpError('tunnel.answer', `${formatTarget(target)} opens no tunnel: HTTP status ${status}`);
    } catch (error) {
      http.close();
      throw error;
    }
  }

  get pendingBytes(): number {
    return this.#outputBytes + this.#sendingBytes;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#run().then(
      () => this.#finish(),
      (error: Error) => this.#finish(error),
    );
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#ending || this.#gone) return;
    for (const part of parts) {
      this.#output.push(part);
      this.#outputBytes += part.length;
    }
    this.#wake?.();
  }

  end(): void {
    this.#ending = true;
    this.#wake?.();
  }

  destroy(): void {
    this.#abort.abort();
    this.#wake?.();
    // Not before destroy() returns.
    queueMicrotask(() => this.#finish());
  }

  get #gone(): boolean {
    return this.#abort.signal.aborted;
  }

  async #run(): Promise<void> {
    let pause = 0;
    while (!this.#gone) {
      if (this.#outputBytes === 0 && !this.#ending) await this.#wait(pause);
      if (this.#outputBytes === 0 && this.#ending) {
        await this.#post('close', ZERO);
        return;
      }
      const answer = await this.#exchange();
      if (this.#gone || answer === undefined) return;
      const data = answer.subarray(1);
      pause = data.length > 0 ? 0 : (answer[0] ?? 1) * INTERVAL_UNIT;
      if (data.length > 0) this.#handler?.received(data);
    }
  }

  /** Sends what waits, or asks. @returns the answer's body, undefined when the server has ended the session */
  async #exchange(): Promise<Uint8Array | undefined> {
    const body = concat(this.#output, this.#outputBytes);
    this.#sendingBytes = body.length;
    this.#output = [];
    this.#outputBytes = 0;
    const answer = body.length > 0 ? await this.#post('send', body) : await this.#post('idle', ZERO);
    this.#sendingBytes = 0;
    return answer;
  }

  async #post(verb: 'send' | 'idle' | 'close', body: Uint8Array): Promise<Uint8Array | undefined> {
    const path = `/${verb}/${this.#id}/${this.#sequence}`;
    this.#sequence += 1;
    const { status, body: answer } = await this.#try(path, body).catch((error) => {
      if (this.#gone || error instanceof RtmpError) throw error;
      return this.#try(path, body);
    });
    if (status === 200) return answer;
    if (status === NOT_FOUND) return undefined;
    throw new RtmpError('tunnel.answer', `${verb} was answered with HTTP status ${status}`);
  }

  async #try(path: string, body: Uint8Array): ReturnType<HttpPoster['post']> {
    const { clock, limits } = this.#options;
    const { tunnelTimeout } = limits;
    const request = new AbortController();
    const stop = () => request.abort();
    this.#abort.signal.addEventListener('abort', stop);
    const timer = clock.setTimeout(
      () => request.abort(new RtmpError('tunnel.timeout', `a request was not answered in ${tunnelTimeout} ms`)),
      tunnelTimeout,
    );
    try {
      return await this.#http.post(path, body, request.signal);
    } catch (error) {
      throw request.signal.reason instanceof RtmpError ? request.signal.reason : error;
    } finally {
      clock.clearTimeout(timer);
      this.#abort.signal.removeEventListener('abort', stop);
    }
  }

  /** Until the time is over, or there is something to do. */
  #wait(milliseconds: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => this.#wake?.(), milliseconds);
      this.#wake = () => {
        this.#wake = undefined;
        clock.clearTimeout(timer);
        resolve();
      };
    });
  }

  #finish(error?: Error): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#abort.abort();
    this.#http.close();
    handler?.closed(error);
  }
}
