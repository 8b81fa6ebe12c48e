import { randomBytes, randomInt } from 'node:crypto';
import { type ClientFrame, MediaError, type MediaOptions, type MediaReport, type MediaSession } from '../call/ports.js';
import type { Direction, MediaDescription, SessionDescription } from '../call/session-description.js';
import { AudioFlow } from './audio/audio-flow.js';
import type { AudioTools } from './audio/audio-tools.js';
import type { AudioCodec } from './audio/flv-audio.js';
import { type ClientFormats, clientFormats } from './negotiation/client-formats.js';
import { type AudioAgreement, agreeAudio, answerAudio, offerAudio } from './negotiation/formats.js';
import {
  type SectionSecurity,
  type SrtpAgreement,
  SrtpNegotiation,
  type SrtpPolicy,
  sectionOf,
  withSection,
} from './negotiation/srtp.js';
import type { MediaClock } from './network/clock.js';
import { type MediaLogger, RtpChannel, type RtpSink } from './network/rtp-channel.js';
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

/** What a call speaks, and how that is protected. */
interface Agreed {
  readonly agreement: AudioAgreement;
  readonly srtp: SrtpAgreement;
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
  readonly #channel: RtpChannel;
  readonly #srtp: SrtpNegotiation;
  /** What we said last. */
  #local: SessionDescription | undefined;
  /** What we have offered to somebody else, until that is answered. */
  #anew: SessionDescription | undefined;
  /** What holds now. */
  #agreed: Agreed | undefined;
  /** Exists once the far end has answered. */
  #audio: AudioFlow | undefined;
  readonly #video: SessionVideo;
  readonly #cname = randomBytes(12).toString('base64');
  /** When the first packet of the far end came: the client's timestamps count from there. */
  #firstArrival: number | undefined;
  /** Whether somebody else serves the audio now. */
  #diverted = false;
  #failed = false;
  #nextReport = 0;
  /** Messages of the client that could not be sent: no answer yet, or hold. */
  #notSent = 0;
  #report: MediaReport | undefined;

  /** @throws MediaError `NoCommonCodec` when what the client sends or plays cannot be carried */
  constructor(options: DirectSessionOptions) {
    const { call, host, sockets, clock, logger } = options;
    this.#options = options;
    this.#formats = clientFormats(call.client ?? {}, options);
    this.#srtp = new SrtpNegotiation(options.srtp ?? 'accept', randomBytes);
    this.#channel = new RtpChannel({
      callId: call.callId,
      host,
      sockets,
      clock,
      ...(logger && { logger }),
      failed: (reason) => this.#fail(reason),
    });
    this.#video = this.#openVideo();
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
      audio: {
        clientTimeAt: (now) => this.#audio?.clientTimeAt(now),
        clientTimeAtSender: (time) => this.#audio?.clientTimeAtSender(time),
      },
      contain: (action) => this.#contain(action, 'video'),
      failed: (reason) => this.#fail(reason),
    });
  }

  get offer(): SessionDescription {
    const { advertisedAddress, sockets } = this.#options;
    const offer = offerAudio(advertisedAddress, sockets.port, this.#formats.offered);
    const audio = withSection(offer, 'audio', (section) => ({ ...section, ...this.#srtp.offer() }));
    return { ...audio, media: [...audio.media, ...this.#video.offer()] };
  }

  async accept(answer: SessionDescription): Promise<void> {
    // What was offered may have had the far end's numbers, or be from before it changed the codec.
    const local = this.#anew ?? this.#local;
    const offered = [...((local && sectionOf(local, 'audio')?.formats) ?? []), ...this.#formats.offered];
    const agreement = agreeAudio(answer, offered);
    const srtp = this.#srtp.agree(audioOf(answer));
    this.#local = local ?? this.offer;
    this.#anew = undefined;
    this.#video.accept(answer);
    this.#start({ agreement, srtp });
  }

  check(offer: SessionDescription): void {
    this.#answerTo(offer, false);
  }

  async answer(offer: SessionDescription, held = false): Promise<SessionDescription> {
    if (this.#agreed !== undefined && sectionOf(offer, 'audio')?.port === 0) return this.#pause(this.#agreed, offer);
    const { answer, ...agreed } = this.#answerTo(offer, held);
    const media = await this.#video.answer(offer, answer.media);
    this.#start(agreed);
    this.#local = { ...answer, media };
    return this.#local;
  }

  reoffer(direction: Direction, anew = false): SessionDescription {
    const { media, ...session } = anew ? this.offer : (this.#local ?? this.offer);
    const directed = media.map((section) => (section.port === 0 ? section : { ...section, direction }));
    if (anew) {
      this.#anew = { ...session, media: directed };
      return this.#anew;
    }
    const security = this.#srtp.offer();
    this.#local = withSection({ ...session, media: directed }, 'audio', (section) => {
      const { crypto: _, ...audio } = section.port === 0 ? audioOf(this.offer) : section;
      return { ...audio, direction, ...(security.crypto && security) };
    });
    return this.#local;
  }

  sendDtmf(digits: string, ms: number): boolean {
    return this.#report === undefined && this.#audio?.sendDtmf(digits, ms) === true;
  }

  /** RTMP timestamp for what arrives first at a moment: audio and video count from the same. */
  readonly #origin = (arrival: number): number => {
    this.#firstArrival ??= arrival;
    return Math.max(0, arrival - this.#firstArrival);
  };

  #answerTo(offered: SessionDescription, held: boolean): Agreed & { readonly answer: SessionDescription } {
    const { advertisedAddress, sockets } = this.#options;
    const offer = this.#srtp.choose(offered, 'audio');
    const { offered: formats, passing } = this.#formats;
    const { agreement, answer } = answerAudio(offer, advertisedAddress, sockets.port, { formats, passing, held });
    const { agreement: srtp, security } = this.#srtp.answer(audioOf(offer));
    return { agreement, srtp, answer: withSection(answer, 'audio', (audio) => ({ ...audio, ...security })) };
  }

  /** A far end that takes its audio out of a call (RFC 3264 section 8.2) may bring it back. */
  #pause({ agreement, srtp }: Agreed, offer: SessionDescription): SessionDescription {
    this.#start({ agreement: { ...agreement, sending: false }, srtp });
    const refused = offer.media.map(({ kind, protocol, direction, formats }) => {
      return { kind, port: 0, protocol, direction, formats };
    });
    this.#local = { address: this.#options.advertisedAddress, media: refused };
    return this.#local;
  }

  #start(agreed: Agreed): void {
    if (this.#report !== undefined) return;
    this.#agreed = agreed;
    const { agreement, srtp } = agreed;
    const { clock, ticker } = this.#options;
    this.#srtp.settle(srtp);
    this.#channel.secure(srtp.keys);
    if (this.#audio === undefined) {
      const audio = this.#openAudio(agreement);
      this.#audio = audio;
      this.#contain(() => audio.prepare());
      this.#nextReport = clock.now() + (this.#video.present ? firstVideoReport : nextInterval());
    } else {
      this.#audio.change(agreement, clock.now());
    }
    this.#diverted = false;
    this.#channel.open(this.#contained(this.#audio), agreement.target);
    ticker.add(this.#tick);
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
    const offer = this.#srtp.choose(offered, 'audio');
    this.#srtp.answer(audioOf(offer));
    return offer;
  }

  /**
   * Hands the audio that the far end sends to `sink` until the next answer or offer, and leaves it to the caller what is
   * sent: a media server takes over behind this socket. Video goes on as it is.
   *
   * @throws MediaError `NoCommonCodec` when the far end's encryption, or lack of it, is not taken
   */
  divert(description: SessionDescription, kind: 'offer' | 'answer', sink: RtpSink, target: MediaTarget): Diversion {
    const section = audioOf(description);
    const { agreement, security } =
      kind === 'offer' ? this.#srtp.answer(section) : { agreement: this.#srtp.agree(section), security: {} };
    if (kind === 'answer') this.#video.accept(description);
    this.#srtp.settle(agreement);
    this.#channel.secure(agreement.keys);
    this.#diverted = true;
    this.#channel.open(sink, target);
    this.#options.ticker.add(this.#tick);
    return { farEnd: this.#channel, security };
  }

  /** The sections of an answer with those of video as they are taken, for a call whose audio is diverted. */
  answerVideo(offer: SessionDescription, refusing: readonly MediaDescription[]): Promise<readonly MediaDescription[]> {
    return this.#video.answer(offer, refusing);
  }

  #openAudio(agreement: AudioAgreement): AudioFlow {
    const { call, transcoding, foreign } = this.#options;
    return new AudioFlow(agreement, {
      play: call.play,
      refused: (reason) => queueMicrotask(() => this.#fail(reason)),
      send: (packet) => this.#channel.sendRtp(packet),
      ...(call.dtmf && { dtmf: call.dtmf }),
      origin: this.#origin,
      cname: this.#cname,
      ssrc: randomBytes(4).readUInt32BE(),
      // In the lower half: a receiver that misses the first packets does not miss a wrap, on which SRTP depends.
      sequence: randomInt(2 ** 15),
      timestamp: randomBytes(4).readUInt32BE(),
      ...(transcoding && { transcoding }),
      ...(foreign && { foreign }),
      ...(call.client && { client: call.client }),
    });
  }

  write(frame: ClientFrame): void {
    if (frame.kind === 'video' && this.#video.write(frame)) return;
    const audio = this.#audio;
    if (audio === undefined || this.#report !== undefined || !audio.sending || !this.#channel.reachable) {
      this.#notSent++;
      return;
    }
    this.#contain(() => audio.write(frame, this.#options.clock.now()));
  }

  requestKeyFrame(): void {
    this.#video.requestKeyFrame();
  }

  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    this.#options.ticker.delete(this.#tick);
    if (this.#audio !== undefined && !this.#diverted) this.#sendReport(this.#audio, true);
    this.#channel.close();
    this.#options.released(this.#options.sockets.port);
    this.#report = { ...this.#measure(), ...this.#video.close() };
    this.#contain(() => this.#audio?.free());
    return this.#report;
  }

  readonly #tick = (now: number): void => {
    const audio = this.#diverted ? undefined : this.#audio;
    if (audio !== undefined) this.#contain(() => audio.tick(now));
    this.#video.tick(now);
    if (now < this.#nextReport) return;
    this.#nextReport = now + nextInterval();
    if (audio !== undefined) this.#sendReport(audio, false);
    // At the same moment: one mapping of the client's timestamps for both.
    this.#video.sendReport(now);
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
  #contain(action: () => void, medium: 'audio' | 'video' = 'audio'): void {
    try {
      action();
    } catch (error) {
      const reason = `the ${medium} could not be processed: ${error instanceof Error ? error.message : String(error)}`;
      queueMicrotask(() => this.#fail(reason));
    }
  }

  #fail(reason: string): void {
    if (this.#report !== undefined || this.#failed) return;
    this.#failed = true;
    this.#options.call.lost(reason);
  }

  #measure(): MediaReport {
    const { figures, suite } = this.#channel;
    const { foreign, malformed, droppedReports, socketErrors, forged, replayed } = figures;
    const own = { engine: 'direct', foreign, notSent: this.#notSent, socketErrors };
    if (this.#audio === undefined) return own;
    const audio = this.#audio.figures();
    const srtp = suite === undefined ? {} : { srtp: suite, forged, replayed };
    return { ...own, ...audio, malformed: malformed + Number(audio.malformed), droppedReports, ...srtp };
  }
}

/** The section that negotiation took part in. */
function audioOf(description: SessionDescription): MediaDescription {
  const audio = sectionOf(description, 'audio');
  if (audio === undefined) throw new MediaError('NoCommonCodec', 'the far end has no audio');
  return audio;
}

function nextInterval(): number {
  return reportInterval * (0.5 + Math.random());
}
