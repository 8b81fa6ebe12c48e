import type { ClientAudio, ClientCodec } from '../../call/client-audio.js';
import type { FramePlayer } from '../../call/ports.js';
import type { ReceiveFormat, ReceiveFormats } from '../negotiation/formats.js';
import { InterarrivalJitter } from '../rtp/jitter.js';
import { defaultReorderLimits, type OrderedSink, type ReorderLimits, ReorderWindow } from '../rtp/reorder.js';
import { buildRtp, parseRtp, type RtpPacket } from '../rtp/rtp.js';
import { ReceiveTimeline } from '../rtp/timeline.js';
import { type AudioTools, refusal } from './audio-tools.js';
import { type AudioCodec, programCodec } from './flv-audio.js';
import { isLaw, type Law } from './g711.js';
import { heardAs } from './heard-as.js';
import { type BodySink, type ReceivePath, receivePath } from './receive-path.js';
import { SilenceFiller } from './silence-filler.js';

export interface AudioReceiverOptions extends AudioTools {
  readonly formats: ReceiveFormats;
  /** Takes the frames for the client. */
  readonly player: FramePlayer;
  readonly reorder?: ReorderLimits;
  /** What the client says that it plays. */
  readonly receives?: ClientAudio['receives'];
  /** What the client sends, as far as it is known; {@link AudioReceiver.clientSends} tells what it is later. */
  readonly sends?: ClientCodec;
  /** Is told, once for each codec, why what the far end sends cannot be played. */
  readonly refused?: (reason: string) => void;
  /** Takes the packets of telephone-event (RFC 4733), in order. */
  readonly event?: (payload: Uint8Array, timestamp: number, clockRate: number, arrival: number) => void;
  /** RTMP timestamp for what arrives first, at a moment of the clock. Default 0. */
  readonly origin?: (arrival: number) => number;
}

interface Arrived {
  readonly packet: RtpPacket;
  readonly arrival: number;
}

/** Turns the RTP packets of the far end into audio messages for the RTMP client, in order. Deterministic. */
export class AudioReceiver implements BodySink, OrderedSink<Arrived> {
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Messages that the client took. */
  played = 0;
  /** Frames that the client did not take in time. */
  droppedSlowReader = 0;
  /** Packets of telephone-event (RFC 4733). */
  telephoneEvents = 0;
  /** Packets that describe comfort noise (RFC 3389). */
  comfortNoise = 0;
  /** Packets of a payload type that was not negotiated. */
  unknownPayloadType = 0;
  /** Packets that the client got in another codec. */
  transcoded = 0;
  /** Packets whose payload is not a whole number of frames. */
  malformed = 0;
  readonly window: ReorderWindow<Arrived>;
  readonly timeline: ReceiveTimeline;
  readonly #options: AudioReceiverOptions;
  readonly #player: FramePlayer;
  #formats: ReceiveFormats;
  readonly #silence = new SilenceFiller((octets, timestamp, law) => this.#writeNoise(octets, timestamp, law));
  /** Number of the packet delivered last. */
  #delivered: number | undefined;
  #sends: ClientCodec | undefined;
  /** Whether what the client sends is what it sent when `#path` was chosen. */
  #chosen = false;
  /** What `#path` was made for. */
  #from: AudioCodec | undefined;
  #to: ClientCodec | undefined;
  #path: ReceivePath | undefined;
  #concealed = 0;
  /** As a signed number, which a small integer holds. */
  #ssrc: number | undefined;
  /** The payload type heard last, and what it means. */
  #payloadType = -1;
  #format: ReceiveFormat | undefined;
  readonly #jitter = new InterarrivalJitter();

  constructor(options: AudioReceiverOptions) {
    this.#formats = options.formats;
    this.#options = options;
    this.#player = options.player;
    this.#sends = options.sends;
    this.timeline = new ReceiveTimeline(options.origin);
    this.window = new ReorderWindow(this, options.reorder ?? defaultReorderLimits);
  }

  /** What payload types mean from now on, as a new answer says. */
  use(formats: ReceiveFormats): void {
    this.#formats = formats;
    this.#payloadType = -1;
    this.#silence.stop();
  }

  /** The source heard now. */
  get ssrc(): number | undefined {
    return this.#ssrc === undefined ? undefined : this.#ssrc >>> 0;
  }

  get highestSequence(): number | undefined {
    return this.window.highest;
  }

  /** Frames made up for packets that never arrived. */
  get concealed(): number {
    return this.#concealed + (this.#path?.concealed ?? 0);
  }

  /** What the client hears; undefined before the first packet. */
  get heard(): ClientCodec | undefined {
    return this.#to;
  }

  /** Milliseconds. */
  get jitter(): number {
    return this.#jitter.value;
  }

  /** Hz of the timestamps heard last; 0 before the first. */
  get clockRate(): number {
    return this.timeline.clockRate;
  }

  /** Packets that never arrived. */
  get lost(): number {
    return Math.max(0, this.window.skipped - this.window.late);
  }

  /** What the far end is going to send: another program, which takes time to start, is started. */
  expect(codec: AudioCodec): void {
    const to = heardAs(codec, this.#client(), this.#options);
    if (to !== undefined && programCodec(to, codec) !== undefined) this.#choose(codec);
  }

  /** What the client sends from now on: it hears the same where that can be. */
  clientSends(codec: ClientCodec): void {
    this.#chosen &&= codec === this.#sends;
    this.#sends = codec;
  }

  /**
   * Takes a packet, which becomes the receiver's own: frames for the client are built in place.
   *
   * @param arrival Milliseconds of the clock.
   */
  receive(packet: RtpPacket, arrival: number): void {
    if ((packet.ssrc | 0) !== this.#ssrc) this.#changeSource(packet.ssrc);
    this.packets++;
    this.octets += packet.end - packet.start;
    const format = this.#formatOf(packet);
    if (isAudio(format)) this.#jitter.arrived(packet.timestamp, format.clockRate, arrival);
    this.window.push(packet.sequence, { packet, arrival }, arrival);
  }

  /** Whether {@link tick} has something to do by and by. */
  get waits(): boolean {
    return this.window.holds || this.#silence.waits;
  }

  /** Gives up missing packets that others have waited for long enough, and goes on with the noise of silence. */
  tick(now: number): void {
    this.window.expire(now);
    this.#silence.tick(now);
  }

  /** Gives back the memory of the codec. Nothing may be received after. */
  free(): void {
    this.#concealed = this.concealed;
    this.#path?.free();
    this.#path = undefined;
  }

  #formatOf({ payloadType }: RtpPacket): ReceiveFormat | undefined {
    if (payloadType !== this.#payloadType) {
      this.#payloadType = payloadType;
      this.#format = this.#formats[payloadType];
    }
    return this.#format;
  }

  #changeSource(ssrc: number): void {
    this.window.reset();
    this.timeline.restart();
    this.#silence.stop();
    this.#delivered = undefined;
    this.#jitter.restart();
    this.#ssrc = ssrc | 0;
  }

  /** For the window; see {@link OrderedSink}. */
  inOrder({ packet, arrival }: Arrived): void {
    const lost = this.#delivered !== undefined && packet.sequence !== ((this.#delivered + 1) & 0xffff);
    this.#delivered = packet.sequence;
    const format = this.#formatOf(packet);
    if (format === undefined) this.unknownPayloadType++;
    else if (format.kind === 'telephone-event') this.#deliverEvent(packet, format.clockRate, arrival);
    else if (format.kind === 'cn') this.#deliverNoise(packet, format.clockRate, arrival);
    else this.#deliverAudio(packet, format.kind, lost, () => this.#place(packet, format.clockRate, arrival));
  }

  #deliverEvent({ bytes, start, end, timestamp }: RtpPacket, clockRate: number, arrival: number): void {
    this.telephoneEvents++;
    this.#options.event?.(bytes.subarray(start, end), timestamp, clockRate, arrival);
  }

  /** Silence begins, or sounds otherwise; that it comes beside another codec than G.711 was not agreed on. */
  #deliverNoise({ bytes, start, end, timestamp }: RtpPacket, clockRate: number, arrival: number): void {
    this.comfortNoise++;
    const law = this.#from ?? this.#formats.find((format) => isLaw(format?.kind))?.kind;
    if (!isLaw(law)) return;
    const at = this.timeline.place(timestamp, clockRate, arrival);
    if (!this.#silence.describe(bytes.subarray(start, end), law, at, arrival)) this.malformed++;
  }

  #deliverAudio(packet: RtpPacket, codec: AudioCodec, lost: boolean, place: () => number): void {
    const path = this.#pathFrom(codec);
    if (path === undefined) return;
    if (!path.write(packet, place, lost)) this.malformed++;
    else if (path.transcodes) this.transcoded++;
  }

  /** The timestamp of speech for the client. It ends a silence. */
  #place({ timestamp, start, end }: RtpPacket, clockRate: number, arrival: number): number {
    const at = this.timeline.place(timestamp, clockRate, arrival);
    const beyond = this.#silence.end(at, end - start);
    return beyond === 0 ? at : this.timeline.postpone(beyond);
  }

  /** As if the far end had sent it. */
  #writeNoise(octets: Uint8Array, timestamp: number, law: Law): void {
    const packet = parseRtp(buildRtp({ payloadType: 0, marker: false, sequence: 0, timestamp, ssrc: 0 }, octets));
    if (typeof packet !== 'string') this.#pathFrom(law)?.write(packet, () => timestamp, false);
  }

  #pathFrom(codec: AudioCodec): ReceivePath | undefined {
    if (codec !== this.#from || !this.#chosen) this.#choose(codec);
    return this.#path;
  }

  /** Finds what to make for the client of what comes now. */
  #choose(from: AudioCodec): void {
    const { receives, refused } = this.#options;
    const to = heardAs(from, this.#client(), this.#options);
    const same = from === this.#from && to === this.#to;
    this.#from = from;
    this.#chosen = true;
    this.#to = to;
    if (same) return;
    this.free();
    if (to === undefined) {
      const played = this.#sends ?? [...(receives ?? [])][0] ?? 'speex';
      refused?.(refusal(played, 'plays', [{ codec: from }], this.#options));
      return;
    }
    this.#path = receivePath({ from, to, tools: this.#options, failed: refused ?? (() => {}), sink: this });
  }

  #client(): ClientAudio {
    const { receives } = this.#options;
    return { ...(receives && { receives }), ...(this.#sends && { sends: this.#sends }) };
  }

  /** For the path; see {@link BodySink}. */
  take(payload: Uint8Array, timestamp: number): boolean {
    const taken = this.#player.play({ kind: 'audio', timestamp, payload });
    if (taken) this.played++;
    else this.droppedSlowReader++;
    return taken;
  }
}

function isAudio(format: ReceiveFormat | undefined): format is ReceiveFormat {
  return format !== undefined && format.kind !== 'telephone-event' && format.kind !== 'cn';
}
