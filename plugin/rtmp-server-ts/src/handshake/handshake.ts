import type { Rc4 } from './rc4.js';

/** What RTMPE encrypts with, once the handshake is done. */
export interface Ciphers {
  readonly input: Rc4;
  readonly output: Rc4;
}

/** Either side's part of the handshake (section 5.2), over the bytes received. */
export interface Handshake {
  readonly done: boolean;
  /** For all that follows an RTMPE handshake. */
  readonly ciphers: Ciphers | undefined;
  /**
   * Goes on with what has arrived; first of all with nothing.
   * @returns bytes to be sent
   * @throws RtmpError `handshake.*`
   */
  advance(): readonly Uint8Array[];
}
