import { type ClientFrame, MediaError, type MediaReport } from '../call/ports.js';
import type { MediaDescription, SessionDescription } from '../call/session-description.js';
import { type SrtpNegotiation, sectionOf } from './negotiation/srtp.js';
import { agreeVideo, answerVideo, offerVideo } from './negotiation/video-formats.js';
import type { RtpSockets } from './network/rtp-sockets.js';
import { parameterSetsOf } from './video/parameter-sets.js';
import { VideoSection, type VideoSectionOptions } from './video-section.js';

export interface SessionVideoOptions extends Omit<VideoSectionOptions, 'sockets'> {
  /** For video that is to be offered. */
  readonly sockets?: RtpSockets;
  /** Opens sockets for video that the far end offers, if there are any. Without it video is refused. */
  readonly openSockets?: () => Promise<RtpSockets | undefined>;
  readonly srtp: SrtpNegotiation;
}

/** The video of a session, which comes and goes with offers and answers. */
export class SessionVideo {
  readonly #options: SessionVideoOptions;
  /** Whether our offer had video: then it has a section for it for ever (RFC 3264 section 8). */
  readonly #offered: boolean;
  #section: VideoSection | undefined;
  #opening: Promise<void> | undefined;
  /** What was measured of video that was part of the call for a while. */
  #former: MediaReport = {};
  #closed = false;

  constructor(options: SessionVideoOptions) {
    this.#options = options;
    this.#offered = options.sockets !== undefined;
    if (options.sockets !== undefined) this.#section = new VideoSection({ ...options, sockets: options.sockets });
  }

  /** Whether the call has video, or may have when the far end agrees. */
  get present(): boolean {
    return this.#section !== undefined;
  }

  /** The sections to add to our offer. */
  offer(): MediaDescription[] {
    if (!this.#offered) return [];
    const { sequenceHeader } = this.#options.call.video?.() ?? {};
    const section = offerVideo(this.#section?.port ?? 0, parameterSetsOf(sequenceHeader));
    return [{ ...section, ...this.#options.srtp.offer() }];
  }

  /** Begins, goes on, or ends as an answer says. */
  accept(answer: SessionDescription): void {
    const { srtp } = this.#options;
    const section = sectionOf(answer, 'video');
    const agreement = agreeVideo(answer);
    const security = agreement && section && unlessRefused(() => srtp.agree(section));
    if (agreement === undefined || security === undefined) {
      this.#drop();
      return;
    }
    srtp.settle(security);
    this.#section?.start(agreement, security.keys);
  }

  /**
   * Begins, goes on, or ends as an offer says and the client wishes.
   *
   * @param refusing the sections of an answer that refuses video
   * @returns the sections to answer with
   */
  async answer(offer: SessionDescription, refusing: readonly MediaDescription[]): Promise<readonly MediaDescription[]> {
    const { call, openSockets, srtp } = this.#options;
    const wanted = this.present || (call.video?.() !== undefined && openSockets !== undefined);
    const chosen = srtp.choose(offer, 'video');
    const section = sectionOf(chosen, 'video');
    const security = section && unlessRefused(() => srtp.answer(section));
    if (!wanted || security === undefined || answerVideo(chosen, 0) === undefined) {
      this.#drop();
      return refusing;
    }
    // Offers may cross while sockets are opened: they share them.
    this.#opening ??= this.#open();
    await this.#opening;
    this.#opening = undefined;
    const answer = this.#section && answerVideo(chosen, this.#section.port);
    if (answer === undefined) return refusing;
    srtp.settle(security.agreement);
    this.#section?.start(answer.agreement, security.agreement.keys);
    const accepted = { ...answer.media, ...security.security };
    return refusing.map((media, index) => (index === answer.index ? accepted : media));
  }

  /** A message that the client published; false when the call has no video. */
  write(frame: ClientFrame): boolean {
    this.#section?.write(frame);
    return this.present;
  }

  tick(now: number): void {
    this.#section?.tick(now);
  }

  sendReport(now: number): void {
    this.#section?.sendReport(now, false);
  }

  requestKeyFrame(): void {
    this.#section?.requestKeyFrame();
  }

  /** Gives the ports back, and tells what was measured. */
  close(): MediaReport {
    this.#closed = true;
    this.#drop();
    return this.#former;
  }

  async #open(): Promise<void> {
    const { openSockets } = this.#options;
    const sockets = this.present ? undefined : await openSockets?.();
    if (sockets === undefined) return;
    const section = new VideoSection({ ...this.#options, sockets });
    // The call may have ended meanwhile.
    if (this.#closed) section.close();
    else this.#section = section;
  }

  #drop(): void {
    this.#former = this.#section?.close() ?? this.#former;
    this.#section = undefined;
  }
}

/** Video that cannot be had as safely as it is to be is refused; the call goes on with its audio. */
function unlessRefused<T>(negotiate: () => T): T | undefined {
  try {
    return negotiate();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
