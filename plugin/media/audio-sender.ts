import { frameDuration, splitPacket } from 'speex-wasm';
import type { ClientFrame } from '../call/ports.js';
import { flvCodec } from './flv-audio.js';
import { buildRtp } from './rtp.js';
import { SendTimeline } from './timeline.js';

/** Longest Speex message looked at, in octets: 50 of the longest frames. */
const maxMessage = 8 * 1024;

export interface AudioSenderOptions {
  /** The peer's number for the codec. */
  readonly payloadType: number;
  /** Hz. */
  readonly clockRate: number;
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
}

/** Turns the audio messages of an RTMP client into RTP packets of one 20 ms frame each. Deterministic. */
export class AudioSender {
  readonly ssrc: number;
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Messages of a codec that this path does not carry, and video. */
  unsupported = 0;
  /** Messages that are not a whole number of frames. */
  malformed = 0;
  #payloadType: number;
  #clockRate: number;
  #sequence: number;
  #timeline: SendTimeline;

  constructor(options: AudioSenderOptions) {
    this.ssrc = options.ssrc;
    this.#payloadType = options.payloadType;
    this.#clockRate = options.clockRate;
    this.#sequence = options.sequence;
    this.#timeline = new SendTimeline(options.clockRate, options.timestamp);
  }

  /** Hz of the RTP timestamps. */
  get clockRate(): number {
    return this.#clockRate;
  }

  /** Goes on in another format, as a new answer says. */
  use(payloadType: number, clockRate: number, now: number): void {
    if (clockRate !== this.#clockRate) this.#timeline = new SendTimeline(clockRate, this.#timeline.at(now));
    this.#payloadType = payloadType;
    this.#clockRate = clockRate;
  }

  /**
   * Hands the packets of one message to `send`.
   *
   * @param arrival Milliseconds of the clock.
   */
  write({ kind, timestamp, payload: body }: ClientFrame, arrival: number, send: (packet: Buffer) => void): void {
    if (kind !== 'audio' || (body[0] ?? 0) >> 4 !== flvCodec.speex) {
      this.unsupported++;
      return;
    }
    const split = body.length > maxMessage ? undefined : splitPacket(body.subarray(1));
    if (!split?.ok) {
      this.malformed++;
      return;
    }
    let frameTimestamp = timestamp;
    for (const frame of split.frames) {
      const rtpTimestamp = this.#timeline.place(frameTimestamp, frameDuration, arrival);
      const header = {
        payloadType: this.#payloadType,
        marker: this.#timeline.marker,
        sequence: this.#sequence,
        timestamp: rtpTimestamp,
        ssrc: this.ssrc,
      };
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.packets++;
      this.octets += frame.length;
      frameTimestamp += frameDuration;
      send(buildRtp(header, frame));
    }
  }

  /** The RTP timestamp of a moment, for a sender report. */
  timestampAt(now: number): number {
    return this.#timeline.at(now);
  }
}
