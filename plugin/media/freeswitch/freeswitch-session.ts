import { randomBytes } from 'node:crypto';
import { type ClientFrame, MediaError, type MediaReport, type MediaSession } from '../../call/ports.js';
import type { Direction, SessionDescription } from '../../call/session-description.js';
import { audioOf, mirrored, onHold } from '../negotiation/formats.js';
import { SrtpNegotiation } from '../negotiation/srtp.js';
import { mediaErrorOf } from './errors.js';
import { answerTo, describe, type FarSide, farSideOf, inOrder } from './far-side.js';
import type { EndpointPair } from './pair.js';
import { Turns } from './turns.js';

/** The media of one call between a client and a far end that talks to FreeSWITCH. */
export class FreeSwitchSession implements MediaSession {
  readonly #serve: (remote: SessionDescription) => Promise<EndpointPair>;
  readonly #turns = new Turns();
  /** FreeSWITCH is configured without SRTP. */
  readonly #security = new SrtpNegotiation('off', randomBytes);
  #pair: EndpointPair | undefined;
  /** What the second channel was told of the far end. */
  #told: string | undefined;
  #far: FarSide | undefined;
  /** Messages of the client before the answer. */
  #notSent = 0;
  #report: MediaReport | undefined;

  /** @param pair of an outgoing call, whose second channel offers */
  constructor(serve: (remote: SessionDescription) => Promise<EndpointPair>, pair: EndpointPair | undefined) {
    this.#serve = serve;
    this.#pair = pair;
  }

  get offer(): SessionDescription {
    return this.#pair === undefined ? { address: '', media: [] } : inOrder(this.#pair.far.local);
  }

  accept(answer: SessionDescription): Promise<void> {
    return this.#change(async () => {
      this.#security.agree(audioOf(answer));
      const far = farSideOf(answer, 'answer');
      const pair = this.#open();
      await this.#tell(pair, toServer(far));
      await pair.bridge();
      this.#far = far;
    });
  }

  check(offer: SessionDescription): void {
    farSideOf(this.#plain(offer), 'offer');
  }

  answer(offered: SessionDescription, held = false): Promise<SessionDescription> {
    return this.#change(async () => {
      const offer = this.#plain(offered);
      const far = farSideOf(offer, 'offer');
      if (this.#pair === undefined) await this.#begin(toServer(far));
      else await this.#tell(this.#pair, toServer(far));
      const place = placeOf(this.#open());
      this.#far = far;
      const direction = mirrored[far.direction];
      return answerTo(offer, far, { ...place, direction: held ? onHold[direction] : direction });
    });
  }

  reoffer(direction: Direction): SessionDescription {
    const { media, ...session } = this.offer;
    return { ...session, media: media.map((section) => ({ ...section, direction })) };
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
function toServer({ format, events, target, direction }: FarSide): SessionDescription {
  return describe(target.host, target.port, events === undefined ? [format] : [format, events], direction);
}

function placeOf(pair: EndpointPair): { address: string; port: number } {
  const { local } = pair.far;
  const audio = audioOf(local);
  return { address: audio.address ?? local.address, port: audio.port };
}
