import { type Cipher, createCipheriv } from 'node:crypto';
import { initialisationVector } from './initialisation-vector.js';
import type { SessionKeys } from './key-derivation.js';

const blockLength = 16;

/** The counters of the packet in work: there is no datagram that needs more. */
const counters = Buffer.alloc(2 ** 16);

/**
 * AES in counter mode as SRTP uses it (RFC 3711 section 4.1.1). The keystream is made of the counters of all blocks at
 * once, by one cipher object for all packets: one for each packet would cost three times as much.
 */
export class CounterMode {
  readonly #cipher: Cipher;
  readonly #salt: Buffer;

  constructor({ key, salt }: SessionKeys) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    this.#salt = salt;
  }

  /** Enciphers or deciphers the octets of a packet from `start` to `end`, in place. */
  apply(packet: Uint8Array, start: number, end: number, ssrc: number, index: number): void {
    if (end <= start) return;
    if (end - start > counters.length) throw new RangeError(`a packet of ${end - start} octets is no datagram`);
    const length = Math.ceil((end - start) / blockLength) * blockLength;
    const vector = initialisationVector(this.#salt, ssrc, index);
    for (let at = 0, block = 0; at < length; at += blockLength, block++) {
      counters.set(vector, at);
      counters[at + 14] = block >> 8;
      counters[at + 15] = block & 0xff;
    }
    const keystream = this.#cipher.update(counters.subarray(0, length));
    for (let at = start; at < end; at++) packet[at] = (packet[at] ?? 0) ^ (keystream[at - start] ?? 0);
  }
}
