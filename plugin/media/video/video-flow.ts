import type { ClientFrame, FramePlayer, MediaReport } from '../../call/ports.js';
import type { VideoAgreement } from '../negotiation/video-formats.js';
import type { RtcpPacket } from '../rtp/rtcp.js';
import { buildFir, buildNack, buildPli } from '../rtp/rtcp-feedback.js';
import { RtcpSession } from '../rtp/rtcp-session.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { distance32 } from '../rtp/serial.js';
import { KeyFrameRequests } from './key-frame-requests.js';
import { VideoReceiveTimeline } from './receive-timeline.js';
import { ticksPerMs } from './send-timeline.js';
import { VideoReceiver } from './video-receiver.js';
import { VideoSender } from './video-sender.js';

/** What video needs to know of the audio of its call, to be in time with it. */
export interface AudioTime {
  /** RTMP timestamp that the client's audio has at a moment of the clock. */
  clientTimeAt(now: number): number | undefined;
  /** RTMP timestamp that the far end's audio has at a moment of the far end's clock, in milliseconds. */
  clientTimeAtSender(senderTime: number): number | undefined;
}

export interface VideoFlowOptions {
  /** Takes the frames for the client. */
  readonly player: FramePlayer;
  readonly send: (packet: Buffer) => void;
  readonly sendAgain: (packet: Buffer) => void;
  readonly sendRtcp: (packet: Buffer) => void;
  /** The far end asks for a key frame. */
  readonly keyFrameWanted: () => void;
  /** A key frame is needed of a far end that has not said that it takes RTCP feedback. */
  readonly keyFrameNeeded: () => void;
  readonly audio: AudioTime;
  /** RTMP timestamp for what arrives first at a moment. */
  readonly origin: (arrival: number) => number;
  readonly cname: string;
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
}

/** Milliseconds between two requests of the far end that the client is told of. */
const wantedInterval = 500;

/** The video of an answered call in both directions. Deterministic. */
export class VideoFlow {
  readonly sender: VideoSender;
  readonly receiver: VideoReceiver;
  /** Requests for key frames that came by RTCP. */
  requestsReceived = 0;
  /** Packets that the far end asked for again, and we asked for. */
  nacksReceived = 0;
  nacksSent = 0;
  readonly #options: VideoFlowOptions;
  readonly #rtcp: RtcpSession;
  readonly #requests = new KeyFrameRequests();
  #agreement: VideoAgreement;
  #lastWanted: number | undefined;
  #firCommand = 0;
  #lastFir: number | undefined;

  constructor(agreement: VideoAgreement, options: VideoFlowOptions) {
    const { send, cname, ssrc, sequence, timestamp, audio, origin, player } = options;
    this.#options = options;
    this.#agreement = agreement;
    this.sender = new VideoSender({
      format: agreement.send,
      retransmits: agreement.feedback.nack,
      clientTimeAt: (now) => audio.clientTimeAt(now),
      ...{ ssrc, sequence, timestamp, send },
    });
    this.receiver = new VideoReceiver({
      player,
      timeline: new VideoReceiveTimeline({ origin, inAudioTime: (rtp) => this.#inAudioTime(rtp) }),
      retransmission: agreement.feedback.nack,
      keyFrameNeeded: () => this.#requests.want(),
      keyFrameCame: () => this.#requests.satisfied(),
    });
    this.#rtcp = new RtcpSession({ cname, sender: this.sender, receiver: this.receiver });
    this.#learn(agreement);
  }

  /** Whether the far end wants to receive. */
  get sending(): boolean {
    return this.#agreement.sending;
  }

  /** A further answer in the same call: hold, resumption, another address or format. */
  change(agreement: VideoAgreement): void {
    if (agreement.sending && !this.#agreement.sending) this.sender.interrupt();
    this.#agreement = agreement;
    this.sender.use(agreement.send, agreement.feedback.nack);
    this.#learn(agreement);
  }

  #learn({ receive, parameterSets }: VideoAgreement): void {
    this.receiver.payloadTypes = receive;
    for (const nal of parameterSets) this.receiver.sets.add(nal);
  }

  expects(payloadType: number): boolean {
    return this.#agreement.receive.has(payloadType);
  }

  rtp(packet: RtpPacket, now: number): void {
    this.receiver.receive(packet, now);
    this.#ask(now);
  }

  rtcp(bytes: Uint8Array, now: number): void {
    for (const packet of this.#rtcp.receive(bytes, now)) this.#feedback(packet, now);
  }

  /** A message that the client published. */
  write(frame: ClientFrame, now: number): void {
    this.sender.write(frame, now);
  }

  tick(now: number): void {
    this.receiver.tick(now);
    this.#ask(now);
  }

  /** A player needs a key frame. */
  requestKeyFrame(now: number): void {
    this.receiver.requestKeyFrame(now);
    this.#ask(now);
  }

  /** The RTCP packet that is due. */
  report(now: number, bye: boolean): Buffer {
    return this.#rtcp.report(now, bye);
  }

  #feedback(packet: RtcpPacket, now: number): void {
    const { ssrc } = this.sender;
    if (packet.type === 'nack' && packet.ssrc === ssrc) {
      this.nacksReceived += packet.sequences.length;
      if (this.sending) this.sender.resend(packet.sequences, now, this.#options.sendAgain);
    } else if (packet.type === 'pli' && packet.ssrc === ssrc) {
      this.#wanted(now);
    } else if (packet.type === 'fir') {
      const request = packet.requests.find((one) => one.ssrc === ssrc);
      // The same command again is the same request (RFC 5104 section 4.3.1.2).
      if (request === undefined || request.command === this.#lastFir) return;
      this.#lastFir = request.command;
      this.#wanted(now);
    }
  }

  #wanted(now: number): void {
    this.requestsReceived++;
    if (this.#lastWanted !== undefined && now - this.#lastWanted < wantedInterval) return;
    this.#lastWanted = now;
    this.#options.keyFrameWanted();
  }

  /** Asks the far end for what is missing: packets, or a key frame. */
  #ask(now: number): void {
    const { receiver, sender } = this;
    const media = receiver.ssrc;
    const { nack } = this.#agreement.feedback;
    const missing = nack ? receiver.missing.due(now, this.#rtcp.roundTrip) : [];
    if (media !== undefined && missing.length > 0) {
      this.nacksSent += missing.length;
      this.#sendFeedback(buildNack(sender.ssrc, media, missing), now);
    }
    if (this.#requests.due(now)) this.#askForKeyFrame(media, now);
  }

  #askForKeyFrame(media: number | undefined, now: number): void {
    const { pli, fir } = this.#agreement.feedback;
    if (!pli && !fir) this.#options.keyFrameNeeded();
    if (media === undefined) return;
    const { ssrc } = this.sender;
    if (fir && !pli) {
      this.#firCommand = (this.#firCommand + 1) & 0xff;
      this.#sendFeedback(buildFir(ssrc, media, this.#firCommand), now);
    } else {
      // Also unasked: many understand it who do not say so, and others have to ignore it (RFC 3550 section 6.1).
      this.#sendFeedback(buildPli(ssrc, media), now);
    }
  }

  /** Feedback follows a report (RFC 4585 section 3.1). */
  #sendFeedback(feedback: Buffer, now: number): void {
    this.#options.sendRtcp(Buffer.concat([this.#rtcp.report(now), feedback]));
  }

  #inAudioTime(rtpTimestamp: number): number | undefined {
    const clock = this.#rtcp.senderClock;
    if (clock === undefined || clock.ssrc !== this.receiver.ssrc) return undefined;
    const elapsed = distance32(rtpTimestamp, clock.rtpTimestamp) / ticksPerMs;
    return this.#options.audio.clientTimeAtSender(clock.time + elapsed);
  }

  figures(): MediaReport {
    const { sender, receiver } = this;
    const rtcp = this.#rtcp;
    const { width, height } = receiver.sets.info ?? { width: 0, height: 0 };
    const sent = sender.sets.info;
    return {
      videoCodec: `h264/90000 mode ${this.#agreement.send.mode}`,
      ...(sent && { videoSizeSent: `${sent.width}x${sent.height}`, videoProfileSent: sent.profileLevelId }),
      ...(width > 0 && { videoSizeReceived: `${width}x${height}` }),
      videoPacketsSent: sender.packets,
      videoBytesSent: sender.octets,
      videoFramesSent: sender.frames,
      videoKeyFramesSent: sender.keyFrames,
      videoDroppedFromClient: sender.dropped,
      videoLateFromClient: sender.late,
      videoUnsupportedFromClient: sender.unsupported,
      videoMalformedFromClient: sender.malformed + sender.sets.refused,
      videoSplitInMode0: sender.splitInMode0,
      videoRemoteLost: rtcp.remoteLost,
      videoNacksReceived: this.nacksReceived,
      videoRetransmitted: sender.retransmitted,
      videoKeyFramesRequestedByFarEnd: this.requestsReceived,
      videoPacketsReceived: receiver.packets,
      videoBytesReceived: receiver.octets,
      videoFramesReceived: receiver.frames,
      videoKeyFramesReceived: receiver.keyFrames,
      videoFramesDropped: receiver.dropped,
      videoDroppedSlowReader: receiver.droppedSlowReader,
      videoLost: receiver.lost,
      videoReordered: receiver.window.reordered,
      videoDuplicates: receiver.window.duplicates,
      videoLate: receiver.window.late,
      videoOutOfRange: receiver.window.outOfRange,
      videoNacksSent: this.nacksSent,
      videoKeyFramesRequested: this.#requests.made,
      videoUnknownPayloadType: receiver.unknownPayloadType,
      videoMalformed: receiver.malformed + rtcp.malformed,
      videoJitterMs: Math.round(receiver.jitter * 10) / 10,
      ...(rtcp.roundTrip === undefined ? {} : { videoRoundTripMs: Math.round(rtcp.roundTrip * 10) / 10 }),
    };
  }
}
