import { randomBytes } from 'node:crypto';
import type { ClientFrame, MediaOptions, MediaReport, MediaSession } from '../call/ports.js';
import type { Direction, MediaDescription, SessionDescription } from '../call/session-description.js';
import type { AudioTools } from './audio/audio-tools.js';
import type { AudioCodec } from './audio/flv-audio.js';
import { AudioSection } from './audio-section.js';
import { type Agreed, AudioNegotiation } from './negotiation/audio-negotiation.js';
import { type ClientFormats, clientFormats } from './negotiation/client-formats.js';
import { type SectionSecurity, SrtpNegotiation, type SrtpPolicy } from './negotiation/srtp.js';
import type { MediaClock } from './network/clock.js';
import type { MediaLogger, RtpChannel, RtpSink } from './network/rtp-channel.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import type { Ticker } from './network/ticker.js';
import type { MediaTarget } from './rtp/media-target.js';
import { SessionVideo } from './session-video.js';

export interface DirectSessionOptions extends AudioTools {
  readonly call: MediaOptions;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly advertisedAddress: string;
  /** For audio. */
  readonly sockets: RtpSockets;
  /** For video, when it is to be offered. */
  readonly videoSockets?: RtpSockets;
  /** Opens sockets for video that the far end offers, if there are any. Without it video is refused. */
  readonly openVideoSockets?: () => Promise<RtpSockets | undefined>;
  readonly clock: MediaClock;
  readonly ticker: Ticker;
  /** Is told the port of each pair of sockets that is closed. */
  readonly released: (port: number) => void;
  readonly logger?: MediaLogger;
  /** Default `accept`. */
  readonly srtp?: SrtpPolicy;
}

/** A socket that another serves. */
export interface Diversion {
  /** Sends to the far end. */
  readonly farEnd: Pick<RtpChannel, 'sendRtp' | 'sendRtcp'>;
  /** What the answer to an offer says of its protection. */
  readonly security: Partial<SectionSecurity>;
}

/** Milliseconds between two RTCP reports on average; each interval varies by half (RFC 3550 section 6.2). */
const reportInterval = 5_000;

/** Milliseconds to the first report of a call with video: until then lips are synchronised by guess. */
const firstVideoReport = 500;

/** The gateway's own RTP of one call. */
export class DirectSession implements MediaSession {
  readonly #options: DirectSessionOptions;
  readonly #formats: ClientFormats;
  readonly #negotiation: AudioNegotiation;
  readonly #audio: AudioSection;
  readonly #video: SessionVideo;
  readonly #cname = randomBytes(12).toString('base64');
  /** When the first packet of the far end came: the client's timestamps count from there. */
  #firstArrival: number | undefined;
  #failed = false;
  #cancelReport: (() => void) | undefined;
  #report: MediaReport | undefined;

  /** @throws MediaError `NoCommonCodec` when what the client sends or plays cannot be carried */
  constructor(options: DirectSessionOptions) {
    const { call, sockets, advertisedAddress } = options;
    this.#options = options;
    this.#formats = clientFormats(call.client ?? {}, options);
    this.#negotiation = new AudioNegotiation({
      ...{ formats: this.#formats, advertisedAddress, port: sockets.port },
      srtp: new SrtpNegotiation(options.srtp ?? 'accept', randomBytes),
      others: () => this.#video.offer(),
    });
    this.#audio = this.#openAudio();
    this.#video = this.#openVideo();
  }

  #openAudio(): AudioSection {
    const { call, host, sockets, clock, released, logger, transcoding, foreign } = this.#options;
    return new AudioSection({
      ...{ call, host, sockets, clock, released },
      ...(logger && { logger }),
      ...(transcoding && { transcoding }),
      ...(foreign && { foreign }),
      cname: this.#cname,
      origin: this.#origin,
      broke: (error) => this.#broke('audio', error),
      failed: (reason) => this.#fail(reason),
      wake: () => this.#wake(),
    });
  }

  #openVideo(): SessionVideo {
    const { call, host, videoSockets, openVideoSockets, srtp, clock, released, logger } = this.#options;
    return new SessionVideo({
      ...{ call, host, clock, released },
      ...(logger && { logger }),
      ...(videoSockets && { sockets: videoSockets }),
      ...(openVideoSockets && { openSockets: openVideoSockets }),
      srtp: new SrtpNegotiation(srtp ?? 'accept', randomBytes),
      cname: this.#cname,
      origin: this.#origin,
      audio: this.#audio,
      broke: (error) => this.#broke('video', error),
      failed: (reason) => this.#fail(reason),
    });
  }

  get offer(): SessionDescription {
    return this.#negotiation.offer;
  }

  async accept(answer: SessionDescription): Promise<void> {
    const agreed = this.#negotiation.accept(answer);
    this.#video.accept(answer);
    this.#start(agreed);
  }

  check(offer: SessionDescription): void {
    this.#negotiation.answerTo(offer, false);
  }

  async answer(offer: SessionDescription, held = false): Promise<SessionDescription> {
    const paused = this.#negotiation.paused(offer);
    if (paused !== undefined) {
      this.#start(paused);
      return this.#negotiation.answered(this.#negotiation.refusal(offer));
    }
    const { answer, ...agreed } = this.#negotiation.answerTo(offer, held);
    const media = await this.#video.answer(offer, answer.media);
    this.#start(agreed);
    return this.#negotiation.answered({ ...answer, media });
  }

  reoffer(direction: Direction, anew = false): SessionDescription {
    return this.#negotiation.reoffer(direction, anew);
  }

  sendDtmf(digits: string, ms: number): boolean {
    return this.#report === undefined && this.#audio.sendDtmf(digits, ms);
  }

  /** RTMP timestamp for what arrives first at a moment: audio and video count from the same. */
  readonly #origin = (arrival: number): number => {
    this.#firstArrival ??= arrival;
    return Math.max(0, arrival - this.#firstArrival);
  };

  #start(agreed: Agreed): void {
    if (this.#report !== undefined) return;
    this.#negotiation.settle(agreed);
    const { agreement, srtp } = agreed;
    this.#audio.start(agreement, srtp.keys);
    this.#wake();
  }

  /** Codecs that pass between the client and a far end, the best first. */
  get passing(): readonly AudioCodec[] {
    return this.#formats.passing;
  }

  /**
   * An offer without the sections that the policy of encryption rules out.
   *
   * @throws MediaError `NoCommonCodec` when that leaves none to answer
   */
  admissible(offered: SessionDescription): SessionDescription {
    return this.#negotiation.admissible(offered);
  }

  /**
   * Hands the audio that the far end sends to `sink` until the next answer or offer, and leaves it to the caller what is
   * sent: a media server takes over behind this socket. Video goes on as it is.
   *
   * @throws MediaError `NoCommonCodec` when the far end's encryption, or lack of it, is not taken
   */
  divert(description: SessionDescription, kind: 'offer' | 'answer', sink: RtpSink, target: MediaTarget): Diversion {
    const { agreement, security } = this.#negotiation.secure(description, kind);
    if (kind === 'answer') this.#video.accept(description);
    const farEnd = this.#audio.divert(agreement.keys, sink, target);
    this.#wake();
    return { farEnd, security };
  }

  /** The sections of an answer with those of video as they are taken, for a call whose audio is diverted. */
  answerVideo(offer: SessionDescription, refusing: readonly MediaDescription[]): Promise<readonly MediaDescription[]> {
    return this.#video.answer(offer, refusing);
  }

  write(frame: ClientFrame): void {
    if (frame.kind === 'video' && this.#video.write(frame)) return;
    this.#audio.write(frame);
  }

  requestKeyFrame(): void {
    this.#video.requestKeyFrame();
  }

  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    this.#options.ticker.delete(this.#tick);
    this.#cancelReport?.();
    this.#report = { engine: 'direct', ...this.#audio.close(), ...this.#video.close() };
    return this.#report;
  }

  /** Time alone is going to change something, reports at least. */
  #wake(): void {
    if (this.#report !== undefined) return;
    this.#options.ticker.add(this.#tick);
    if (this.#cancelReport === undefined) this.#reportAfter(this.#video.present ? firstVideoReport : nextInterval());
  }

  readonly #tick = (now: number): boolean => {
    const waits = this.#audio.tick(now);
    this.#video.tick(now);
    return waits || this.#video.present;
  };

  #reportAfter(ms: number): void {
    const { clock } = this.#options;
    this.#cancelReport = clock.after(ms, () => {
      this.#reportAfter(nextInterval());
      const now = clock.now();
      this.#audio.sendReport(now, false);
      // At the same moment: one mapping of the client's timestamps for both.
      this.#video.sendReport(now);
    });
  }

  /** Something could not cope with what it was given: the end of the call's media, but not within what is going on. */
  #broke(medium: 'audio' | 'video', error: unknown): void {
    const reason = `the ${medium} could not be processed: ${error instanceof Error ? error.message : String(error)}`;
    queueMicrotask(() => this.#fail(reason));
  }

  #fail(reason: string): void {
    if (this.#report !== undefined || this.#failed) return;
    this.#failed = true;
    this.#options.call.lost(reason);
  }
}

function nextInterval(): number {
  return reportInterval * (0.5 + Math.random());
}
