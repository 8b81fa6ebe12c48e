import type { BufferList } from '../bytes/buffer-list.js';
import { readU32, writeU32 } from '../bytes/integers.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { HANDSHAKE_LENGTH, isRtmpeType, RTMP_VERSION, type RtmpeType } from './constants.js';
import { findDigest, PLAYER_KEY, SERVER_KEY, signResponse, writeDigest } from './digest.js';
import type { Ciphers, Handshake } from './handshake.js';
import { KeyExchange } from './key-exchange.js';
import { randomBytes } from './random-bytes.js';

export type HandshakeScheme = 'plain' | 'digest-0' | 'digest-1';

export interface ServerHandshakeOptions {
  /** The type that RTMPE is answered with, which the client follows. Default: the one that it asks for. */
  readonly rtmpeType?: RtmpeType | undefined;
  /** Default: random bytes. */
  readonly random?: (length: number) => Uint8Array;
}

/** What the server says it is in S1; any version but 0 tells Flash Player that digests follow. */
const SERVER_VERSION = 0x03050101;

/**
 * The server's side of the handshake (section 5.2). C0 and C1 are answered with S0, S1 and S2 at once, in the scheme in which C1 came; C2 is
 * waited for and not looked at, as other servers do: some clients echo, some sign, some send anything. In RTMPE, C1 and S1 carry public keys
 * as well, and what follows C2 and S2 is encrypted.
 */
export class ServerHandshake implements Handshake {
  readonly #input: BufferList;
  readonly #rtmpeType: RtmpeType | undefined;
  readonly #random: (length: number) => Uint8Array;
  #expects: 'C0' | 'C1' | 'C2' | 'nothing' = 'C0';
  #scheme: HandshakeScheme = 'plain';
  #version: number = RTMP_VERSION;
  #ciphers: Ciphers | undefined;

  /** @param input bytes received; what follows the handshake stays in it */
  constructor(input: BufferList, { rtmpeType, random = randomBytes }: ServerHandshakeOptions = {}) {
    this.#input = input;
    this.#rtmpeType = rtmpeType;
    this.#random = random;
  }

  get done(): boolean {
    return this.#expects === 'nothing';
  }

  /** Known once C1 was answered. */
  get scheme(): HandshakeScheme {
    return this.#scheme;
  }

  /** For all that follows an RTMPE handshake. */
  get ciphers(): Ciphers | undefined {
    return this.#ciphers;
  }

  /**
   * Goes on with what has arrived.
   * @returns bytes to be sent
   * @throws RtmpError `handshake.version` when the first byte is of another protocol; `handshake.digest`, `handshake.key` for RTMPE without a
   * digest, or with a public key that leaves no secret
   */
  advance(): readonly Uint8Array[] {
    const output: Uint8Array[] = [];
    if (this.#expects === 'C0' && this.#input.length >= 1) {
      this.#version = this.#answerTo(this.#input.consume(1)[0]);
      this.#expects = 'C1';
    }
    if (this.#expects === 'C1' && this.#input.length >= HANDSHAKE_LENGTH) {
      output.push(Uint8Array.of(this.#version), ...this.#answer(this.#input.consume(HANDSHAKE_LENGTH)));
      this.#expects = 'C2';
    }
    if (this.#expects === 'C2' && this.#input.length >= HANDSHAKE_LENGTH) {
      this.#input.skip(HANDSHAKE_LENGTH);
      this.#expects = 'nothing';
    }
    return output;
  }

  #answerTo(version: number | undefined): number {
    if (version === RTMP_VERSION) return version;
    if (isRtmpeType(version)) return this.#rtmpeType ?? version;
    throw new RtmpError('handshake.version', `first byte ${version}, RTMP begins with ${RTMP_VERSION}`);
  }

  #answer(c1: Uint8Array): [s1: Uint8Array, s2: Uint8Array] {
    const found = readU32(c1, 4) === 0 ? undefined : findDigest(c1, PLAYER_KEY.partial);
    const s1 = this.#random(HANDSHAKE_LENGTH);
    writeU32(s1, 0, 0);
    if (found === undefined) {
      if (isRtmpeType(this.#version)) throw new RtmpError('handshake.digest', 'C1 of RTMPE without a digest');
      writeU32(s1, 4, 0);
      return [s1, c1];
    }
    this.#scheme = `digest-${found.scheme}`;
    writeU32(s1, 4, SERVER_VERSION);
    if (isRtmpeType(this.#version)) {
      const exchange = new KeyExchange();
      exchange.writeKey(s1, found.scheme);
      this.#ciphers = exchange.ciphers(c1, found.scheme);
    }
    writeDigest(s1, found.scheme, SERVER_KEY.partial);
    const s2 = this.#random(HANDSHAKE_LENGTH);
    signResponse(s2, found.digest, SERVER_KEY.full, this.#version);
    return [s1, s2];
  }
}
