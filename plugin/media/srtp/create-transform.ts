import { AesCmHmacSha1 } from './aes-cm-hmac-sha1.js';
import { AesGcm } from './aes-gcm.js';
import { deriveSessionKeys } from './key-derivation.js';
import { type CryptoSuite, cryptoSuites, type SuiteName } from './suites.js';
import type { SrtpTransform } from './transform.js';

/** @param material master key and master salt */
export function createTransform(name: SuiteName, material: Uint8Array): SrtpTransform {
  const suite: CryptoSuite = cryptoSuites[name];
  const rtp = deriveSessionKeys(name, 'rtp', material);
  const rtcp = deriveSessionKeys(name, 'rtcp', material);
  return suite.transform === 'aes-gcm' ? new AesGcm(rtp, rtcp) : new AesCmHmacSha1(rtp, rtcp, suite);
}
