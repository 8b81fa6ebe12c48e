import { createCipheriv } from 'node:crypto';
import { type CryptoSuite, cryptoSuites, type SuiteName } from './suites.js';

/** What packets of one kind are protected with. */
export interface SessionKeys {
  readonly key: Buffer;
  readonly salt: Buffer;
  /** Of HMAC-SHA1; empty where the cipher authenticates. */
  readonly authentication: Buffer;
}

/** RFC 3711 section 4.3.2. */
const labels = {
  rtp: { key: 0, authentication: 1, salt: 2 },
  rtcp: { key: 3, authentication: 4, salt: 5 },
} as const;

const authenticationKeyLength = 20;
const kdfSaltLength = 14;
const blockLength = 16;

/** Derives the session keys of a master key and salt, for a key derivation rate of 0 (RFC 3711 section 4.3). */
export function deriveSessionKeys(suite: SuiteName, kind: 'rtp' | 'rtcp', material: Uint8Array): SessionKeys {
  const { keyLength, saltLength, transform }: CryptoSuite = cryptoSuites[suite];
  const masterKey = material.subarray(0, keyLength);
  // The salt of AEAD suites is shorter than the derivation's; zeros follow it (RFC 7714 section 11).
  const masterSalt = Buffer.alloc(kdfSaltLength);
  masterSalt.set(material.subarray(keyLength, keyLength + saltLength));
  const derive = (label: number, length: number) => keystream(masterKey, masterSalt, label, length);
  return {
    key: derive(labels[kind].key, keyLength),
    salt: derive(labels[kind].salt, saltLength),
    authentication: derive(labels[kind].authentication, transform === 'aes-gcm' ? 0 : authenticationKeyLength),
  };
}

/** AES in counter mode over zeros, from the salt with the label in its octet 7 (section 4.3.3). */
function keystream(masterKey: Uint8Array, masterSalt: Buffer, label: number, length: number): Buffer {
  const start = Buffer.alloc(blockLength);
  start.set(masterSalt);
  start.writeUInt8(start.readUInt8(7) ^ label, 7);
  return createCipheriv('aes-128-ctr', masterKey, start).update(Buffer.alloc(length));
}
