import { MediaError } from '../../call/ports.js';
import type { Direction, MediaDescription, SessionDescription } from '../../call/session-description.js';
import type { ClientFormats } from './client-formats.js';
import { type AudioAgreement, agreeAudio, answerAudio, offerAudio } from './formats.js';
import { type SectionSecurity, type SrtpAgreement, type SrtpNegotiation, sectionOf, withSection } from './srtp.js';

/** What a call's audio speaks, and how that is protected. */
export interface Agreed {
  readonly agreement: AudioAgreement;
  readonly srtp: SrtpAgreement;
}

export interface AudioNegotiationOptions {
  readonly formats: ClientFormats;
  readonly advertisedAddress: string;
  readonly port: number;
  readonly srtp: SrtpNegotiation;
  /** Sections that an offer has besides that of audio. */
  readonly others: () => readonly MediaDescription[];
}

/** What both sides of a call have said of its audio, in offers and answers (RFC 3264). */
export class AudioNegotiation {
  readonly #options: AudioNegotiationOptions;
  /** What we said last. */
  #local: SessionDescription | undefined;
  /** What we have offered to somebody else, until that is answered. */
  #anew: SessionDescription | undefined;
  /** What holds now. */
  #agreed: Agreed | undefined;

  constructor(options: AudioNegotiationOptions) {
    this.#options = options;
  }

  get offer(): SessionDescription {
    const { advertisedAddress, port, formats, srtp, others } = this.#options;
    const offer = offerAudio(advertisedAddress, port, formats.offered);
    const audio = withSection(offer, 'audio', (section) => ({ ...section, ...srtp.offer() }));
    return { ...audio, media: [...audio.media, ...others()] };
  }

  /** Reads the answer to the last offer. */
  accept(answer: SessionDescription): Agreed {
    const { formats, srtp } = this.#options;
    // What was offered may have had the far end's numbers, or be from before it changed the codec.
    const local = this.#anew ?? this.#local;
    const offered = [...((local && sectionOf(local, 'audio')?.formats) ?? []), ...formats.offered];
    const agreed = { agreement: agreeAudio(answer, offered), srtp: srtp.agree(audioOf(answer)) };
    this.#local = local ?? this.offer;
    this.#anew = undefined;
    return agreed;
  }

  answerTo(offered: SessionDescription, held: boolean): Agreed & { readonly answer: SessionDescription } {
    const { advertisedAddress, port } = this.#options;
    const offer = this.#options.srtp.choose(offered, 'audio');
    const { offered: formats, passing } = this.#options.formats;
    const { agreement, answer } = answerAudio(offer, advertisedAddress, port, { formats, passing, held });
    const { agreement: srtp, security } = this.#options.srtp.answer(audioOf(offer));
    return { agreement, srtp, answer: withSection(answer, 'audio', (audio) => ({ ...audio, ...security })) };
  }

  /** This is what we have answered. */
  answered(answer: SessionDescription): SessionDescription {
    this.#local = answer;
    return answer;
  }

  /** What holds while the far end, by its offer, takes its audio out of a call; undefined when it does not. */
  paused(offer: SessionDescription): Agreed | undefined {
    if (this.#agreed === undefined || sectionOf(offer, 'audio')?.port !== 0) return undefined;
    const { agreement, srtp } = this.#agreed;
    return { agreement: { ...agreement, sending: false }, srtp };
  }

  /** A far end that takes its audio out of a call (RFC 3264 section 8.2) may bring it back. */
  refusal(offer: SessionDescription): SessionDescription {
    const refused = offer.media.map(({ kind, protocol, direction, formats }) => {
      return { kind, port: 0, protocol, direction, formats };
    });
    return { address: this.#options.advertisedAddress, media: refused };
  }

  reoffer(direction: Direction, anew = false): SessionDescription {
    const { media, ...session } = anew ? this.offer : (this.#local ?? this.offer);
    const directed = media.map((section) => (section.port === 0 ? section : { ...section, direction }));
    if (anew) {
      this.#anew = { ...session, media: directed };
      return this.#anew;
    }
    const security = this.#options.srtp.offer();
    this.#local = withSection({ ...session, media: directed }, 'audio', (section) => {
      const { crypto: _, ...audio } = section.port === 0 ? audioOf(this.offer) : section;
      return { ...audio, direction, ...(security.crypto && security) };
    });
    return this.#local;
  }

  /** This holds from now on. */
  settle(agreed: Agreed): void {
    this.#agreed = agreed;
    this.#options.srtp.settle(agreed.srtp);
  }

  /**
   * An offer without the sections that the policy of encryption rules out.
   *
   * @throws MediaError `NoCommonCodec` when that leaves none to answer
   */
  admissible(offered: SessionDescription): SessionDescription {
    const { srtp } = this.#options;
    const offer = srtp.choose(offered, 'audio');
    srtp.answer(audioOf(offer));
    return offer;
  }

  /** Settles the protection alone: what is spoken is another's affair. */
  secure(
    description: SessionDescription,
    kind: 'offer' | 'answer',
  ): { readonly agreement: SrtpAgreement; readonly security: Partial<SectionSecurity> } {
    const { srtp } = this.#options;
    const section = audioOf(description);
    const secured = kind === 'offer' ? srtp.answer(section) : { agreement: srtp.agree(section), security: {} };
    srtp.settle(secured.agreement);
    return secured;
  }
}

/** The section that negotiation took part in. */
function audioOf(description: SessionDescription): MediaDescription {
  const audio = sectionOf(description, 'audio');
  if (audio === undefined) throw new MediaError('NoCommonCodec', 'the far end has no audio');
  return audio;
}
