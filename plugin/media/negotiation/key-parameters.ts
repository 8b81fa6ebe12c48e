import type { CryptoAttribute } from '../../call/session-description.js';
import { isSuiteName, keyMaterialLength, type SuiteName } from '../srtp/suites.js';

/** A crypto line that we can work with. */
export interface UsableCrypto {
  readonly suite: SuiteName;
  /** Master key and master salt. */
  readonly material: Uint8Array;
}

/** Packets that one master key may protect at most (RFC 3711 section 9.2). */
const maxLifetime = 2n ** 48n;

/** RFC 4568 section 6.1: method, key and salt, then a lifetime and an index of the key, both optional. */
const inlineKey = /^inline:([A-Za-z0-9+/]+={0,2})(?:\|(\d{1,20}|2\^\d{1,3}))?(?:\|(\d{1,10}:\d{1,3}))?$/;

/** Window size hint: whatever it is, our window is wider (RFC 4568 section 6.3.6). */
const windowSize = /^WSH=\d{1,5}$/;

/** Reads a crypto line; a text says why it cannot be used, without its key. */
export function readCrypto({ suite, keyParameters, sessionParameters = [] }: CryptoAttribute): UsableCrypto | string {
  if (!isSuiteName(suite)) return `suite ${suite} is unknown`;
  // The name alone: what follows a FEC_KEY is a key.
  const [refused] = sessionParameters.filter(isBinding).map((parameter) => parameter.replace(/[=:].*/, ''));
  if (refused !== undefined) return `session parameter ${refused} is not supported`;
  if (keyParameters.includes(';')) return 'more than one key in a line is not supported';
  const [, encoded, lifetime, keyIndex] = inlineKey.exec(keyParameters) ?? [];
  if (encoded === undefined) return 'its key is not given as inline:KEY|LIFETIME|MKI:LENGTH';
  if (keyIndex !== undefined) return `a master key index (MKI ${keyIndex}) is not supported`;
  if (lifetime !== undefined && !isLifetime(lifetime)) return `a key lifetime of ${lifetime} is not 1 to 2^48`;
  const material = Buffer.from(encoded, 'base64');
  const wanted = keyMaterialLength(suite);
  if (material.length !== wanted) return `its key and salt have ${material.length} octets, not ${wanted}`;
  return { suite, material };
}

/** What begins with `-` may be ignored, everything else has to be understood (RFC 4568 section 6.3.7). */
function isBinding(parameter: string): boolean {
  return !parameter.startsWith('-') && !windowSize.test(parameter);
}

/** Who sends with a key has to change it in time, so that the value itself is of no use to us (RFC 3711 section 9.2). */
function isLifetime(text: string): boolean {
  const packets = text.startsWith('2^') ? 2n ** BigInt(text.slice(2)) : BigInt(text);
  return packets > 0n && packets <= maxLifetime;
}

export function writeKeyParameters(material: Uint8Array): string {
  return `inline:${Buffer.from(material).toString('base64')}`;
}
