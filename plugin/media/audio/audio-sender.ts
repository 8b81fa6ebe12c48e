import { frameDuration, splitPacket } from 'speex-wasm';
import type { ClientFrame } from '../../call/ports.js';
import { LateGate } from '../rtp/late-gate.js';
import { buildRtp } from '../rtp/rtp.js';
import { SendTimeline } from '../rtp/timeline.js';
import { type AudioCodec, flvCodecOf } from './flv-audio.js';
import { convert } from './g711.js';
import { G711Packetizer } from './g711-packetizer.js';
import { G711ToSpeex, SpeexToG711, type Transcoding } from './transcoding.js';

/** Longest message looked at, in octets: 50 of the longest Speex frames, 1 s of G.711. */
const maxMessage = 8 * 1024;

/** What the peer wants to receive. */
export interface SendFormat {
  /** Default `speex`. */
  readonly codec?: AudioCodec;
  /** The peer's number for the codec. */
  readonly payloadType: number;
  /** Hz. */
  readonly clockRate: number;
  /** Milliseconds of a packet of G.711; a packet of Speex is always one frame. Default 20. */
  readonly packetDuration?: number;
}

export interface AudioSenderOptions extends SendFormat {
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
  /** Without it only what the client sends in the peer's codec is sent. */
  readonly transcoding?: Transcoding;
}

type Send = (packet: Buffer) => void;

/**
 * Turns the audio messages of an RTMP client into RTP packets, unchanged where the peer takes the client's codec.
 * Deterministic.
 */
export class AudioSender {
  readonly ssrc: number;
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Packets that were not in the client's codec. */
  transcoded = 0;
  /** Messages of a codec that this path does not carry, and video. */
  unsupported = 0;
  /** Messages that are not a whole number of frames. */
  malformed = 0;
  /** What the client sent last. */
  clientCodec: AudioCodec | undefined;
  readonly #lateGate = new LateGate();
  readonly #transcoding: Transcoding | undefined;
  #format: SendFormat;
  #codec: AudioCodec;
  #sequence: number;
  #timeline: SendTimeline;
  #packetizer: G711Packetizer | undefined;
  #toG711: SpeexToG711 | undefined;
  #toSpeex: G711ToSpeex | undefined;
  #concealed = 0;

  constructor(options: AudioSenderOptions) {
    this.ssrc = options.ssrc;
    this.#transcoding = options.transcoding;
    this.#format = options;
    this.#codec = options.codec ?? 'speex';
    this.#sequence = options.sequence;
    this.#timeline = new SendTimeline(options.clockRate, options.timestamp);
  }

  /** Hz of the RTP timestamps. */
  get clockRate(): number {
    return this.#format.clockRate;
  }

  /** Frames made up for what the client left out. */
  get concealed(): number {
    return this.#concealed + (this.#toG711?.concealed ?? 0) + (this.#toSpeex?.concealed ?? 0);
  }

  /** Messages that came too late, after a stall on their way. */
  get late(): number {
    return this.#lateGate.dropped;
  }

  /** Goes on in another format, as a new answer says. */
  use(format: SendFormat, now: number): void {
    const before = this.#format;
    const codec = format.codec ?? 'speex';
    const otherRate = format.clockRate !== before.clockRate;
    if (otherRate) this.#timeline = new SendTimeline(format.clockRate, this.#timeline.at(now));
    if (otherRate || codec !== this.#codec || format.packetDuration !== before.packetDuration) this.free();
    this.#format = format;
    this.#codec = codec;
  }

  /**
   * Hands the packets of one message to `send`.
   *
   * @param arrival Milliseconds of the clock.
   */
  write({ kind, timestamp, payload: body }: ClientFrame, arrival: number, send: Send): void {
    const codec = kind === 'audio' ? flvCodecOf(body) : undefined;
    if (codec === undefined) {
      this.unsupported++;
      return;
    }
    this.clientCodec = codec;
    if (this.#lateGate.drops(timestamp, arrival)) return;
    if (body.length > maxMessage) this.malformed++;
    else if (codec === 'speex' && this.#codec === 'speex') this.#pass(body.subarray(1), timestamp, arrival, send);
    else this.#convert(codec, body.subarray(1), timestamp, arrival, send);
  }

  /** The RTP timestamp of a moment, for a sender report. */
  timestampAt(now: number): number {
    return this.#timeline.at(now);
  }

  /** The RTMP timestamp of a moment; undefined before the first message. */
  sourceTimeAt(now: number): number | undefined {
    return this.#timeline.sourceTimeAt(now);
  }

  /** Gives back the memory of the codec; what comes takes it anew. */
  free(): void {
    this.#concealed = this.concealed;
    this.#toG711?.free();
    this.#toSpeex?.free();
    this.#toG711 = undefined;
    this.#toSpeex = undefined;
    this.#packetizer = undefined;
  }

  #pass(packet: Uint8Array, timestamp: number, arrival: number, send: Send): void {
    const split = splitPacket(packet);
    if (!split.ok) {
      this.malformed++;
      return;
    }
    let frameTimestamp = timestamp;
    for (const frame of split.frames) {
      this.#emit(frame, frameTimestamp, frameDuration, arrival, send);
      frameTimestamp += frameDuration;
    }
  }

  #convert(from: AudioCodec, octets: Uint8Array, timestamp: number, arrival: number, send: Send): void {
    const to = this.#codec;
    const duration = to === 'speex' ? frameDuration : (this.#format.packetDuration ?? frameDuration);
    const take = (payload: Uint8Array, start: number): void => {
      if (from !== to) this.transcoded++;
      this.#emit(payload, start, duration, arrival, send);
    };
    if (from !== 'speex' && to !== 'speex') {
      this.#packetizer ??= new G711Packetizer(duration);
      this.#packetizer.write(convert(octets, from, to), timestamp, take);
    } else if (this.#transcoding === undefined) {
      this.unsupported++;
    } else if (to !== 'speex') {
      this.#toG711 ??= new SpeexToG711(this.#transcoding, to, duration);
      if (!this.#toG711.write(octets, timestamp, take)) this.malformed++;
    } else if (from !== 'speex') {
      this.#toSpeex ??= new G711ToSpeex(this.#transcoding, this.clockRate === 8000 ? 8000 : 16000);
      this.#toSpeex.write(octets, from, timestamp, take);
    }
  }

  #emit(payload: Uint8Array, timestamp: number, duration: number, arrival: number, send: Send): void {
    const rtpTimestamp = this.#timeline.place(timestamp, duration, arrival);
    const header = {
      payloadType: this.#format.payloadType,
      marker: this.#timeline.marker,
      sequence: this.#sequence,
      timestamp: rtpTimestamp,
      ssrc: this.ssrc,
    };
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += payload.length;
    send(buildRtp(header, payload));
  }
}
