import { type ClientFrame, MediaError, type MediaReport, type MediaSession } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import { audioOf } from '../negotiation/formats.js';
import { mediaErrorOf } from './errors.js';
import { answerTo, describe, type FarSide, farSideOf, inOrder } from './far-side.js';
import type { EndpointPair } from './pair.js';

/** The media of one call between a client and a far end that talks to FreeSWITCH. */
export class FreeSwitchSession implements MediaSession {
  readonly #serve: (remote: SessionDescription) => Promise<EndpointPair>;
  #pair: EndpointPair | undefined;
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

  async accept(answer: SessionDescription): Promise<void> {
    const far = farSideOf(answer, 'answer');
    await this.#attempt(async () => {
      const pair = this.#open();
      await pair.far.modify(toServer(far));
      await pair.bridge();
    });
    this.#far = far;
  }

  check(offer: SessionDescription): void {
    farSideOf(offer, 'offer');
  }

  async answer(offer: SessionDescription): Promise<SessionDescription> {
    const far = farSideOf(offer, 'offer');
    const pair = await this.#attempt(async () => {
      if (this.#pair !== undefined) await this.#pair.far.modify(toServer(far));
      else await this.#begin(await this.#serve(toServer(far)));
      return this.#open();
    });
    this.#far = far;
    const { address, port } = placeOf(pair);
    return answerTo(offer, far, address, port);
  }

  write(frame: ClientFrame): void {
    if (this.#pair === undefined || !this.#far?.sending) this.#notSent++;
    else this.#pair.write(frame);
  }

  close(): MediaReport {
    this.#report ??= {
      engine: 'freeswitch',
      ...this.#pair?.close(),
      ...(this.#far && { codec: `${this.#far.format.encoding}/${this.#far.format.clockRate}` }),
      notSent: this.#notSent,
    };
    return this.#report;
  }

  async #begin(pair: EndpointPair): Promise<void> {
    this.#pair = pair;
    // The call may have ended while the channels were being made.
    if (this.#report !== undefined) pair.close();
    else await pair.bridge();
  }

  #open(): EndpointPair {
    if (this.#pair === undefined || this.#report !== undefined) {
      throw new MediaError('NoServer', 'the call has no channels at FreeSWITCH');
    }
    return this.#pair;
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw mediaErrorOf(error);
    }
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
