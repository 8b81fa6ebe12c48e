import { MediaError } from '../../call/ports.js';
import type { CryptoAttribute, MediaDescription, SessionDescription } from '../../call/session-description.js';
import { keyMaterialLength, type SrtpKeys, type SuiteName, suiteNames } from '../srtp/suites.js';
import { readCrypto, type UsableCrypto, writeKeyParameters } from './key-parameters.js';

/**
 * Whether calls are encrypted: `off` never, `accept` when the far end offers it, `offer` when the far end can (RFC 8643:
 * keys are offered under RTP/AVP), `require` always (RTP/SAVP).
 */
export type SrtpPolicy = 'off' | 'accept' | 'offer' | 'require';

/** What a section says of its protection. */
export interface SectionSecurity {
  readonly protocol: string;
  readonly crypto?: readonly CryptoAttribute[];
}

/** How the packets of a section are protected, from offer and answer. */
export interface SrtpAgreement {
  readonly protocol: string;
  /** Undefined where they are not. */
  readonly keys: SrtpKeys | undefined;
}

const secureProfiles: ReadonlySet<string> = new Set(['RTP/SAVP', 'RTP/SAVPF']);
const plainProfiles: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);

/** Whether we speak a section's protocol, plain or encrypted. */
export function isRtpProfile(protocol: string): boolean {
  return plainProfiles.has(protocol) || secureProfiles.has(protocol);
}

/** A description with its {@link sectionOf} a kind replaced by what `change` makes of it. */
export function withSection(
  description: SessionDescription,
  kind: string,
  change: (section: MediaDescription) => MediaDescription,
): SessionDescription {
  const chosen = sectionOf(description, kind);
  return { ...description, media: description.media.map((media) => (media === chosen ? change(media) : media)) };
}

/** The first section of a kind that is not turned off, else the first. */
export function sectionOf({ media }: SessionDescription, kind: string): MediaDescription | undefined {
  const all = media.filter((section) => section.kind === kind);
  return all.find(({ port }) => port !== 0) ?? all[0];
}

/**
 * The keys of one `m=` section, as offered and answered (RFC 4568 section 5.1). Offers and answers are read without being
 * taken: what is to hold from then on is said by {@link settle}.
 */
export class SrtpNegotiation {
  readonly #policy: SrtpPolicy;
  readonly #random: (length: number) => Uint8Array;
  /** The keys that we send with, the same in every offer and answer as long as the call is encrypted. */
  readonly #local = new Map<SuiteName, Uint8Array>();
  #settled: SrtpAgreement | undefined;

  /** @param random gives octets that nobody can guess */
  constructor(policy: SrtpPolicy, random: (length: number) => Uint8Array) {
    this.#policy = policy;
    this.#random = random;
  }

  /** What our offer says: at first what the policy wants, within an encrypted call that it stays so. */
  offer(): SectionSecurity {
    const { keys, protocol = '' } = this.#settled ?? {};
    if (keys !== undefined) return { protocol, crypto: [this.#line(1, keys.suite)] };
    if (this.#policy === 'off' || this.#policy === 'accept') return { protocol: 'RTP/AVP' };
    const crypto = suiteNames.map((suite, index) => this.#line(index + 1, suite));
    return { protocol: this.#policy === 'require' ? 'RTP/SAVP' : 'RTP/AVP', crypto };
  }

  /**
   * Reads the answer to {@link offer}.
   *
   * @throws MediaError `NoCommonCodec`
   */
  agree({ protocol, crypto = [] }: MediaDescription): SrtpAgreement {
    const offered = this.offer().crypto ?? [];
    const [line] = crypto;
    if (line === undefined || offered.length === 0) return this.#unprotected(protocol, crypto, []);
    const usable = readCrypto(line);
    if (typeof usable === 'string') throw noCommonSecurity(`of the far end's answer ${usable}`);
    // Each suite is offered once: the tag, which some do not repeat as they should, says nothing more.
    if (!offered.some(({ suite }) => suite === line.suite)) {
      throw noCommonSecurity(`the far end answers ${line.suite}, which was not offered`);
    }
    return { protocol, keys: this.#keys(usable) };
  }

  /**
   * Reads an offer, and says what to answer: the first of its keys that we can use.
   *
   * @throws MediaError `NoCommonCodec`
   */
  answer({ protocol, crypto = [] }: MediaDescription): { agreement: SrtpAgreement; security: SectionSecurity } {
    const refusals: string[] = [];
    for (const line of this.#policy === 'off' ? [] : crypto) {
      const usable = readCrypto(line);
      if (typeof usable !== 'string') {
        const security = { protocol, crypto: [this.#line(line.tag, usable.suite)] };
        return { agreement: { protocol, keys: this.#keys(usable) }, security };
      }
      refusals.push(`a=crypto:${line.tag}: ${usable}`);
    }
    return { agreement: this.#unprotected(protocol, crypto, refusals), security: { protocol } };
  }

  /**
   * An offer without those sections of a kind that cannot be had under the policy, when there is one that can: some far
   * ends offer a section with encryption and one without, to choose from.
   */
  choose(offer: SessionDescription, kind: string): SessionDescription {
    const refused = offer.media.filter((section) => section.kind === kind && !this.#isUsable(section));
    const all = offer.media.filter((section) => section.kind === kind && section.port !== 0);
    if (all.every((section) => refused.includes(section))) return offer;
    return { ...offer, media: offer.media.map((media) => (refused.includes(media) ? { ...media, port: 0 } : media)) };
  }

  #isUsable(section: MediaDescription): boolean {
    try {
      this.answer(section);
      return isRtpProfile(section.protocol);
    } catch {
      return false;
    }
  }

  /** This holds from now on. */
  settle(agreement: SrtpAgreement): void {
    this.#settled = agreement;
    // Packets without protection are not counted: should there be some again, a key of before could protect two alike.
    if (agreement.keys === undefined) this.#local.clear();
  }

  /** There are no keys: that is well where neither side insists on them. */
  #unprotected(protocol: string, crypto: readonly CryptoAttribute[], refusals: readonly string[]): SrtpAgreement {
    if (secureProfiles.has(protocol)) {
      if (this.#policy === 'off') throw noCommonSecurity(`the far end wants SRTP (${protocol}), which is turned off`);
      if (crypto.length === 0)
        throw noCommonSecurity(`the far end's ${protocol} has no a=crypto, the only keys we know`);
      throw noCommonSecurity(refusals.join('; ') || `the far end answers ${protocol}, which was not offered`);
    }
    if (this.#policy === 'require') {
      throw noCommonSecurity(refusals.join('; ') || `the far end speaks ${protocol}, and SRTP is required`);
    }
    return { protocol, keys: undefined };
  }

  #keys({ suite, material }: UsableCrypto): SrtpKeys {
    return { suite, local: this.#localKey(suite), remote: material };
  }

  #line(tag: number, suite: SuiteName): CryptoAttribute {
    return { tag, suite, keyParameters: writeKeyParameters(this.#localKey(suite)) };
  }

  #localKey(suite: SuiteName): Uint8Array {
    const known = this.#local.get(suite);
    if (known !== undefined) return known;
    const created = this.#random(keyMaterialLength(suite));
    this.#local.set(suite, created);
    return created;
  }
}

function noCommonSecurity(message: string): MediaError {
  return new MediaError('NoCommonCodec', `no SRTP in common: ${message}`);
}
