import { frameDuration } from 'speex-wasm';
import { type ClientCodec, clientCodecOf } from '../../call/client-audio.js';
import type { ClientFrame } from '../../call/ports.js';
import { LateGate } from '../rtp/late-gate.js';
import { buildRtp } from '../rtp/rtp.js';
import { SendTimeline } from '../rtp/timeline.js';
import { type AudioTools, effortToSend, refusal } from './audio-tools.js';
import { type AudioCodec, programCodec } from './flv-audio.js';
import { isLaw } from './g711.js';
import { type PayloadSink, type SendPath, sendPath } from './send-path.js';
import { SilenceDetector } from './silence-detector.js';

/** Longest message looked at, in octets: 50 of the longest Speex frames, 1 s of G.711. */
const maxMessage = 8 * 1024;

/** Milliseconds by which audio may come late, after a stall, and is not dropped (late-gate.ts), and one frame more. */
const margin = 80;

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
  /** The peer's number for comfort noise (RFC 3389) beside G.711, where it takes it. */
  readonly noise?: number;
  /** What the peer takes as well, for a client that sends in one of these. */
  readonly others?: readonly Omit<SendFormat, 'others'>[];
}

/** Where RTP packets go. */
export interface PacketSink {
  sendRtp(packet: Buffer): void;
}

export interface AudioSenderOptions extends SendFormat, AudioTools {
  readonly out: PacketSink;
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
  /** The sequence header that the client sent before the call, if what it sends has one. */
  readonly header?: Uint8Array;
  /** Is told what the client sends, at first and whenever it changes. */
  readonly uses?: (codec: ClientCodec) => void;
  /** Is told, once for each codec, why what the client sends cannot be carried. */
  readonly refused?: (reason: string) => void;
}

type Format = Required<Omit<SendFormat, 'noise' | 'others'>>;
type Formats = readonly [Format, ...Format[]];

/**
 * Turns the audio messages of an RTMP client into RTP packets, unchanged where the peer takes the client's codec.
 * Deterministic.
 */
export class AudioSender implements PayloadSink {
  readonly ssrc: number;
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Packets that describe comfort noise (RFC 3389). */
  comfortNoise = 0;
  /** Packets that were not in the client's codec. */
  transcoded = 0;
  /** Messages of a codec that this path does not carry, and video. */
  unsupported = 0;
  /** Messages that are not a whole number of frames. */
  malformed = 0;
  /** What the client sent last. */
  clientCodec: ClientCodec | undefined;
  readonly #lateGate = new LateGate();
  readonly #tools: AudioTools;
  readonly #uses: AudioSenderOptions['uses'];
  readonly #refused: (reason: string) => void;
  readonly #header: Uint8Array | undefined;
  /** What the peer takes, the preferred first. */
  #formats: Formats;
  #format: Format;
  /** As a signed number, which a small integer holds. */
  readonly #source: number;
  #sequence: number;
  #timeline: SendTimeline;
  /** From the client's codec to the format. */
  #path: SendPath | undefined;
  #concealed = 0;
  /** Whole milliseconds of the clock at the last message. */
  #arrival = 0;
  readonly #out: PacketSink;
  #noise: number | undefined;
  readonly #silence = new SilenceDetector();
  /** Whether silence was told of: what comes next is speech that begins. */
  #silent = false;

  constructor(options: AudioSenderOptions) {
    this.ssrc = options.ssrc;
    this.#out = options.out;
    this.#source = options.ssrc | 0;
    this.#tools = options;
    this.#uses = options.uses;
    this.#refused = options.refused ?? (() => {});
    this.#header = options.header;
    this.#formats = formatsOf(options);
    [this.#format] = this.#formats;
    this.#noise = options.noise;
    this.#sequence = options.sequence;
    this.#timeline = new SendTimeline(options.clockRate, options.timestamp);
  }

  /** Hz of the RTP timestamps. */
  get clockRate(): number {
    return this.#format.clockRate;
  }

  /** What is sent, as RTP names it. */
  get codec(): AudioCodec {
    return this.#format.codec;
  }

  /** Frames made up for what the client left out. */
  get concealed(): number {
    return this.#concealed + (this.#path?.concealed ?? 0);
  }

  /** Messages that came too late, after a stall on their way. */
  get late(): number {
    return this.#lateGate.dropped;
  }

  /** What the client is going to send: another program, which takes time to start, is started. */
  expect(codec: ClientCodec): void {
    if (programCodec(codec, this.#formatFor(codec).codec ?? 'speex') === undefined) return;
    this.#clientUses(codec, this.#arrival);
    this.#path = this.#openPath(codec);
  }

  /** Goes on in another format, as a new answer says. */
  use(format: SendFormat, now: number): void {
    this.#formats = formatsOf(format);
    this.#noise = format.noise;
    this.#change(this.#formatFor(this.clientCodec), now);
  }

  /**
   * Sends the packets of one message, some of them later where another program makes them.
   *
   * @param arrival Milliseconds of the clock.
   */
  write({ kind, timestamp, payload: body }: ClientFrame, arrival: number): void {
    const codec = kind === 'audio' ? clientCodecOf(body) : undefined;
    if (codec === undefined) {
      this.unsupported++;
      return;
    }
    this.#arrival = Math.trunc(arrival);
    if (codec !== this.clientCodec) this.#clientUses(codec, arrival);
    if (this.#lateGate.drops(timestamp, arrival)) return;
    this.#path ??= this.#openPath(codec);
    if (this.#path === undefined) this.unsupported++;
    else if (body.length > maxMessage || !this.#path.write(body, timestamp)) this.malformed++;
  }

  /** Whether {@link tick} has something to do by and by. */
  get waits(): boolean {
    return this.#noise !== undefined && this.#silence.waits;
  }

  /** Tells the far end of the client's silence when it begins. */
  tick(now: number): void {
    if (this.#noise === undefined) return;
    const level = this.#silence.begins(now);
    if (level === undefined) return;
    // Not later than what might still come: the audio behind it is to be where it would be without.
    const timestamp = this.#timeline.claim(now - margin, 0);
    this.#silent = true;
    this.comfortNoise++;
    this.#packet(this.#noise, false, timestamp, Uint8Array.of(level));
  }

  /** The RTP timestamp of a moment, for a sender report. */
  timestampAt(now: number): number {
    return this.#timeline.at(now);
  }

  /** RTP timestamp of an event that begins now and takes `duration` milliseconds of the audio's time. */
  claim(now: number, duration: number): number {
    this.#silence.postpone(now + duration);
    return this.#timeline.claim(now, duration);
  }

  /** A packet of an event, among those of the audio (RFC 4733 section 2.1). */
  event(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    this.#packet(payloadType, marker, timestamp, payload);
  }

  /** The RTMP timestamp of a moment; undefined before the first message. */
  sourceTimeAt(now: number): number | undefined {
    return this.#timeline.sourceTimeAt(now);
  }

  /** Gives back the memory of the codec; what comes takes it anew. */
  free(): void {
    this.#concealed = this.concealed;
    this.#path?.free();
    this.#path = undefined;
  }

  #clientUses(codec: ClientCodec, now: number): void {
    this.clientCodec = codec;
    this.#uses?.(codec);
    this.free();
    this.#change(this.#formatFor(codec), now);
    const { codec: to } = this.#format;
    if (effortToSend(codec, to, this.#tools) === undefined) {
      this.#refused(refusal(codec, 'sends', this.#formats, this.#tools));
    }
  }

  /** Of what the peer takes, what takes the least to make; the preferred where nothing is better. */
  #formatFor(from: ClientCodec | undefined): Format {
    let [best] = this.#formats;
    if (from === undefined) return best;
    let least = Number.POSITIVE_INFINITY;
    for (const format of this.#formats) {
      const effort = effortToSend(from, format.codec, this.#tools) ?? least;
      if (effort < least) [best, least] = [format, effort];
    }
    return best;
  }

  #change(format: Format, now: number): void {
    const before = this.#format;
    this.#silence.reset();
    const otherRate = format.clockRate !== before.clockRate;
    if (otherRate) this.#timeline = new SendTimeline(format.clockRate, this.#timeline.at(now));
    if (otherRate || format.codec !== before.codec || format.packetDuration !== before.packetDuration) this.free();
    this.#format = format;
  }

  #openPath(from: ClientCodec): SendPath | undefined {
    const { codec: to, clockRate, packetDuration } = this.#format;
    return sendPath({
      ...{ from, to, clockRate, packetDuration, tools: this.#tools, failed: this.#refused, sink: this },
      ...(this.#header && { header: this.#header }),
    });
  }

  /** For the path; see {@link PayloadSink}. */
  take(payload: Uint8Array, timestamp: number, duration: number): void {
    if (this.#path?.transcodes) this.transcoded++;
    const rtpTimestamp = this.#timeline.place(timestamp, duration, this.#arrival);
    const { payloadType, codec } = this.#format;
    if (this.#noise !== undefined && isLaw(codec)) this.#silence.heard(codec, payload, this.#arrival);
    const marker = this.#timeline.marker || this.#silent;
    this.#silent = false;
    this.#packet(payloadType, marker, rtpTimestamp, payload);
  }

  #packet(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    this.packets++;
    this.octets += payload.length;
    this.#out.sendRtp(buildRtp({ payloadType, marker, sequence, timestamp, ssrc: this.#source }, payload));
  }
}

/** All of one shape: they are read for each packet. */
function formatsOf(format: SendFormat): Formats {
  return [complete(format), ...(format.others ?? []).map(complete)];
}

function complete({ codec = 'speex', payloadType, clockRate, packetDuration = frameDuration }: SendFormat): Format {
  return { codec, payloadType, clockRate, packetDuration };
}
