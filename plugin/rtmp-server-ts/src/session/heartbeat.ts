import type { Clock } from './clock.js';
import type { SessionLimits } from './limits.js';

export interface HeartbeatHandler {
  sendPing(timestamp: number): void;
  timedOut(silence: number): void;
}

/** Media is accompanied by a ping about so often. */
const MEDIA_PING_INTERVAL = 500;

/**
 * Pings, at most one at a time, for two questions: is a silent peer still there, and how late does media arrive at one that plays? The
 * second needs asking because the system's socket buffers hold minutes of audio without a sign of it here.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #handler: HeartbeatHandler;
  /** Whether a peer that has never answered, and sends nothing at all, counts as gone. */
  readonly #silenceIsEnd: boolean;
  #timer: unknown;
  #receivedAt: number;
  #pingedAt: number;
  #outstanding = false;
  /** Some peers never answer: nothing can be concluded from their silence. */
  #answers = false;
  #roundTripTime = -1;

  constructor(clock: Clock, limits: SessionLimits, silenceIsEnd: boolean, handler: HeartbeatHandler) {
    this.#clock = clock;
    this.#limits = limits;
    this.#silenceIsEnd = silenceIsEnd;
    this.#handler = handler;
    this.#receivedAt = clock.now();
    this.#pingedAt = this.#receivedAt - MEDIA_PING_INTERVAL;
  }

  /** Milliseconds of the last answered ping, -1 before. */
  get roundTripTime(): number {
    return this.#roundTripTime;
  }

  /** Whether media sent now would come too late. */
  get late(): boolean {
    return this.#outstanding && this.#answers && this.#clock.now() - this.#pingedAt > this.#limits.mediaDelay;
  }

  start(): void {
    this.#wait();
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  /** Bytes arrived, whatever they are. */
  received(): void {
    this.#receivedAt = this.#clock.now();
  }

  answered(): void {
    if (!this.#outstanding) return;
    this.#outstanding = false;
    this.#answers = true;
    this.#roundTripTime = this.#clock.now() - this.#pingedAt;
  }

  mediaSent(): void {
    if (!this.#outstanding && this.#clock.now() - this.#pingedAt >= MEDIA_PING_INTERVAL) this.#ping();
  }

  #ping(): void {
    this.#outstanding = true;
    this.#pingedAt = this.#clock.now();
    this.#handler.sendPing(Math.floor(this.#pingedAt) >>> 0);
  }

  /** The timer is not moved by each byte and ping; it looks again when it rings. */
  #wait(): void {
    const due = this.#outstanding
      ? this.#pingedAt + this.#limits.pingTimeout
      : this.#receivedAt + this.#limits.pingInterval;
    this.#timer = this.#clock.setTimeout(() => this.#ring(due), Math.max(0, due - this.#clock.now()));
  }

  #ring(due: number): void {
    const now = this.#clock.now();
    if (this.#outstanding && now >= this.#pingedAt + this.#limits.pingTimeout) {
      if (this.#answers || (this.#silenceIsEnd && this.#receivedAt < this.#pingedAt)) {
        this.#handler.timedOut(now - this.#receivedAt);
        return;
      }
      this.#outstanding = false;
    } else if (!this.#outstanding && now >= due && now >= this.#receivedAt + this.#limits.pingInterval) {
      this.#ping();
    }
    this.#wait();
  }
}
