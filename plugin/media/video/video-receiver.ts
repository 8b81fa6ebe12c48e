import type { FramePlayer } from '../../call/ports.js';
import { InterarrivalJitter } from '../rtp/jitter.js';
import { type OrderedSink, ReorderWindow } from '../rtp/reorder.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { buildConfigMessage, buildFrameMessage } from './flv-avc.js';
import { MissingPackets } from './missing-packets.js';
import { carriesNothing, isParameterSet, isSlice, nalType, typeOf } from './nal.js';
import { ParameterSets } from './parameter-sets.js';
import { type Picture, PictureAssembler } from './picture-assembler.js';
import type { VideoReceiveTimeline } from './receive-timeline.js';
import { ticksPerMs } from './send-timeline.js';

export interface VideoReceiverOptions {
  /** Takes the frames for the client. */
  readonly player: FramePlayer;
  readonly timeline: VideoReceiveTimeline;
  /** Whether missing packets can be asked for: then they are worth waiting for. */
  readonly retransmission: boolean;
  /** Nothing can be shown until a key frame comes. */
  readonly keyFrameNeeded: () => void;
  readonly keyFrameCame: () => void;
}

/** Packets kept behind a gap, and milliseconds that they wait: with retransmission there and back a few times. */
const patience = {
  withRetransmission: { packets: 512, wait: 200 },
  without: { packets: 512, wait: 40 },
} as const;

/**
 * Milliseconds that a key frame is waited for, after a loss or for a player that joins. Then the next picture passes for
 * one, with errors for a while: some senders have none, and refresh bit by bit.
 */
const longestWait = 3_000;

interface Arrived {
  readonly packet: RtpPacket;
  readonly arrival: number;
}

/** Turns the RTP packets of the far end into H.264 messages for the RTMP client: whole pictures only. Deterministic. */
export class VideoReceiver implements OrderedSink<Arrived> {
  packets = 0;
  /** Octets of payload. */
  octets = 0;
  /** Pictures handed to the client, and key frames among them. */
  frames = 0;
  keyFrames = 0;
  /** Pictures that were not whole, or that build on one that was not. */
  dropped = 0;
  /** Messages that no player took in time. */
  droppedSlowReader = 0;
  unknownPayloadType = 0;
  payloadTypes: ReadonlySet<number> = new Set();
  readonly window: ReorderWindow<Arrived>;
  readonly missing: MissingPackets;
  readonly sets = new ParameterSets();
  readonly #options: VideoReceiverOptions;
  readonly #assembler: PictureAssembler;
  #ssrc: number | undefined;
  /** Since when a picture is missing that the next one builds on; undefined while all is well. */
  #frozenSince: number | undefined;
  /** Since when somebody waits for a key frame who has seen nothing yet. */
  #wantedSince: number | undefined;
  #started = false;
  /** Of the parameter sets that the client has. */
  #versionPlayed = 0;
  readonly #jitter = new InterarrivalJitter();
  #lastArrival = 0;

  constructor(options: VideoReceiverOptions) {
    const { packets, wait } = options.retransmission ? patience.withRetransmission : patience.without;
    this.#options = options;
    this.window = new ReorderWindow(this, { packets, wait });
    this.missing = new MissingPackets(wait);
    this.#assembler = new PictureAssembler({
      whole: (picture) => this.#deliver(picture),
      broken: () => this.#freeze(),
    });
  }

  /** The source heard now. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  get highestSequence(): number | undefined {
    return this.window.highest;
  }

  /** Milliseconds. */
  get jitter(): number {
    return this.#jitter.value;
  }

  /** Packets that never arrived. */
  get lost(): number {
    return Math.max(0, this.window.skipped - this.window.late);
  }

  get malformed(): number {
    return this.#assembler.malformed + this.sets.refused;
  }

  /** @param arrival Milliseconds of the clock. */
  receive(packet: RtpPacket, arrival: number): void {
    if (!this.payloadTypes.has(packet.payloadType)) {
      this.unknownPayloadType++;
      return;
    }
    if (packet.ssrc !== this.#ssrc) this.#changeSource(packet.ssrc);
    this.packets++;
    this.octets += packet.end - packet.start;
    this.#jitter.arrived(packet.timestamp, ticksPerMs * 1000, arrival);
    this.#lastArrival = arrival;
    this.missing.received(packet.sequence, arrival);
    this.window.push(packet.sequence, { packet, arrival }, arrival);
  }

  /** Somebody who plays needs a key frame. */
  requestKeyFrame(now: number): void {
    this.#wantedSince ??= now;
    this.#options.keyFrameNeeded();
  }

  /** Gives up missing packets that others have waited for long enough. */
  tick(now: number): void {
    this.window.expire(now);
  }

  #changeSource(ssrc: number): void {
    this.window.reset();
    this.missing.reset();
    this.#assembler.reset();
    this.#options.timeline.restart();
    this.#jitter.restart();
    if (this.#ssrc !== undefined) this.#started = false;
    this.#frozenSince = undefined;
    this.#ssrc = ssrc;
  }

  /** For the window; see {@link OrderedSink}. */
  inOrder({ packet, arrival }: Arrived): void {
    this.#assembler.push(packet, arrival);
  }

  #freeze(): void {
    this.dropped++;
    this.#frozenSince ??= this.#lastArrival;
    this.#options.keyFrameNeeded();
  }

  #deliver({ nals: all, timestamp: rtpTimestamp, arrival }: Picture): void {
    for (const nal of all) if (isParameterSet(nal)) this.sets.add(nal);
    if (!all.some(isSlice)) return;
    const idr = all.some((nal) => typeOf(nal) === nalType.idr);
    const key = idr || this.#passesForKey(arrival);
    if (!this.sets.complete || !(key || (this.#started && this.#frozenSince === undefined))) {
      this.dropped++;
      this.#frozenSince ??= arrival;
      this.#options.keyFrameNeeded();
      return;
    }
    this.#started = true;
    this.#frozenSince = undefined;
    if (key) this.#wantedSince = undefined;
    const { timestamp, compositionTime } = this.#options.timeline.place(rtpTimestamp, arrival);
    if (idr) {
      this.keyFrames++;
      this.#options.keyFrameCame();
    }
    this.frames++;
    const changed = this.#versionPlayed !== this.sets.version;
    if (changed && key) {
      this.#versionPlayed = this.sets.version;
      this.#play(timestamp, buildConfigMessage(this.sets.config()));
    }
    // Sets that change between key frames stay where they are until the next one.
    const announced = this.#versionPlayed === this.sets.version;
    const nals = all.filter((nal) => !carriesNothing(nal) && !(announced && isParameterSet(nal)));
    this.#play(timestamp, buildFrameMessage(nals, compositionTime, key));
  }

  /** Whether a key frame has been waited for for too long. */
  #passesForKey(arrival: number): boolean {
    const since = Math.min(this.#frozenSince ?? arrival, this.#wantedSince ?? arrival);
    return arrival - since > longestWait;
  }

  #play(timestamp: number, payload: Uint8Array): void {
    if (!this.#options.player.play({ kind: 'video', timestamp, payload })) this.droppedSlowReader++;
  }
}
