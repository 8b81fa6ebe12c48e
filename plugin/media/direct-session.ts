import { randomBytes, randomInt } from 'node:crypto';
import type { ClientFrame, MediaOptions, MediaReport, MediaSession } from '../call/ports.js';
import type { SessionDescription } from '../call/session-description.js';
import { AudioFlow } from './audio/audio-flow.js';
import type { Transcoding } from './audio/transcoding.js';
import {
  type AudioAgreement,
  agreeAudio,
  answerAudio,
  type FormatList,
  offerAudio,
  passThroughFormats,
  transcodingFormats,
} from './negotiation/formats.js';
import type { MediaClock } from './network/clock.js';
import { type MediaLogger, RtpChannel, type RtpSink } from './network/rtp-channel.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import type { Ticker } from './network/ticker.js';
import type { MediaTarget } from './rtp/media-target.js';

export interface DirectSessionOptions {
  readonly call: MediaOptions;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly advertisedAddress: string;
  readonly sockets: RtpSockets;
  readonly clock: MediaClock;
  readonly ticker: Ticker;
  /** Is told when the sockets are closed. */
  readonly released: () => void;
  readonly logger?: MediaLogger;
  /** Without it Speex passes through, and nothing else is spoken. */
  readonly transcoding?: Transcoding;
}

/** Milliseconds between two RTCP reports on average; each interval varies by half (RFC 3550 section 6.2). */
const reportInterval = 5_000;

/** The gateway's own RTP of one call. */
export class DirectSession implements MediaSession {
  readonly offer: SessionDescription;
  readonly #options: DirectSessionOptions;
  readonly #formats: FormatList;
  readonly #channel: RtpChannel;
  /** Exists once the far end has answered. */
  #audio: AudioFlow | undefined;
  #failed = false;
  #nextReport = 0;
  /** Messages of the client that could not be sent: no answer yet, or hold. */
  #notSent = 0;
  #report: MediaReport | undefined;

  constructor(options: DirectSessionOptions) {
    const { call, host, sockets, clock, logger } = options;
    this.#options = options;
    this.#formats = options.transcoding === undefined ? passThroughFormats : transcodingFormats;
    this.offer = offerAudio(options.advertisedAddress, sockets.port, this.#formats);
    this.#channel = new RtpChannel({
      callId: call.callId,
      host,
      sockets,
      clock,
      ...(logger && { logger }),
      failed: (reason) => this.#fail(reason),
    });
  }

  async accept(answer: SessionDescription): Promise<void> {
    this.#start(agreeAudio(answer, this.#formats));
  }

  check(offer: SessionDescription): void {
    this.#answerTo(offer);
  }

  async answer(offer: SessionDescription): Promise<SessionDescription> {
    const { agreement, answer } = this.#answerTo(offer);
    this.#start(agreement);
    return answer;
  }

  #answerTo(offer: SessionDescription) {
    const { advertisedAddress, sockets } = this.#options;
    return answerAudio(offer, advertisedAddress, sockets.port, this.#formats);
  }

  #start(agreement: AudioAgreement): void {
    if (this.#report !== undefined) return;
    const { clock, ticker } = this.#options;
    if (this.#audio === undefined) {
      this.#audio = this.#openAudio(agreement);
      this.#nextReport = clock.now() + nextInterval();
    } else {
      this.#audio.change(agreement, clock.now());
    }
    this.#channel.open(this.#contained(this.#audio), agreement.target);
    ticker.add(this.#tick);
  }

  /**
   * Hands what the far end sends to `sink` until the next answer or offer, and leaves it to the caller what is sent: a
   * media server takes over the call behind this socket.
   */
  divert(sink: RtpSink, target: MediaTarget): Pick<RtpChannel, 'sendRtp' | 'sendRtcp'> {
    this.#options.ticker.delete(this.#tick);
    this.#channel.open(sink, target);
    return this.#channel;
  }

  #openAudio(agreement: AudioAgreement): AudioFlow {
    const { call, transcoding } = this.#options;
    return new AudioFlow(agreement, {
      play: call.play,
      send: (packet) => this.#channel.sendRtp(packet),
      cname: randomBytes(12).toString('base64'),
      ssrc: randomBytes(4).readUInt32BE(),
      sequence: randomInt(2 ** 16),
      timestamp: randomBytes(4).readUInt32BE(),
      ...(transcoding && { transcoding }),
    });
  }

  write(frame: ClientFrame): void {
    const audio = this.#audio;
    if (audio === undefined || this.#report !== undefined || !audio.sending || !this.#channel.reachable) {
      this.#notSent++;
      return;
    }
    this.#contain(() => audio.write(frame, this.#options.clock.now()));
  }

  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    this.#options.ticker.delete(this.#tick);
    if (this.#audio !== undefined) this.#sendReport(this.#audio, true);
    this.#channel.close();
    this.#options.released();
    this.#report = this.#measure();
    this.#contain(() => this.#audio?.free());
    return this.#report;
  }

  readonly #tick = (now: number): void => {
    const audio = this.#audio;
    if (audio === undefined) return;
    this.#contain(() => audio.tick(now));
    if (now < this.#nextReport) return;
    this.#nextReport = now + nextInterval();
    this.#sendReport(audio, false);
  };

  #sendReport(audio: AudioFlow, bye: boolean): void {
    this.#channel.sendRtcp(audio.report(this.#options.clock.now(), bye));
  }

  #contained(audio: AudioFlow): RtpSink {
    return {
      expects: (payloadType) => audio.expects(payloadType),
      rtp: (packet, now) => this.#contain(() => audio.rtp(packet, now)),
      rtcp: (bytes, now) => audio.rtcp(bytes, now),
    };
  }

  /** What a codec throws, of whatever it was given, ends the media of this call and not the process. */
  #contain(action: () => void): void {
    try {
      action();
    } catch (error) {
      const reason = `the audio could not be processed: ${error instanceof Error ? error.message : String(error)}`;
      queueMicrotask(() => this.#fail(reason));
    }
  }

  #fail(reason: string): void {
    if (this.#report !== undefined || this.#failed) return;
    this.#failed = true;
    this.#options.call.lost(reason);
  }

  #measure(): MediaReport {
    const { foreign, malformed, socketErrors } = this.#channel;
    const own = { engine: 'direct', foreign, notSent: this.#notSent, socketErrors };
    if (this.#audio === undefined) return own;
    const audio = this.#audio.figures();
    return { ...own, ...audio, malformed: malformed + Number(audio.malformed) };
  }
}

function nextInterval(): number {
  return reportInterval * (0.5 + Math.random());
}
