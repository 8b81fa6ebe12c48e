import { type Tone, toneDigits } from '../../call/ports.js';

/** Milliseconds without a packet after which a key counts as let go: its last packets are lost. */
const silence = 200;
const maxDuration = 0xffff;

interface Event {
  readonly code: number;
  readonly clockRate: number;
  /** Of the segment that is heard now, and ticks of those before (RFC 4733 section 2.5.1.3). */
  timestamp: number;
  before: number;
  duration: number;
  heardAt: number;
  told: boolean;
}

/** Reads the events of one source (RFC 4733), in order: each key once, when it is let go. Deterministic. */
export class DtmfReceiver {
  malformed = 0;
  readonly #told: (tone: Tone) => void;
  #event: Event | undefined;

  constructor(told: (tone: Tone) => void) {
    this.#told = told;
  }

  /** Whether a key is pressed. */
  get waits(): boolean {
    return this.#event?.told === false;
  }

  receive(payload: Uint8Array, timestamp: number, clockRate: number, arrival: number): void {
    const [code, flags, high, low] = payload;
    if (code === undefined || flags === undefined || high === undefined || low === undefined) {
      this.malformed++;
      return;
    }
    if (code >= toneDigits.length) return;
    const duration = (high << 8) | low;
    const event = this.#eventOf(code, timestamp, clockRate);
    event.duration = Math.max(event.duration, duration);
    event.heardAt = arrival;
    if (flags >= 0x80) this.#tell(event);
  }

  /** A key whose end is lost is let go all the same. */
  tick(now: number): void {
    if (this.#event !== undefined && now - this.#event.heardAt >= silence) this.#tell(this.#event);
  }

  #eventOf(code: number, timestamp: number, clockRate: number): Event {
    const event = this.#event;
    if (event?.code === code && event.timestamp === timestamp) return event;
    const next = event && (event.timestamp + maxDuration) % 2 ** 32;
    if (event && !event.told && event.code === code && timestamp === next) {
      event.timestamp = timestamp;
      event.before += maxDuration;
      event.duration = 0;
      return event;
    }
    if (event) this.#tell(event);
    const fresh = { code, clockRate, timestamp, before: 0, duration: 0, heardAt: 0, told: false };
    this.#event = fresh;
    return fresh;
  }

  #tell(event: Event): void {
    if (event.told) return;
    event.told = true;
    const duration = Math.round(((event.before + event.duration) * 1000) / event.clockRate);
    this.#told({ digit: toneDigits[event.code] ?? '', duration });
  }
}
