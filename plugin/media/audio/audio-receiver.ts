import { frameDuration, splitPacket } from 'speex-wasm';
import type { ClientFrame } from '../../call/ports.js';
import type { ReceiveFormats } from '../negotiation/formats.js';
import { defaultReorderLimits, type ReorderLimits, ReorderWindow } from '../rtp/reorder.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { distance32 } from '../rtp/serial.js';
import { ReceiveTimeline } from '../rtp/timeline.js';
import { type AudioCodec, flvOctet, flvSpeexOctet } from './flv-audio.js';
import type { Law } from './g711.js';
import { G711ToSpeex, type Transcoding } from './transcoding.js';

export interface AudioReceiverOptions {
  readonly formats: ReceiveFormats;
  /** Takes a frame for the client; false when it was dropped. */
  readonly play: (frame: ClientFrame) => boolean;
  readonly reorder?: ReorderLimits;
  /** Without it G.711 reaches only clients that send it. */
  readonly transcoding?: Transcoding;
  /** What the client sent last: who sends G.711 gets G.711, everybody else Speex. */
  readonly clientCodec?: () => AudioCodec | undefined;
  /** RTMP timestamp for what arrives first, at a moment of the clock. Default 0. */
  readonly origin?: (arrival: number) => number;
}

/** Longest packet of G.711 taken, in octets: 200 ms, the most that RFC 3551 section 4.2 asks receivers for. */
const maxG711 = 1600;

interface Arrived {
  readonly packet: RtpPacket;
  readonly arrival: number;
}

/** Turns the RTP packets of the far end into audio messages for the RTMP client, in order. Deterministic. */
export class AudioReceiver {
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Frames that the client did not take in time. */
  droppedSlowReader = 0;
  /** Packets of telephone-event (RFC 4733). */
  telephoneEvents = 0;
  /** Packets of a payload type that was not negotiated. */
  unknownPayloadType = 0;
  /** Packets of G.711 that the client got as Speex. */
  transcoded = 0;
  /** Packets whose payload is not a whole number of Speex frames. */
  malformed = 0;
  /** Interarrival jitter in milliseconds (RFC 3550 section 6.4.1). */
  jitter = 0;
  formats: ReceiveFormats;
  readonly window: ReorderWindow<Arrived>;
  readonly #play: (frame: ClientFrame) => boolean;
  readonly timeline: ReceiveTimeline;
  readonly #transcoding: Transcoding | undefined;
  readonly #clientCodec: () => AudioCodec | undefined;
  #toSpeex: G711ToSpeex | undefined;
  #ssrc: number | undefined;
  #previous: Arrived | undefined;

  constructor(options: AudioReceiverOptions) {
    this.formats = options.formats;
    this.#play = options.play;
    this.#transcoding = options.transcoding;
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
    return this.#toSpeex?.concealed ?? 0;
  }

  /** Packets that never arrived. */
  get lost(): number {
    return Math.max(0, this.window.skipped - this.window.late);
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
    this.#toSpeex?.free();
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
    if (format?.kind === 'speex') this.#deliverSpeex(packet, format.clockRate, arrival);
    else if (format?.kind === 'telephone-event') this.telephoneEvents++;
    else if (format === undefined) this.unknownPayloadType++;
    else this.#deliverG711(packet, format.kind, arrival);
  }

  #deliverSpeex(packet: RtpPacket, clockRate: number, arrival: number): void {
    const split = splitPacket(packet.bytes.subarray(packet.start, packet.end));
    if (!split.ok) {
      this.malformed++;
      return;
    }
    let timestamp = this.timeline.place(packet.timestamp, clockRate, arrival);
    if (split.frames.length === 1) {
      this.#hand(inPlace(packet, flvSpeexOctet), timestamp);
      return;
    }
    for (const frame of split.frames) {
      this.#hand(withOctet(frame), timestamp);
      timestamp = (timestamp + frameDuration) % 2 ** 32;
    }
  }

  #deliverG711(packet: RtpPacket, law: Law, arrival: number): void {
    const octets = packet.bytes.subarray(packet.start, packet.end);
    if (octets.length === 0 || octets.length > maxG711) {
      this.malformed++;
      return;
    }
    const timestamp = this.timeline.place(packet.timestamp, 8000, arrival);
    const clientCodec = this.#clientCodec();
    if (clientCodec === 'pcmu' || clientCodec === 'pcma' || this.#transcoding === undefined) {
      this.#hand(inPlace(packet, flvOctet[law]), timestamp);
      return;
    }
    this.transcoded++;
    this.#toSpeex ??= new G711ToSpeex(this.#transcoding, 16000);
    this.#toSpeex.write(octets, law, timestamp, (speex, start) => this.#hand(withOctet(speex), start));
  }

  #hand(payload: Uint8Array, timestamp: number): void {
    if (!this.#play({ kind: 'audio', timestamp, payload })) this.droppedSlowReader++;
  }
}

/** The frame behind its FLV octet, which takes the place of the RTP header's last octet: no copy. */
function inPlace(packet: RtpPacket, octet: number): Uint8Array {
  packet.bytes[packet.start - 1] = octet;
  return packet.bytes.subarray(packet.start - 1, packet.end);
}

function withOctet(frame: Uint8Array): Uint8Array {
  const body = new Uint8Array(frame.length + 1);
  body[0] = flvSpeexOctet;
  body.set(frame, 1);
  return body;
}
