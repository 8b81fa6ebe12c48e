import { randomBytes, randomInt } from 'node:crypto';
import { type ClientFrame, MediaError, type MediaOptions, type MediaReport, type MediaSession } from '../call/ports.js';
import type { Direction, MediaDescription, SessionDescription } from '../call/session-description.js';
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
import { type SrtpAgreement, SrtpNegotiation, type SrtpPolicy, sectionOf, withSection } from './negotiation/srtp.js';
import type { MediaClock } from './network/clock.js';
import { type MediaLogger, RtpChannel, type RtpSink } from './network/rtp-channel.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import type { Ticker } from './network/ticker.js';

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
  /** Default `accept`. */
  readonly srtp?: SrtpPolicy;
  /** Without it Speex passes through, and nothing else is spoken. */
  readonly transcoding?: Transcoding;
}

/** What a call speaks, and how that is protected. */
interface Agreed {
  readonly agreement: AudioAgreement;
  readonly srtp: SrtpAgreement;
}

/** Milliseconds between two RTCP reports on average; each interval varies by half (RFC 3550 section 6.2). */
const reportInterval = 5_000;

/** The gateway's own RTP of one call. */
export class DirectSession implements MediaSession {
  readonly offer: SessionDescription;
  readonly #options: DirectSessionOptions;
  readonly #formats: FormatList;
  readonly #channel: RtpChannel;
  readonly #srtp: SrtpNegotiation;
  /** What we said last. */
  #local: SessionDescription;
  /** What we have offered to somebody else, until that is answered. */
  #anew: SessionDescription | undefined;
  /** What holds now. */
  #agreed: Agreed | undefined;
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
    this.#srtp = new SrtpNegotiation(options.srtp ?? 'accept', randomBytes);
    const offer = offerAudio(options.advertisedAddress, sockets.port, this.#formats);
    this.offer = withSection(offer, 'audio', (audio) => ({ ...audio, ...this.#srtp.offer() }));
    this.#local = this.offer;
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
    // What was offered may have had the far end's numbers, or be from before it changed the codec.
    const offered = [...(sectionOf(this.#local, 'audio')?.formats ?? []), ...this.#formats];
    const agreement = agreeAudio(answer, offered);
    this.#start({ agreement, srtp: this.#srtp.agree(audioOf(answer)) });
    this.#local = this.#anew ?? this.#local;
    this.#anew = undefined;
  }

  check(offer: SessionDescription): void {
    this.#answerTo(offer, false);
  }

  async answer(offer: SessionDescription, held = false): Promise<SessionDescription> {
    if (this.#agreed !== undefined && sectionOf(offer, 'audio')?.port === 0) return this.#pause(this.#agreed, offer);
    const { answer, ...agreed } = this.#answerTo(offer, held);
    this.#start(agreed);
    this.#local = answer;
    return answer;
  }

  reoffer(direction: Direction, anew = false): SessionDescription {
    if (anew) {
      this.#anew = withSection(this.offer, 'audio', (audio) => ({ ...audio, direction }));
      return this.#anew;
    }
    const security = this.#srtp.offer();
    this.#local = withSection(this.#local, 'audio', (section) => {
      const { crypto: _, ...audio } = section.port === 0 ? audioOf(this.offer) : section;
      return { ...audio, direction, ...(security.crypto && security) };
    });
    return this.#local;
  }

  sendDtmf(digits: string, ms: number): boolean {
    return this.#report === undefined && this.#audio?.sendDtmf(digits, ms) === true;
  }

  #answerTo(offered: SessionDescription, held: boolean): Agreed & { readonly answer: SessionDescription } {
    const { advertisedAddress, sockets } = this.#options;
    const offer = this.#srtp.choose(offered, 'audio');
    const { agreement, answer } = answerAudio(offer, advertisedAddress, sockets.port, this.#formats, held);
    const { agreement: srtp, security } = this.#srtp.answer(audioOf(offer));
    return { agreement, srtp, answer: withSection(answer, 'audio', (audio) => ({ ...audio, ...security })) };
  }

  /** A far end that takes its audio out of a call (RFC 3264 section 8.2) may bring it back. */
  #pause({ agreement, srtp }: Agreed, offer: SessionDescription): SessionDescription {
    this.#start({ agreement: { ...agreement, sending: false }, srtp });
    const refused = offer.media.map(({ kind, protocol, direction, formats }) => {
      return { kind, port: 0, protocol, direction, formats };
    });
    this.#local = { address: this.#local.address, media: refused };
    return this.#local;
  }

  #start(agreed: Agreed): void {
    if (this.#report !== undefined) return;
    this.#agreed = agreed;
    const { agreement, srtp } = agreed;
    const { clock, ticker } = this.#options;
    this.#srtp.settle(srtp);
    this.#channel.secure(srtp.keys);
    if (this.#audio !== undefined) {
      this.#audio.change(agreement, clock.now());
      this.#channel.aim(agreement.target);
      return;
    }
    this.#audio = this.#openAudio(agreement);
    this.#channel.open(this.#contained(this.#audio), agreement.target);
    this.#nextReport = clock.now() + nextInterval();
    ticker.add(this.#tick);
  }

  #openAudio(agreement: AudioAgreement): AudioFlow {
    const { call, transcoding } = this.#options;
    return new AudioFlow(agreement, {
      play: call.play,
      send: (packet) => this.#channel.sendRtp(packet),
      ...(call.dtmf && { dtmf: call.dtmf }),
      cname: randomBytes(12).toString('base64'),
      ssrc: randomBytes(4).readUInt32BE(),
      // In the lower half: a receiver that misses the first packets does not miss a wrap, on which SRTP depends.
      sequence: randomInt(2 ** 15),
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
