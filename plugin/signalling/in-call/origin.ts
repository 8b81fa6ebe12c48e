import { randomInt } from 'node:crypto';
import type { SessionDescription } from '../../call/session-description.js';
import { writeSdp } from '../sdp/sdp.js';

/** Our descriptions in one call: the same session, with a version that counts their changes (RFC 3264 section 8). */
export class Origin {
  // Within 32 bits with room to count: there are peers that read no more.
  readonly #sessionId = randomInt(1, 2 ** 31);
  #version = 0;
  #last = '';

  write(description: SessionDescription): string {
    const write = () => writeSdp(description, { sessionId: this.#sessionId, version: this.#version });
    if (write() === this.#last) return this.#last;
    this.#version++;
    this.#last = write();
    return this.#last;
  }

  /** What was written last. */
  get last(): string {
    return this.#last;
  }
}
