import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';
import type { Transport, TransportHandler, TransportProtocol } from '../session/transport.js';

export interface TunnelPeer {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export interface TunnelOptions {
  readonly clock: Clock;
  /** Milliseconds without a request that can be carried out. */
  readonly timeout: number;
  /** Requests that may wait for those before them. */
  readonly requests: number;
  /** Bytes of those. */
  readonly waitingBytes: number;
  /** The session takes no more requests. */
  gone(): void;
}

/** Answers a request with a body; undefined: the session has ended. */
export type TunnelAnswer = (body: Uint8Array | undefined) => void;

/** First byte of an answer: after how long, in a unit of its own, the client asks again when it has nothing to send. */
const INTERVALS = [1, 3, 5, 9, 17, 33] as const;
/** Answers in a row without data, after which the client may ask less often. */
const PATIENCE = 10;

/**
 * Milliseconds that an answer to a client that only asks waits for something to send. librtmp asks again at once, which would be thousands of
 * requests a second; and what comes up meanwhile goes without delay.
 */
const HOLD = 20;

/**
 * One client's session of HTTP requests as a transport. The client numbers its requests, so that they can come over several connections, be
 * overtaken and be repeated by a proxy: they are carried out in order, once each. What waits to be sent goes with the next answer.
 */
export class TunnelTransport implements Transport {
  readonly protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #options: TunnelOptions;
  readonly #waiting = new Map<number, { readonly data: Uint8Array; readonly answer: TunnelAnswer }>();
  #handler: TransportHandler | undefined;
  /** The number of the request to be carried out next. */
  #next: number | undefined;
  #lastAnswer: Uint8Array | undefined;
  /** Of the request before {@link #next}, if it waits for something to send. */
  #held: TunnelAnswer | undefined;
  #holdTimer: unknown;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #emptyAnswers = 0;
  #heardAt: number;
  #timer: unknown;
  #ending = false;
  #gone = false;

  constructor({ protocol, remoteAddress, remotePort }: TunnelPeer, options: TunnelOptions) {
    this.protocol = protocol;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  get pendingBytes(): number {
    return this.#outputBytes;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#watch();
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#ending || this.#gone) return;
    for (const part of parts) {
      this.#output.push(part);
      this.#outputBytes += part.length;
    }
    this.#release();
  }

  end(): void {
    this.#ending = true;
    if (this.#outputBytes === 0) this.finish();
  }

  destroy(): void {
    this.finish();
  }

  /** @param data what the client sends; empty when it only asks */
  request(sequence: number, data: Uint8Array, answer: TunnelAnswer): void {
    // Some clients begin with 0, others with 1.
    this.#next ??= sequence === 1 ? 1 : 0;
    if (sequence < this.#next) {
      this.#repeat(sequence === this.#next - 1, answer);
      return;
    }
    if (sequence - this.#next >= this.#options.requests) {
      answer(undefined);
      this.finish(new RtmpError('tunnel.sequence', `request ${sequence} came when ${this.#next} was due`));
      return;
    }
    this.#waiting.get(sequence)?.answer(undefined);
    this.#waiting.set(sequence, { data, answer });
    this.#carryOut();
    const bytes = [...this.#waiting.values()].reduce((total, waiting) => total + waiting.data.length, 0);
    if (bytes > this.#options.waitingBytes) {
      this.finish(new RtmpError('tunnel.request-size', `${bytes} bytes wait for request ${this.#next}`));
    }
  }

  /** @param error why, unless it is the ordinary end */
  finish(error?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#options.clock.clearTimeout(this.#holdTimer);
    this.#options.gone();
    this.#held?.(undefined);
    for (const { answer } of this.#waiting.values()) answer(undefined);
    this.#waiting.clear();
    this.#output = [];
    this.#outputBytes = 0;
    queueMicrotask(() => this.#handler?.closed(error));
  }

  #repeat(isLast: boolean, answer: TunnelAnswer): void {
    if (isLast && this.#held !== undefined) {
      this.#held(undefined);
      this.#held = answer;
    } else {
      answer(isLast ? this.#lastAnswer : Uint8Array.of(INTERVALS[0]));
    }
  }

  #carryOut(): void {
    for (;;) {
      const next = this.#next ?? 0;
      const request = this.#waiting.get(next);
      if (request === undefined) return;
      this.#waiting.delete(next);
      this.#next = next + 1;
      this.#heardAt = this.#options.clock.now();
      this.#release();
      if (request.data.length === 0 && this.#outputBytes === 0) {
        this.#hold(request.answer);
        continue;
      }
      if (request.data.length > 0) this.#handler?.received(request.data);
      // After the microtasks in which a session sends what it has to answer; no other request comes between.
      queueMicrotask(() => {
        this.#handler?.flush();
        request.answer(this.#takeAnswer());
      });
    }
  }

  #hold(answer: TunnelAnswer): void {
    this.#held = answer;
    this.#holdTimer = this.#options.clock.setTimeout(() => this.#release(), HOLD);
  }

  #release(): void {
    if (this.#held === undefined) return;
    const answer = this.#held;
    this.#held = undefined;
    this.#options.clock.clearTimeout(this.#holdTimer);
    answer(this.#takeAnswer());
  }

  #takeAnswer(): Uint8Array | undefined {
    if (this.#gone) return undefined;
    this.#emptyAnswers = this.#outputBytes > 0 ? 0 : this.#emptyAnswers + 1;
    const step = Math.min(Math.floor(this.#emptyAnswers / PATIENCE), INTERVALS.length - 1);
    this.#lastAnswer = Buffer.concat([Uint8Array.of(INTERVALS[step] ?? 1), ...this.#output]);
    this.#output = [];
    this.#outputBytes = 0;
    if (this.#ending) this.finish();
    return this.#lastAnswer;
  }

  #watch(): void {
    const { clock, timeout } = this.#options;
    const left = this.#heardAt + timeout - clock.now();
    if (left > 0) this.#timer = clock.setTimeout(() => this.#watch(), left);
    else this.finish(new RtmpError('tunnel.timeout', `no request in order for ${timeout} ms`));
  }
}
