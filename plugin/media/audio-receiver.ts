import { frameDuration, splitPacket } from 'speex-wasm';
import type { ClientFrame } from '../call/ports.js';
import { flvSpeexOctet } from './flv-audio.js';
import type { ReceiveFormats } from './formats.js';
import { defaultReorderLimits, type ReorderLimits, ReorderWindow } from './reorder.js';
import type { RtpPacket } from './rtp.js';
import { distance32 } from './serial.js';
import { ReceiveTimeline } from './timeline.js';

export interface AudioReceiverOptions {
  readonly formats: ReceiveFormats;
  /** Takes a frame for the client; false when it was dropped. */
  readonly play: (frame: ClientFrame) => boolean;
  readonly reorder?: ReorderLimits;
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
  /** Frames that the client did not take in time. */
  droppedSlowReader = 0;
  /** Packets of telephone-event (RFC 4733). */
  telephoneEvents = 0;
  /** Packets of a payload type that was not negotiated. */
  unknownPayloadType = 0;
  /** Packets whose payload is not a whole number of Speex frames. */
  malformed = 0;
  /** Interarrival jitter in milliseconds (RFC 3550 section 6.4.1). */
  jitter = 0;
  formats: ReceiveFormats;
  readonly window: ReorderWindow<Arrived>;
  readonly #play: (frame: ClientFrame) => boolean;
  readonly #timeline = new ReceiveTimeline();
  #ssrc: number | undefined;
  #previous: Arrived | undefined;

  constructor(options: AudioReceiverOptions) {
    this.formats = options.formats;
    this.#play = options.play;
    this.window = new ReorderWindow((arrived) => this.#deliver(arrived), options.reorder ?? defaultReorderLimits);
  }

  /** The source heard now. */
  get ssrc(): number | undefined {
    return this.#ssrc;
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

  #changeSource(ssrc: number): void {
    this.window.reset();
    this.#timeline.restart();
    this.#previous = undefined;
    this.#ssrc = ssrc;
  }

  /** RFC 3550 appendix A.8, in milliseconds. */
  #measureJitter(arrived: Arrived): void {
    const format = this.formats[arrived.packet.payloadType];
    if (format?.kind !== 'speex') return;
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
    else this.unknownPayloadType++;
  }

  #deliverSpeex(packet: RtpPacket, clockRate: number, arrival: number): void {
    const split = splitPacket(packet.bytes.subarray(packet.start, packet.end));
    if (!split.ok) {
      this.malformed++;
      return;
    }
    let timestamp = this.#timeline.place(packet.timestamp, clockRate, arrival);
    if (split.frames.length === 1) {
      this.#hand(inPlace(packet), timestamp);
      return;
    }
    for (const frame of split.frames) {
      this.#hand(withOctet(frame), timestamp);
      timestamp = (timestamp + frameDuration) % 2 ** 32;
    }
  }

  #hand(payload: Uint8Array, timestamp: number): void {
    if (!this.#play({ kind: 'audio', timestamp, payload })) this.droppedSlowReader++;
  }
}

/** The frame behind its FLV octet, which takes the place of the RTP header's last octet: no copy. */
function inPlace(packet: RtpPacket): Uint8Array {
  packet.bytes[packet.start - 1] = flvSpeexOctet;
  return packet.bytes.subarray(packet.start - 1, packet.end);
}

function withOctet(frame: Uint8Array): Uint8Array {
  const body = new Uint8Array(frame.length + 1);
  body[0] = flvSpeexOctet;
  body.set(frame, 1);
  return body;
}
