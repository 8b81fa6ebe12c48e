import { randomBytes } from 'node:crypto';
import { type ClientFrame, MediaError, type MediaReport, type MediaSession } from '../../call/ports.js';
import type { Direction, SessionDescription } from '../../call/session-description.js';
import { answerTo, audioOf, type FarEnd, readFarEnd, refused } from '../negotiation/far-end.js';
import { SrtpNegotiation, sectionOf } from '../negotiation/srtp.js';
import { mediaErrorOf } from './errors.js';
import type { EndpointPair } from './pair.js';
import { describe, inOrder, preferring, servedFormats, spoken } from './served-formats.js';
import { Turns } from './turns.js';

/** The media of one call between a client and a far end that talks to FreeSWITCH. */
export class FreeSwitchSession implements MediaSession {
  /** Empty where the far end makes the first offer. */
  readonly offer: SessionDescription;
  readonly #passing: readonly string[];
  readonly #serve: (remote: SessionDescription) => Promise<EndpointPair>;
  readonly #turns = new Turns();
  /** FreeSWITCH is configured without SRTP. */
  readonly #security = new SrtpNegotiation('off', randomBytes);
  #pair: EndpointPair | undefined;
  /** What the second channel was told of the far end. */
  #told: string | undefined;
  #far: FarEnd | undefined;
  /** Messages of the client before the answer. */
  #notSent = 0;
  #report: MediaReport | undefined;

  /**
   * @param passing codecs that reach the client unchanged, the best first
   * @param pair of a call in which we offer: so does its second channel
   */
  constructor(
    passing: readonly string[],
    serve: (remote: SessionDescription) => Promise<EndpointPair>,
    pair: EndpointPair | undefined,
  ) {
    this.#passing = passing;
    this.#serve = serve;
    this.#pair = pair;
    this.offer = pair === undefined ? { address: '', media: [] } : inOrder(pair.far.local, passing);
  }

  accept(answer: SessionDescription): Promise<void> {
    return this.#change(async () => {
      this.#security.agree(audioOf(answer));
      const far = readFarEnd(answer, servedFormats);
      const pair = this.#open();
      await this.#tell(pair, toServer(far));
      await pair.bridge();
      this.#far = far;
    });
  }

  check(offer: SessionDescription): void {
    readFarEnd(this.#plain(offer), servedFormats, this.#passing);
  }

  answer(offered: SessionDescription, held = false): Promise<SessionDescription> {
    return this.#change(async () => {
      if (sectionOf(offered, 'audio')?.port === 0) return this.#pause(offered);
      const offer = this.#plain(offered);
      const far = readFarEnd(offer, servedFormats, this.#passing);
      if (this.#pair === undefined) await this.#begin(toServer(far));
      else await this.#tell(this.#pair, toServer(far));
      const place = placeOf(this.#open());
      this.#far = far;
      return answerTo(offer, far, place, held);
    });
  }

  /** Offers what is spoken now, or to somebody else all that can be. */
  reoffer(direction: Direction, anew = false): SessionDescription {
    if (this.#pair === undefined) return this.offer;
    const { address, port } = placeOf(this.#pair);
    if (this.#far !== undefined && !anew) return describe(address, port, spoken(this.#far), direction);
    return describe(address, port, this.offer.media[0]?.formats ?? preferring(this.#passing), direction);
  }

  sendDtmf(digits: string, ms: number): boolean {
    return this.#report === undefined && this.#far?.events !== undefined && this.#pair?.sendDtmf(digits, ms) === true;
  }

  write(frame: ClientFrame): void {
    if (this.#pair === undefined || !this.#far?.sending) this.#notSent++;
    else this.#pair.write(frame);
  }

  /** There is no video. */
  requestKeyFrame(): void {}

  close(): MediaReport {
    this.#report ??= {
      engine: 'freeswitch',
      ...this.#pair?.close(),
      ...(this.#far && { codec: `${this.#far.format.encoding}/${this.#far.format.clockRate}` }),
      notSent: this.#notSent,
    };
    return this.#report;
  }

  /** An offer without its encrypted sections; throws when that leaves none. */
  #plain(offered: SessionDescription): SessionDescription {
    const offer = this.#security.choose(offered, 'audio');
    this.#security.answer(audioOf(offer));
    return offer;
  }

  async #begin(remote: SessionDescription): Promise<void> {
    const pair = await this.#serve(remote);
    this.#told = JSON.stringify(remote);
    this.#pair = pair;
    // The call may have ended while the channels were being made.
    if (this.#report !== undefined) pair.close();
    else await pair.bridge();
  }

  /** An answer often says the same as the early one before it. */
  async #tell(pair: EndpointPair, remote: SessionDescription): Promise<void> {
    const text = JSON.stringify(remote);
    if (text === this.#told) return;
    await pair.far.modify(remote);
    this.#told = text;
  }

  /** A far end that takes its audio out of a call (RFC 3264 section 8.2) may bring it back. */
  async #pause(offer: SessionDescription): Promise<SessionDescription> {
    if (this.#far === undefined) throw new MediaError('NoCommonCodec', 'the far end offers no audio');
    const pair = this.#open();
    await this.#tell(pair, toServer({ ...this.#far, direction: 'inactive' }));
    this.#far = { ...this.#far, sending: false };
    return { address: placeOf(pair).address, media: offer.media.map(refused) };
  }

  #open(): EndpointPair {
    if (this.#pair === undefined || this.#report !== undefined) {
      throw new MediaError('NoServer', 'the call has no channels at FreeSWITCH');
    }
    return this.#pair;
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    return this.#turns.take(change).catch((error: unknown) => Promise.reject(mediaErrorOf(error)));
  }
}

/** What the server is told of the far end: the one format that is spoken, so that its own order of codecs does not matter. */
function toServer(far: FarEnd): SessionDescription {
  return describe(far.target.host, far.target.port, spoken(far), far.direction);
}

function placeOf(pair: EndpointPair): { address: string; port: number } {
  const { local } = pair.far;
  const audio = audioOf(local);
  return { address: audio.address ?? local.address, port: audio.port };
}
