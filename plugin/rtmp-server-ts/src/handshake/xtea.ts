import { readU32LittleEndian, writeU32LittleEndian } from '../bytes/integers.js';

/** Of 128 bits each. Players know a sixteenth, which no signature chooses. */
const KEYS = [
  [0xbff034b2, 0x11d9081f, 0xccdfb795, 0x748de732],
  [0x086a5eb6, 0x1743090e, 0x6ef05ab8, 0xfe5a39e2],
  [0x7b10956f, 0x76ce0521, 0x2388a73a, 0x440149a1],
  [0xa943f317, 0xebf11bb2, 0xa691a5ee, 0x17f36339],
  [0x7a30e00a, 0xb529e22c, 0xa087aea5, 0xc0cb79ac],
  [0xbdce0c23, 0x2febdeff, 0x1cfaae16, 0x1123239d],
  [0x55dd3f7b, 0x77e7e62e, 0x9bb8c499, 0xc9481ee4],
  [0x407bb6b4, 0x71e89136, 0xa7aebf55, 0xca33b839],
  [0xfcf6bdc3, 0xb63c3697, 0x7ce4f825, 0x04d959b2],
  [0x28e091fd, 0x41954c4c, 0x7fb7db00, 0xe3a066f8],
  [0x57845b76, 0x4f251b03, 0x46d45bcd, 0xa2c30d29],
  [0x0acceef8, 0xda55b546, 0x03473452, 0x5863713b],
  [0xb82075dc, 0xa75f1fee, 0xd84268e8, 0xa72a44cc],
  [0x07cf6e9e, 0xa16d7b25, 0x9fa7ae6c, 0xd92f5629],
  [0xfeb1eae4, 0x8c8c3ce1, 0x4e0064a7, 0x6a387c2a],
] as const;

const BLOCK_LENGTH = 8;
const CYCLES = 32;
const DELTA = 0x9e3779b9;

type Key = (typeof KEYS)[number];

/**
 * What RTMPE of type 8 adds to type 6: each eight bytes of a signature are encrypted with XTEA, as little-endian words, by the key that the byte
 * in the same place of the signature's own HMAC key names.
 */
export function encryptSignature(signature: Uint8Array, hmacKey: Uint8Array): void {
  for (let offset = 0; offset < signature.length; offset += BLOCK_LENGTH) {
    const key = KEYS[(hmacKey[offset] ?? 0) % KEYS.length];
    if (key !== undefined) encryptBlock(signature, offset, key);
  }
}

/** XTEA (Needham and Wheeler, 1997). */
function encryptBlock(bytes: Uint8Array, offset: number, key: Key): void {
  let left = readU32LittleEndian(bytes, offset);
  let right = readU32LittleEndian(bytes, offset + 4);
  let sum = 0;
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    left = (left + (mix(right) ^ (sum + word(key, sum)))) >>> 0;
    sum = (sum + DELTA) >>> 0;
    right = (right + (mix(left) ^ (sum + word(key, sum >>> 11)))) >>> 0;
  }
  writeU32LittleEndian(bytes, offset, left);
  writeU32LittleEndian(bytes, offset + 4, right);
}

function mix(half: number): number {
  return ((half << 4) ^ (half >>> 5)) + half;
}

/** The two lowest bits name one of the key's four words. */
function word(key: Key, index: number): number {
  return key[(index & 3) as 0 | 1 | 2 | 3];
}
