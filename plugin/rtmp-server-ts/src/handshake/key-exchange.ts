import { createHmac, getDiffieHellman } from 'node:crypto';
import { RtmpError } from '../errors/rtmp-error.js';
import { HANDSHAKE_LENGTH } from './constants.js';
import type { DigestScheme } from './digest.js';
import type { Ciphers } from './handshake.js';
import { Rc4 } from './rc4.js';

/** The second Oakley group (RFC 2409 section 6.2): 1024 bits, generator 2. */
const GROUP = 'modp2';
const KEY_LENGTH = 128;
const CIPHER_KEY_LENGTH = 16;

/** The public key lies in the block that the digest does not use; the last four bytes of that block, added up, place it. */
const KEY_BLOCK = [
  { start: 772, pointer: 1532 },
  { start: 8, pointer: 768 },
] as const;
/** 764 bytes of a block without the pointer and the key. */
const PLACES = 632;

/** One side's key pair. */
export class KeyExchange {
  readonly #group = getDiffieHellman(GROUP);
  readonly #own = leftPadded(this.#group.generateKeys());

  /** Puts the public key into a C1 or S1, which is to be signed afterwards. */
  writeKey(block: Uint8Array, scheme: DigestScheme): void {
    keyIn(block, scheme).set(this.#own);
  }

  /**
   * Each side's key comes of the other side's public key; the first 1536 bytes of both streams are thrown away.
   * @param block the other side's C1 or S1
   * @throws RtmpError `handshake.key` for a public key that leaves no secret: 0, 1, p - 1, or one that is not below p
   */
  ciphers(block: Uint8Array, scheme: DigestScheme): Ciphers {
    const theirs = keyIn(block, scheme);
    checkKey(theirs, this.#group.getPrime());
    const secret = leftPadded(this.#group.computeSecret(theirs));
    return { input: cipher(secret, this.#own), output: cipher(secret, theirs) };
  }
}

function cipher(secret: Uint8Array, publicKey: Uint8Array): Rc4 {
  const key = createHmac('sha256', secret).update(publicKey).digest().subarray(0, CIPHER_KEY_LENGTH);
  const rc4 = new Rc4(key);
  rc4.apply(new Uint8Array(HANDSHAKE_LENGTH));
  return rc4;
}

function keyIn(block: Uint8Array, scheme: DigestScheme): Uint8Array {
  const { start, pointer } = KEY_BLOCK[scheme];
  const sum = block.subarray(pointer, pointer + 4).reduce((total, byte) => total + byte, 0);
  const offset = start + (sum % PLACES);
  return block.subarray(offset, offset + KEY_LENGTH);
}

function checkKey(key: Uint8Array, prime: Uint8Array): void {
  const value = toBigInt(key);
  if (value > 1n && value < toBigInt(prime) - 1n) return;
  throw new RtmpError('handshake.key', 'the public key is 0, 1, p - 1 or above: everybody would know the secret');
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function leftPadded(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(KEY_LENGTH);
  padded.set(bytes, KEY_LENGTH - bytes.length);
  return padded;
}
