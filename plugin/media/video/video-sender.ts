import type { ClientFrame } from '../../call/ports.js';
import { LateGate } from '../rtp/late-gate.js';
import { buildRtp } from '../rtp/rtp.js';
import { type AvcConfig, parseAvcConfig } from './avc-config.js';
import { parseAvcMessage, splitNals } from './flv-avc.js';
import { carriesNothing, isParameterSet, isSlice, nalType, typeOf } from './nal.js';
import { maxPayload, type PacketizationMode, packetize } from './packetizer.js';
import { ParameterSets } from './parameter-sets.js';
import { SendHistory } from './send-history.js';
import { VideoSendTimeline } from './send-timeline.js';

export interface VideoSendFormat {
  /** The peer's number for H.264. */
  readonly payloadType: number;
  readonly mode: PacketizationMode;
}

export interface VideoSenderOptions {
  readonly format: VideoSendFormat;
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
  readonly send: (packet: Buffer) => void;
  /** Keeps packets for sending again. */
  readonly retransmits: boolean;
  /** The RTMP timestamp that the client's audio has at a moment of the clock, if there is audio. */
  readonly clientTimeAt: (now: number) => number | undefined;
}

/** Turns the H.264 messages of an RTMP client into RTP packets (RFC 6184). Deterministic. */
export class VideoSender {
  /** Hz. */
  readonly clockRate = 90_000;
  readonly ssrc: number;
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  frames = 0;
  keyFrames = 0;
  /** Pictures left out because the far end could not decode them: before the first key frame, and after a hold. */
  dropped = 0;
  /** Messages that are no H.264. */
  unsupported = 0;
  malformed = 0;
  /** NAL units that were split although the packetization mode has no fragments. */
  splitInMode0 = 0;
  retransmitted = 0;
  readonly sets = new ParameterSets();
  readonly #options: VideoSenderOptions;
  readonly #timeline: VideoSendTimeline;
  readonly #lateGate = new LateGate();
  #format: VideoSendFormat;
  #history: SendHistory | undefined;
  #lengthSize: AvcConfig['lengthSize'] | undefined;
  #needsKeyFrame = true;
  #sequence: number;

  constructor(options: VideoSenderOptions) {
    this.ssrc = options.ssrc;
    this.#options = options;
    this.#format = options.format;
    this.#history = options.retransmits ? new SendHistory() : undefined;
    this.#sequence = options.sequence;
    this.#timeline = new VideoSendTimeline(options.timestamp);
  }

  /** Pictures that came too late, after a stall on their way. */
  get late(): number {
    return this.#lateGate.dropped;
  }

  /** Goes on in another format, as a new answer says. */
  use(format: VideoSendFormat, retransmits: boolean): void {
    this.#format = format;
    if (!retransmits) this.#history = undefined;
    else this.#history ??= new SendHistory();
  }

  /** Pictures are missing at the far end: what comes next has to be a key frame. */
  interrupt(): void {
    this.#needsKeyFrame = true;
  }

  /** Sends the picture in a message. */
  write({ timestamp, payload: body }: ClientFrame, now: number): void {
    const message = parseAvcMessage(body);
    if (message.kind === 'config') this.#configure(message.record);
    else if (message.kind === 'frame') this.#picture(message, timestamp, now);
    else if (message.kind === 'other-codec') this.unsupported++;
    else if (message.kind === 'malformed') this.malformed++;
  }

  /** Takes a sequence header; the messages that follow have their lengths as it says. */
  configure(body: Uint8Array): void {
    const message = parseAvcMessage(body);
    if (message.kind === 'config') this.#configure(message.record);
  }

  /** Sends packets again that the far end lacks. @returns how many of them are still there */
  resend(sequences: readonly number[], now: number, send: (packet: Buffer) => void): void {
    for (const sequence of sequences) {
      const packet = this.#history?.take(sequence, now);
      if (packet === undefined) continue;
      this.retransmitted++;
      send(packet);
    }
  }

  /** The RTP timestamp of a moment, for a sender report. */
  timestampAt(now: number): number {
    return this.#timeline.at(now, this.#options.clientTimeAt(now));
  }

  #configure(record: Uint8Array): void {
    const config = parseAvcConfig(record);
    if (config === undefined) {
      this.malformed++;
      return;
    }
    this.#lengthSize = config.lengthSize;
    this.sets.replace([...config.sps, ...config.pps]);
  }

  #picture(message: { key: boolean; compositionTime: number; data: Uint8Array }, timestamp: number, now: number): void {
    const all = this.#lengthSize === undefined ? undefined : splitNals(message.data, this.#lengthSize);
    if (all === undefined) {
      this.malformed++;
      return;
    }
    for (const nal of all) if (isParameterSet(nal)) this.sets.add(nal);
    if (this.#lateGate.drops(timestamp, now)) {
      this.#needsKeyFrame = true;
      return;
    }
    // An encoder that refreshes pictures bit by bit has no IDR, and marks where one can start.
    const key = message.key || all.some((nal) => typeOf(nal) === nalType.idr);
    if ((this.#needsKeyFrame && !key) || !this.sets.complete) {
      this.dropped++;
      return;
    }
    const nals = all.filter((nal) => !carriesNothing(nal) && !(key && isParameterSet(nal)));
    if (!nals.some(isSlice)) return;
    this.#needsKeyFrame = false;
    this.frames++;
    if (key) this.keyFrames++;
    this.#send(
      key ? [...this.sets.all, ...nals] : nals,
      this.#timeline.place(timestamp, message.compositionTime, now),
      now,
    );
  }

  #send(nals: readonly Uint8Array[], timestamp: number, now: number): void {
    const { payloadType, mode } = this.#format;
    if (mode === 0) this.splitInMode0 += nals.filter(({ length }) => length > maxPayload).length;
    const payloads = packetize(nals, mode);
    for (const [index, { prefix, body }] of payloads.entries()) {
      const marker = index === payloads.length - 1;
      const header = { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.ssrc };
      const packet = buildRtp(header, body, prefix);
      this.#history?.add(this.#sequence, packet, now);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.packets++;
      this.octets += body.length + (prefix?.length ?? 0);
      this.#options.send(packet);
    }
  }
}
