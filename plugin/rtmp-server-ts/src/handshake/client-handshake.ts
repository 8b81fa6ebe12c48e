import type { BufferList } from '../bytes/buffer-list.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { HANDSHAKE_LENGTH, RTMP_VERSION } from './constants.js';
import type { Ciphers, Handshake } from './handshake.js';
import { randomBytes } from './random-bytes.js';

/** What the client's handshakes differ in. */
export interface ClientHandshakeScheme {
  /** The first byte. */
  readonly version: number;
  /** Whether the server may begin with this. */
  takes(version: number): boolean;
  makeC1(): Uint8Array;
  /** @param version the server's first byte @throws RtmpError when S1 is not what it must be */
  answerS1(s1: Uint8Array, version: number): { readonly c2: Uint8Array; readonly ciphers?: Ciphers };
  /** @param version the server's first byte @throws RtmpError when S2 is not what it must be */
  checkS2(s2: Uint8Array, version: number): void;
}

/** The client's side of the handshake (section 5.2): C0 and C1, C2 when S1 is there, and S2 is waited for. */
export class ClientHandshake implements Handshake {
  readonly #input: BufferList;
  readonly #scheme: ClientHandshakeScheme;
  #expects: 'start' | 'S0' | 'S1' | 'S2' | 'nothing' = 'start';
  /** The server's first byte. */
  #version = 0;
  #ciphers: Ciphers | undefined;

  /** @param input bytes received; what follows the handshake stays in it */
  constructor(input: BufferList, scheme: ClientHandshakeScheme = plainScheme()) {
    this.#input = input;
    this.#scheme = scheme;
  }

  get done(): boolean {
    return this.#expects === 'nothing';
  }

  get ciphers(): Ciphers | undefined {
    return this.#ciphers;
  }

  /** @throws RtmpError `handshake.version` when the server answers with a version that the scheme does not take; what the scheme throws */
  advance(): readonly Uint8Array[] {
    const output: Uint8Array[] = [];
    if (this.#expects === 'start') {
      output.push(Uint8Array.of(this.#scheme.version), this.#scheme.makeC1());
      this.#expects = 'S0';
    }
    if (this.#expects === 'S0' && this.#input.length >= 1) {
      this.#version = this.#checkVersion(this.#input.consume(1)[0]);
      this.#expects = 'S1';
    }
    if (this.#expects === 'S1' && this.#input.length >= HANDSHAKE_LENGTH) {
      const { c2, ciphers } = this.#scheme.answerS1(this.#input.consume(HANDSHAKE_LENGTH), this.#version);
      this.#ciphers = ciphers;
      output.push(c2);
      this.#expects = 'S2';
    }
    if (this.#expects === 'S2' && this.#input.length >= HANDSHAKE_LENGTH) {
      this.#scheme.checkS2(this.#input.consume(HANDSHAKE_LENGTH), this.#version);
      this.#expects = 'nothing';
    }
    return output;
  }

  #checkVersion(version: number | undefined): number {
    if (version !== undefined && this.#scheme.takes(version)) return version;
    const asked = this.#scheme.version;
    throw new RtmpError('handshake.version', `the server's first byte is ${version}, which is no answer to ${asked}`);
  }
}

/** Without digests: a version of 0 in C1 says so, C2 repeats S1, and S2, which should repeat C1, is not looked at. */
function plainScheme(): ClientHandshakeScheme {
  return {
    version: RTMP_VERSION,
    takes: (version) => version === RTMP_VERSION,
    makeC1: () => {
      const c1 = randomBytes(HANDSHAKE_LENGTH);
      c1.fill(0, 0, 8);
      return c1;
    },
    answerS1: (s1) => ({ c2: s1 }),
    checkS2: () => {},
  };
}
