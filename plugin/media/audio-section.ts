import { randomBytes, randomInt } from 'node:crypto';
import type { ClientFrame, MediaOptions, MediaReport } from '../call/ports.js';
import { AudioFlow } from './audio/audio-flow.js';
import type { AudioTools } from './audio/audio-tools.js';
import { contain } from './contain.js';
import type { AudioAgreement } from './negotiation/formats.js';
import type { MediaClock } from './network/clock.js';
import { type MediaLogger, RtpChannel, type RtpSink } from './network/rtp-channel.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import type { MediaTarget } from './rtp/media-target.js';
import type { RtpPacket } from './rtp/rtp.js';
import type { SrtpKeys } from './srtp/suites.js';

export interface AudioSectionOptions extends AudioTools {
  readonly call: MediaOptions;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly sockets: RtpSockets;
  readonly clock: MediaClock;
  readonly logger?: MediaLogger;
  /** RTMP timestamp for what arrives first, at a moment of the clock. */
  readonly origin: (arrival: number) => number;
  /** Names the call in RTCP, the same for all its sources (RFC 3550 section 6.5.1). */
  readonly cname: string;
  /** Takes what was thrown at a peer's octets. */
  readonly broke: (error: unknown) => void;
  readonly failed: (reason: string) => void;
  /** Time alone is going to change something: {@link AudioSection.tick} has to be called. */
  readonly wake: () => void;
  /** Is told the port when the sockets are closed. */
  readonly released: (port: number) => void;
}

/** The `m=audio` section of one call: its sockets and, once agreed, what flows through them. */
export class AudioSection implements RtpSink {
  readonly #options: AudioSectionOptions;
  readonly #clock: MediaClock;
  readonly #broke: (error: unknown) => void;
  readonly #channel: RtpChannel;
  /** Exists once the far end has answered. */
  #flow: AudioFlow | undefined;
  /** Whether somebody else serves the audio now. */
  #diverted = false;
  /** Messages of the client that could not be sent: no answer yet, or hold. */
  #notSent = 0;
  #closed = false;

  constructor(options: AudioSectionOptions) {
    const { call, host, sockets, clock, logger, failed } = options;
    this.#options = options;
    this.#clock = clock;
    this.#broke = options.broke;
    this.#channel = new RtpChannel({ callId: call.callId, host, sockets, clock, failed, ...(logger && { logger }) });
  }

  /** Whether there was an agreement. */
  get begun(): boolean {
    return this.#flow !== undefined;
  }

  /** Begins as agreed, with these keys or without encryption; a further agreement changes it. */
  start(agreement: AudioAgreement, keys: SrtpKeys | undefined): void {
    this.#channel.secure(keys);
    if (this.#flow === undefined) {
      const flow = this.#openFlow(agreement);
      this.#flow = flow;
      contain(() => flow.prepare(), this.#broke);
    } else {
      this.#flow.change(agreement, this.#clock.now());
    }
    this.#diverted = false;
    this.#channel.open(this, agreement.target);
  }

  /** Hands what the far end sends to `sink` until the next start, and leaves it to the caller what is sent. */
  divert(keys: SrtpKeys | undefined, sink: RtpSink, target: MediaTarget): Pick<RtpChannel, 'sendRtp' | 'sendRtcp'> {
    this.#channel.secure(keys);
    this.#diverted = true;
    this.#channel.open(sink, target);
    return this.#channel;
  }

  #openFlow(agreement: AudioAgreement): AudioFlow {
    const { call, origin, cname, failed, wake, transcoding, foreign } = this.#options;
    return new AudioFlow(agreement, {
      player: call.player,
      refused: (reason) => queueMicrotask(() => failed(reason)),
      out: this.#channel,
      wake,
      ...(call.dtmf && { dtmf: call.dtmf }),
      origin,
      cname,
      ssrc: randomBytes(4).readUInt32BE(),
      // In the lower half: a receiver that misses the first packets does not miss a wrap, on which SRTP depends.
      sequence: randomInt(2 ** 15),
      timestamp: randomBytes(4).readUInt32BE(),
      ...(transcoding && { transcoding }),
      ...(foreign && { foreign }),
      ...(call.client && { client: call.client }),
    });
  }

  sendDtmf(digits: string, ms: number): boolean {
    return this.#flow?.sendDtmf(digits, ms) === true;
  }

  /** RTMP timestamp that the client's audio has at a moment; undefined before its first message. */
  clientTimeAt(now: number): number | undefined {
    return this.#flow?.clientTimeAt(now);
  }

  /** RTMP timestamp that the far end's audio has at a moment of the far end's clock, once a sender report tells. */
  clientTimeAtSender(time: number): number | undefined {
    return this.#flow?.clientTimeAtSender(time);
  }

  write(frame: ClientFrame): void {
    const flow = this.#flow;
    if (flow === undefined || this.#closed || !flow.sending || !this.#channel.reachable) {
      this.#notSent++;
      return;
    }
    // Here and in `rtp` without a closure for each packet.
    try {
      flow.write(frame, this.#clock.now());
    } catch (error) {
      this.#broke(error);
    }
  }

  /** For the channel, as the next two; see {@link RtpSink}. */
  expects(payloadType: number): boolean {
    return this.#flow?.expects(payloadType) === true;
  }

  rtp(packet: RtpPacket, now: number): void {
    try {
      this.#flow?.rtp(packet, now);
    } catch (error) {
      this.#broke(error);
    }
  }

  rtcp(bytes: Uint8Array, now: number): void {
    this.#flow?.rtcp(bytes, now);
  }

  /** Whether it has to be called again, also when nothing else happens. */
  tick(now: number): boolean {
    const flow = this.#diverted ? undefined : this.#flow;
    let waits = false;
    contain(() => {
      waits = flow?.tick(now) === true;
    }, this.#broke);
    return waits;
  }

  sendReport(now: number, bye: boolean): void {
    const flow = this.#diverted ? undefined : this.#flow;
    if (flow !== undefined) this.#channel.sendRtcp(flow.report(now, bye));
  }

  /** What was measured. Gives the ports back. */
  close(): MediaReport {
    if (!this.#closed) {
      this.#closed = true;
      this.sendReport(this.#clock.now(), true);
      this.#channel.close();
      this.#options.released(this.#options.sockets.port);
    }
    const report = this.#measure();
    contain(() => this.#flow?.free(), this.#broke);
    return report;
  }

  #measure(): MediaReport {
    const { figures, suite } = this.#channel;
    const { foreign, malformed, droppedReports, socketErrors, forged, replayed } = figures;
    const own = { foreign, notSent: this.#notSent, socketErrors };
    if (this.#flow === undefined) return own;
    const audio = this.#flow.figures();
    const srtp = suite === undefined ? {} : { srtp: suite, forged, replayed };
    return { ...own, ...audio, malformed: malformed + Number(audio.malformed), droppedReports, ...srtp };
  }
}
