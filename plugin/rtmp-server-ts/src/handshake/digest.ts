import { createHmac } from 'node:crypto';
import { DIGEST_LENGTH } from './constants.js';
import { encryptSignature } from './xtea.js';

/**
 * The handshake with digests, which Adobe never published: Flash Player from version 9 puts an HMAC-SHA256 into C1 and plays H.264 only
 * when S1 and S2 carry theirs. The 32 bytes lie at a place computed from four bytes at the start of one of the two blocks of C1:
 *
 *     0      4         8                772               1536
 *     | time | version |    block 1      |     block 2      |
 *
 * Scheme 0 has the digest in block 1, scheme 1 in block 2 (the other block holds a Diffie-Hellman key, for RTMPE).
 */
export type DigestScheme = 0 | 1;

const BLOCK_START = [8, 772] as const;

/** The last 32 bytes of both sides' keys. */
const CONSTANT = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const PLAYER_NAME = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER_NAME = Buffer.from('Genuine Adobe Flash Media Server 001');

/** Digests of C1 and S1 are made with the bare name, those of C2 and S2 with a key derived from the whole one. */
export const PLAYER_KEY = { partial: PLAYER_NAME, full: Buffer.concat([PLAYER_NAME, CONSTANT]) };
export const SERVER_KEY = { partial: SERVER_NAME, full: Buffer.concat([SERVER_NAME, CONSTANT]) };

export interface FoundDigest {
  readonly scheme: DigestScheme;
  readonly digest: Uint8Array;
}

/** Looks for a digest in C1 or S1 by both schemes. @returns undefined when neither place holds the right one. */
export function findDigest(block: Uint8Array, partialKey: Uint8Array): FoundDigest | undefined {
  for (const scheme of [0, 1] as const) {
    const offset = digestOffset(block, scheme);
    const digest = block.subarray(offset, offset + DIGEST_LENGTH);
    if (equal(digest, blockDigest(block, offset, partialKey))) return { scheme, digest };
  }
  return undefined;
}

/** Signs a C1 or S1 in place. */
export function writeDigest(block: Uint8Array, scheme: DigestScheme, partialKey: Uint8Array): void {
  const offset = digestOffset(block, scheme);
  block.set(blockDigest(block, offset, partialKey), offset);
}

/**
 * Signs a C2 or S2 in place: its last 32 bytes prove that the other side's digest was read.
 * @param version the first byte that the server sent
 */
export function signResponse(block: Uint8Array, digest: Uint8Array, fullKey: Uint8Array, version: number): void {
  block.set(responseDigest(block, digest, fullKey, version), block.length - DIGEST_LENGTH);
}

export function isResponseSigned(block: Uint8Array, digest: Uint8Array, fullKey: Uint8Array, version: number): boolean {
  return equal(block.subarray(block.length - DIGEST_LENGTH), responseDigest(block, digest, fullKey, version));
}

function responseDigest(block: Uint8Array, digest: Uint8Array, fullKey: Uint8Array, version: number): Uint8Array {
  const key = hmac(fullKey, digest);
  const signature = hmac(key, block.subarray(0, block.length - DIGEST_LENGTH));
  if (version === 8) encryptSignature(signature, key);
  return signature;
}

/** The first four bytes of the block, added up, place the digest after them within the block's 764 bytes. */
function digestOffset(block: Uint8Array, scheme: DigestScheme): number {
  const start = BLOCK_START[scheme];
  const sum = block.subarray(start, start + 4).reduce((total, byte) => total + byte, 0);
  return start + 4 + (sum % 728);
}

/** The digest covers the block without the 32 bytes that it fills itself. */
function blockDigest(block: Uint8Array, offset: number, key: Uint8Array): Uint8Array {
  return hmac(key, block.subarray(0, offset), block.subarray(offset + DIGEST_LENGTH));
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
