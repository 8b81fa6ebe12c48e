import { randomBytes, randomInt } from 'node:crypto';
import type { ClientFrame, MediaOptions, MediaReport } from '../call/ports.js';
import { contain } from './contain.js';
import type { VideoAgreement } from './negotiation/video-formats.js';
import type { MediaClock } from './network/clock.js';
import { Pacer } from './network/pacer.js';
import { type MediaLogger, RtpChannel, type RtpSink } from './network/rtp-channel.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import type { SrtpKeys } from './srtp/suites.js';
import { isAvcConfig } from './video/flv-avc.js';
import { VideoFlow, type VideoFlowOptions } from './video/video-flow.js';

export interface VideoSectionOptions extends Pick<VideoFlowOptions, 'audio' | 'origin' | 'cname'> {
  readonly call: MediaOptions;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly sockets: RtpSockets;
  readonly clock: MediaClock;
  readonly logger?: MediaLogger;
  /** Takes what was thrown at a peer's octets. */
  readonly broke: (error: unknown) => void;
  readonly failed: (reason: string) => void;
  /** Is told the port when the sockets are closed. */
  readonly released: (port: number) => void;
}

/** The `m=video` section of one call: its sockets and, once agreed, what flows through them. */
export class VideoSection {
  /** Even port of the pair. */
  readonly port: number;
  readonly #options: VideoSectionOptions;
  readonly #channel: RtpChannel;
  readonly #pacer: Pacer;
  #flow: VideoFlow | undefined;
  /** Whether the client has sent something since there is a flow. */
  #begun = false;
  /** Messages of the client that could not be sent: no answer yet, or hold. */
  #notSent = 0;
  #closed = false;

  constructor(options: VideoSectionOptions) {
    const { call, host, sockets, clock, logger, failed } = options;
    this.#options = options;
    this.port = sockets.port;
    this.#channel = new RtpChannel({ callId: call.callId, host, sockets, clock, failed, ...(logger && { logger }) });
    this.#pacer = new Pacer(clock, (packet) => this.#channel.sendRtp(packet));
  }

  /** Begins as agreed, with these keys or without encryption; a further agreement changes it. */
  start(agreement: VideoAgreement, keys: SrtpKeys | undefined): void {
    this.#channel.secure(keys);
    if (this.#flow !== undefined) {
      this.#flow.change(agreement);
      this.#channel.aim(agreement.target);
      return;
    }
    this.#flow = this.#openFlow(agreement);
    this.#channel.open(this.#sink(this.#flow), agreement.target);
  }

  #openFlow(agreement: VideoAgreement): VideoFlow {
    const { call, audio, origin, cname } = this.#options;
    return new VideoFlow(agreement, {
      player: call.player,
      send: (packet) => this.#pacer.push(packet),
      sendAgain: (packet) => this.#channel.sendRtp(packet),
      sendRtcp: (packet) => this.#channel.sendRtcp(packet),
      keyFrameWanted: () => call.keyFrameWanted?.(),
      keyFrameNeeded: () => call.keyFrameNeeded?.(),
      audio,
      origin,
      cname,
      ssrc: randomBytes(4).readUInt32BE(),
      // In the lower half: a receiver that misses the first packets does not miss a wrap, on which SRTP depends.
      sequence: randomInt(2 ** 15),
      timestamp: randomBytes(4).readUInt32BE(),
    });
  }

  write(frame: ClientFrame): void {
    const flow = this.#flow;
    if (flow !== undefined && !this.#begun) this.#begin(flow);
    if (flow?.sending && this.#channel.reachable) {
      contain(() => flow.write(frame, this.#options.clock.now()), this.#options.broke);
    } else if (isAvcConfig(frame.payload)) {
      flow?.sender.configure(frame.payload);
    } else {
      this.#notSent++;
      flow?.sender.interrupt();
    }
  }

  /** With what the client sent while there was no call, up to now: what follows builds on that. */
  #begin(flow: VideoFlow): void {
    this.#begun = true;
    const { sequenceHeader, recent = [] } = this.#options.call.video?.() ?? {};
    if (sequenceHeader !== undefined) flow.sender.configure(sequenceHeader);
    for (const frame of recent) this.write(frame);
  }

  tick(now: number): void {
    const flow = this.#flow;
    if (flow !== undefined) contain(() => flow.tick(now), this.#options.broke);
  }

  requestKeyFrame(): void {
    this.#flow?.requestKeyFrame(this.#options.clock.now());
  }

  sendReport(now: number, bye: boolean): void {
    if (this.#flow !== undefined) this.#channel.sendRtcp(this.#flow.report(now, bye));
  }

  /** What was measured, if video ever flowed. Gives the ports back. */
  close(): MediaReport {
    if (!this.#closed) {
      this.#closed = true;
      this.sendReport(this.#options.clock.now(), true);
      this.#pacer.close();
      this.#channel.close();
      this.#options.released(this.port);
    }
    if (this.#flow === undefined) return {};
    const { figures: channel, suite } = this.#channel;
    const figures = this.#flow.figures();
    return {
      ...figures,
      videoMalformed: Number(figures.videoMalformed) + channel.malformed,
      videoForeign: channel.foreign,
      videoDroppedReports: channel.droppedReports,
      videoSocketErrors: channel.socketErrors,
      ...(suite !== undefined && {
        videoSrtp: suite,
        videoForged: channel.forged,
        videoReplayed: channel.replayed,
      }),
      videoNotSent: this.#notSent,
    };
  }

  #sink(flow: VideoFlow): RtpSink {
    const { broke } = this.#options;
    return {
      expects: (payloadType) => flow.expects(payloadType),
      rtp: (packet, now) => contain(() => flow.rtp(packet, now), broke),
      rtcp: (bytes, now) => contain(() => flow.rtcp(bytes, now), broke),
    };
  }
}
