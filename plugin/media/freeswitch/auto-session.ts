import {
  type ClientFrame,
  MediaError,
  type MediaOptions,
  type MediaReport,
  type MediaSession,
} from '../../call/ports.js';
import type { Direction, SessionDescription } from '../../call/session-description.js';
import type { DirectMedia } from '../direct.js';
import type { DirectSession, Diversion } from '../direct-session.js';
import { answerTo, audioOf, type FarEnd, readFarEnd, refused } from '../negotiation/far-end.js';
import { sectionOf, withSection } from '../negotiation/srtp.js';
import { mediaErrorOf } from './errors.js';
import type { FreeSwitchPool, PoolLogger } from './pool.js';
import { numberOf, servedFormats } from './served-formats.js';
import { Transcoder } from './transcoder.js';
import { Turns } from './turns.js';

export interface AutoSessionOptions {
  readonly call: MediaOptions;
  /** Owns the socket that faces the far end. */
  readonly session: DirectSession;
  readonly direct: DirectMedia;
  readonly pool: FreeSwitchPool;
  readonly logger: PoolLogger;
}

/** The far end's description. */
interface Said {
  readonly description: SessionDescription;
  readonly kind: 'offer' | 'answer';
}

/** What comes of a call that is transcoded by FreeSWITCH, or by the gateway alone. */
interface Ways<T> {
  readonly transcoded: (security: Diversion['security']) => Promise<T>;
  readonly alone: () => Promise<T>;
}

/** The media of one call: direct while the codec passes, through FreeSWITCH behind the same socket while it does not. */
export class AutoSession implements MediaSession {
  readonly offer: SessionDescription;
  /** Our last offer: the far end may send under its numbers. */
  #offered: SessionDescription;
  readonly #options: AutoSessionOptions;
  readonly #direct: DirectSession;
  readonly #turns = new Turns();
  #transcoder: Transcoder | undefined;
  /** What transcoders of this call measured before. */
  #earlier: MediaReport = {};
  #report: MediaReport | undefined;

  constructor(options: AutoSessionOptions) {
    this.#options = options;
    this.#direct = options.session;
    const { offer, passing } = options.session;
    this.offer = options.pool.usable ? withServed(offer, passing) : offer;
    this.#offered = this.offer;
  }

  accept(answer: SessionDescription): Promise<void> {
    return this.#turns.take(async () => {
      const far = readFarEnd(answer, servedFormats);
      const accept = () => this.#direct.accept(answer);
      if (this.#passes(far)) await this.#pass(accept);
      else
        await this.#transcode(
          far,
          { description: answer, kind: 'answer' },
          { transcoded: async () => {}, alone: accept },
        );
    });
  }

  check(offer: SessionDescription): void {
    const far = readFarEnd(this.#direct.admissible(offer), servedFormats, this.#direct.passing);
    if (!this.#passes(far) && !this.#options.pool.usable) this.#direct.check(offer);
  }

  answer(offered: SessionDescription, held = false): Promise<SessionDescription> {
    return this.#turns.take(async () => {
      const answer = () => this.#direct.answer(offered, held);
      if (sectionOf(offered, 'audio')?.port === 0)
        return this.#transcoder ? this.#pause(this.#transcoder, offered) : answer();
      const offer = this.#direct.admissible(offered);
      const far = readFarEnd(offer, servedFormats, this.#direct.passing);
      if (this.#passes(far)) return this.#pass(answer);
      const { address, media } = this.#direct.offer;
      const mux = far.audio.rtcpMux ? { rtcpMux: true } : {};
      const transcoded = async (security: Diversion['security']) => {
        const audio = answerTo(offer, far, { address, port: media[0]?.port ?? 0, ...mux, ...security }, held);
        return { ...audio, media: await this.#direct.answerVideo(offered, audio.media) };
      };
      return this.#transcode(far, { description: offer, kind: 'offer' }, { transcoded, alone: answer });
    });
  }

  /** Offers what is spoken now, or to somebody else all that can be. */
  reoffer(direction: Direction, anew = false): SessionDescription {
    const offer = this.#direct.reoffer(direction, anew);
    const formats = this.#transcoder?.formats;
    if (anew) this.#offered = this.#options.pool.usable ? withServed(offer, this.#direct.passing) : offer;
    else
      this.#offered = formats === undefined ? offer : withSection(offer, 'audio', (audio) => ({ ...audio, formats }));
    return this.#offered;
  }

  sendDtmf(digits: string, ms: number): boolean {
    if (this.#report !== undefined) return false;
    return (this.#transcoder ?? this.#direct).sendDtmf(digits, ms);
  }

  write(frame: ClientFrame): void {
    if (this.#transcoder === undefined || frame.kind === 'video') this.#direct.write(frame);
    else this.#transcoder.write(frame);
  }

  requestKeyFrame(): void {
    this.#direct.requestKeyFrame();
  }

  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    const transcoder = this.#transcoder?.close();
    const direct = this.#direct.close();
    // Strangers and errors count where the far end is, whatever is behind.
    const { foreign = 0, socketErrors = 0 } = direct;
    this.#report = { ...direct, ...this.#earlier, ...transcoder, foreign, socketErrors };
    return this.#report;
  }

  /** A far end that takes its audio out of a call (RFC 3264 section 8.2) may bring it back. */
  #pause(transcoder: Transcoder, offer: SessionDescription): SessionDescription {
    transcoder.pause();
    return { address: this.#direct.offer.address, media: offer.media.map(refused) };
  }

  async #pass<T>(direct: () => Promise<T>): Promise<T> {
    const result = await direct();
    this.#leave();
    return result;
  }

  /**
   * Puts FreeSWITCH behind our socket, or, when no server takes the call, has the gateway transcode alone.
   *
   * @throws MediaError why no server took it, when the gateway cannot do it alone either
   */
  async #transcode<T>(far: FarEnd, said: Said, { transcoded, alone }: Ways<T>): Promise<T> {
    try {
      return await transcoded(await this.#serve(far, said));
    } catch (error) {
      this.#leave();
      const failed = mediaErrorOf(error);
      if (this.#report !== undefined) throw failed;
      const { call, logger } = this.#options;
      const result = await alone().catch(() => Promise.reject(failed));
      logger.warn({ call: call.callId, reason: failed.message }, 'no FreeSWITCH for this call: transcoded here');
      return result;
    }
  }

  async #serve(far: FarEnd, { description, kind }: Said): Promise<Diversion['security']> {
    const { call, direct, pool } = this.#options;
    this.#transcoder ??= await this.#unlessClosed(Transcoder.open(pool, direct, call, far));
    // The numbers under which the far end may send are those of the offer, whoever made it.
    const numbers = payloadTypes(far, kind === 'offer' ? description : this.#offered);
    return this.#transcoder.serve(far, description, kind, numbers, this.#direct);
  }

  /** The call may end while the channels are being made. */
  async #unlessClosed(opening: Promise<Transcoder>): Promise<Transcoder> {
    const transcoder = await opening;
    if (this.#report === undefined) return transcoder;
    transcoder.close();
    throw new MediaError('NoServer', 'the call has ended');
  }

  /** What the client shares with the far end. */
  #passes({ format }: FarEnd): boolean {
    return this.#direct.passing.some((codec) => codec === format.encoding);
  }

  #leave(): void {
    this.#earlier = { ...this.#earlier, ...this.#transcoder?.close() };
    this.#transcoder = undefined;
  }
}

/** Our own offer with what FreeSWITCH adds: what passes stays first, then what sounds best. */
function withServed(offer: SessionDescription, codecs: readonly string[]): SessionDescription {
  const audio = audioOf(offer);
  const passing = audio.formats.filter(({ encoding }) => codecs.includes(encoding));
  const formats = [...passing, ...servedFormats.filter(({ encoding }) => !codecs.includes(encoding))];
  return { ...offer, media: offer.media.map((media) => (media === audio ? { ...media, formats } : media)) };
}

/** The far end sends under the offer's numbers; some send under their own. The server knows only the latter. */
function payloadTypes({ format, events }: FarEnd, offer: SessionDescription): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const one of events === undefined ? [format] : [format, events]) {
    numbers.set(numberOf(offer, one) ?? one.payloadType, one.payloadType);
    if (!numbers.has(one.payloadType)) numbers.set(one.payloadType, one.payloadType);
  }
  return numbers;
}
