import { type Tone, toneDigits } from '../../call/ports.js';

/** What carries an event: the audio's own sequence numbers and timestamps (RFC 4733 section 2.1). */
export interface EventCarrier {
  /** Timestamp of audio that begins now; what is sent for `ms` from then on is no audio. */
  claim(now: number, ms: number): number;
  send(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void;
}

/** How the far end takes keys. */
export interface EventFormat {
  readonly payloadType: number;
  /** Hz. */
  readonly clockRate: number;
}

/** Keys that may wait. */
const maxWaiting = 64;
/** Milliseconds between two packets of one event (section 2.5.1.2), and between two events. */
const period = 20;
const gap = 60;
/** Copies of the last packet: it must not be lost (section 2.5.1.4). */
const endPackets = 3;
/** dBm0 below zero. */
const volume = 10;
const maxDuration = 0xffff;

interface Event {
  readonly tone: Tone;
  readonly timestamp: number;
  readonly startedAt: number;
  endsSent: number;
}

/** Sends keys as events in RTP (RFC 4733), one after the other, paced by `tick`. Deterministic. */
export class DtmfSender {
  /** Keys that were sent, and keys that were too many. */
  sent = 0;
  dropped = 0;
  /** Undefined where the far end takes no events. */
  format: EventFormat | undefined;
  readonly #carrier: EventCarrier;
  readonly #waiting: Tone[] = [];
  #event: Event | undefined;
  #quietUntil = 0;

  constructor(carrier: EventCarrier, format: EventFormat | undefined) {
    this.#carrier = carrier;
    this.format = format;
  }

  /** Whether a key is being pressed: there is to be no audio meanwhile. */
  get busy(): boolean {
    return this.#event !== undefined || this.#waiting.length > 0;
  }

  /** False where the far end takes no events. */
  push(digits: string, duration: number): boolean {
    if (this.format === undefined) return false;
    for (const digit of digits) {
      if (this.#waiting.length < maxWaiting) this.#waiting.push({ digit, duration });
      else this.dropped++;
    }
    return true;
  }

  tick(now: number): void {
    if (!this.busy) return;
    const { format } = this;
    if (format === undefined) {
      this.#waiting.length = 0;
      this.#event = undefined;
    } else if (this.#event !== undefined) {
      this.#continue(this.#event, format, now);
    } else if (now >= this.#quietUntil) {
      this.#begin(format, now);
    }
  }

  #begin(format: EventFormat, now: number): void {
    const tone = this.#waiting.shift();
    if (tone === undefined) return;
    const timestamp = this.#carrier.claim(now, tone.duration);
    this.#event = { tone, timestamp, startedAt: now, endsSent: 0 };
    this.#send(this.#event, format, period, { marker: true, end: false });
  }

  #continue(event: Event, format: EventFormat, now: number): void {
    const elapsed = now - event.startedAt + period;
    if (elapsed < event.tone.duration) {
      this.#send(event, format, elapsed, { marker: false, end: false });
      return;
    }
    this.#send(event, format, event.tone.duration, { marker: false, end: true });
    event.endsSent++;
    if (event.endsSent < endPackets) return;
    this.#event = undefined;
    this.#quietUntil = now + gap;
    this.sent++;
  }

  /**
   * Section 2.3:
   *
   *    |     event     |E|R| volume    |          duration             |
   */
  #send(
    { tone, timestamp }: Event,
    { payloadType, clockRate }: EventFormat,
    ms: number,
    { marker, end }: { readonly marker: boolean; readonly end: boolean },
  ): void {
    const duration = Math.min(Math.round((ms * clockRate) / 1000), maxDuration);
    const payload = Uint8Array.of(
      toneDigits.indexOf(tone.digit),
      (end ? 0x80 : 0) | volume,
      duration >> 8,
      duration & 0xff,
    );
    this.#carrier.send(payloadType, marker, timestamp, payload);
  }
}
