import type { ClientAudio, ClientCodec } from '../../call/client-audio.js';
import type { ClientFrame } from '../../call/ports.js';
import type { ReceiveFormats } from '../negotiation/formats.js';
import { defaultReorderLimits, type ReorderLimits, ReorderWindow } from '../rtp/reorder.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { distance32 } from '../rtp/serial.js';
import { ReceiveTimeline } from '../rtp/timeline.js';
import { type AudioTools, refusal } from './audio-tools.js';
import { type AudioCodec, isForeign } from './flv-audio.js';
import { heardAs } from './heard-as.js';
import { type ReceivePath, receivePath } from './receive-path.js';

export interface AudioReceiverOptions extends AudioTools {
  readonly formats: ReceiveFormats;
  /** Takes a frame for the client; false when it was dropped. */
  readonly play: (frame: ClientFrame) => boolean;
  readonly reorder?: ReorderLimits;
  /** What the client says that it plays. */
  readonly receives?: ClientAudio['receives'];
  /** What the client sent last. */
  readonly clientCodec?: () => ClientCodec | undefined;
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
export class AudioReceiver {
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Messages that the client took. */
  played = 0;
  /** Frames that the client did not take in time. */
  droppedSlowReader = 0;
  /** Packets of telephone-event (RFC 4733). */
  telephoneEvents = 0;
  /** Packets of a payload type that was not negotiated. */
  unknownPayloadType = 0;
  /** Packets that the client got in another codec. */
  transcoded = 0;
  /** Packets whose payload is not a whole number of frames. */
  malformed = 0;
  /** Interarrival jitter in milliseconds (RFC 3550 section 6.4.1). */
  jitter = 0;
  formats: ReceiveFormats;
  readonly window: ReorderWindow<Arrived>;
  readonly timeline: ReceiveTimeline;
  readonly #options: AudioReceiverOptions;
  readonly #play: AudioReceiverOptions['play'];
  readonly #clientCodec: () => ClientCodec | undefined;
  /** What `#path` was made for. */
  #from: AudioCodec | undefined;
  #sends: ClientCodec | undefined;
  #to: ClientCodec | undefined;
  #path: ReceivePath | undefined;
  #concealed = 0;
  #ssrc: number | undefined;
  #previous: Arrived | undefined;

  constructor(options: AudioReceiverOptions) {
    this.formats = options.formats;
    this.#options = options;
    this.#play = options.play;
    this.#clientCodec = options.clientCodec ?? (() => undefined);
    this.timeline = new ReceiveTimeline(options.origin);
    this.window = new ReorderWindow((arrived) => this.#deliver(arrived), options.reorder ?? defaultReorderLimits);
  }

  /** The source heard now. */
  get ssrc(): number | undefined {
    return this.#ssrc;
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

  /** Packets that never arrived. */
  get lost(): number {
    return Math.max(0, this.window.skipped - this.window.late);
  }

  /** What the far end is going to send: another program, which takes time to start, is started. */
  expect(codec: AudioCodec): void {
    const sends = this.#clientCodec();
    const to = heardAs(codec, this.#client(sends), this.#options);
    if (to !== undefined && isForeign(to)) this.#choose(codec, sends);
  }

  /**
   * Takes a packet, which becomes the receiver's own: frames for the client are built in place.
   *
   * @param arrival Milliseconds of the clock.
   */
  receive(packet: RtpPacket, arrival: number): void {
    if (packet.ssrc !== this.#ssrc) this.#changeSource(packet.ssrc);
    this.packets++;
    this.octets += packet.end - packet.start;
    const arrived = { packet, arrival };
    this.#measureJitter(arrived);
    this.window.push(packet.sequence, arrived, arrival);
  }

  /** Gives up missing packets that others have waited for long enough. */
  tick(now: number): void {
    this.window.expire(now);
  }

  /** Gives back the memory of the codec. Nothing may be received after. */
  free(): void {
    this.#concealed = this.concealed;
    this.#path?.free();
    this.#path = undefined;
  }

  #changeSource(ssrc: number): void {
    this.window.reset();
    this.timeline.restart();
    this.#previous = undefined;
    this.#ssrc = ssrc;
  }

  /** RFC 3550 appendix A.8, in milliseconds. */
  #measureJitter(arrived: Arrived): void {
    const format = this.formats[arrived.packet.payloadType];
    if (format === undefined || format.kind === 'telephone-event') return;
    const previous = this.#previous;
    this.#previous = arrived;
    if (previous === undefined || previous.packet.payloadType !== arrived.packet.payloadType) return;
    const sent = (distance32(arrived.packet.timestamp, previous.packet.timestamp) * 1000) / format.clockRate;
    const transit = Math.abs(arrived.arrival - previous.arrival - sent);
    this.jitter += (transit - this.jitter) / 16;
  }

  #deliver({ packet, arrival }: Arrived): void {
    const format = this.formats[packet.payloadType];
    if (format === undefined) this.unknownPayloadType++;
    else if (format.kind === 'telephone-event') this.#deliverEvent(packet, format.clockRate, arrival);
    else
      this.#deliverAudio(packet, format.kind, () => this.timeline.place(packet.timestamp, format.clockRate, arrival));
  }

  #deliverEvent({ bytes, start, end, timestamp }: RtpPacket, clockRate: number, arrival: number): void {
    this.telephoneEvents++;
    this.#options.event?.(bytes.subarray(start, end), timestamp, clockRate, arrival);
  }

  #deliverAudio(packet: RtpPacket, codec: AudioCodec, place: () => number): void {
    const sends = this.#clientCodec();
    if (codec !== this.#from || sends !== this.#sends) this.#choose(codec, sends);
    const path = this.#path;
    if (path === undefined) return;
    if (!path.write(packet, place)) this.malformed++;
    else if (path.transcodes) this.transcoded++;
  }

  /** Finds what to make for the client of what comes now. */
  #choose(from: AudioCodec, sends: ClientCodec | undefined): void {
    const { receives, refused } = this.#options;
    const to = heardAs(from, this.#client(sends), this.#options);
    const same = from === this.#from && to === this.#to;
    this.#from = from;
    this.#sends = sends;
    this.#to = to;
    if (same) return;
    this.free();
    if (to === undefined) {
      const played = sends ?? [...(receives ?? [])][0] ?? 'speex';
      refused?.(refusal(played, 'plays', [{ codec: from }], this.#options));
      return;
    }
    this.#path = receivePath({
      ...{ from, to, tools: this.#options, failed: refused ?? (() => {}) },
      take: (body, timestamp) => this.#hand(body, timestamp),
    });
  }

  #client(sends: ClientCodec | undefined): ClientAudio {
    const { receives } = this.#options;
    return { ...(receives && { receives }), ...(sends && { sends }) };
  }

  #hand(payload: Uint8Array, timestamp: number): boolean {
    const taken = this.#play({ kind: 'audio', timestamp, payload });
    if (taken) this.played++;
    else this.droppedSlowReader++;
    return taken;
  }
}
