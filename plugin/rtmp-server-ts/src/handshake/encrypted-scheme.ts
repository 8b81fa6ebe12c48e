import { writeU32 } from '../bytes/integers.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { ClientHandshakeScheme } from './client-handshake.js';
import { HANDSHAKE_LENGTH, isRtmpeType, type RtmpeType } from './constants.js';
import {
  type DigestScheme,
  type FoundDigest,
  findDigest,
  isResponseSigned,
  PLAYER_KEY,
  SERVER_KEY,
  signResponse,
  writeDigest,
} from './digest.js';
import { KeyExchange } from './key-exchange.js';
import { randomBytes } from './random-bytes.js';

/** What players that know both types of RTMPE say they are in C1. */
const CLIENT_VERSION = 0x80000302;

/**
 * RTMPE: C1 and S1 carry public keys and digests, C2 and S2 are signed, and both are checked. The server decides on the type: a client that says
 * 6 may be answered with 8.
 * @throws (from its functions) RtmpError `handshake.digest` when the server's signature is not right, `handshake.key`
 */
export function encryptedScheme(type: RtmpeType = 6, scheme: DigestScheme = 0): ClientHandshakeScheme {
  const exchange = new KeyExchange();
  const c1 = randomBytes(HANDSHAKE_LENGTH);
  writeU32(c1, 0, 0);
  writeU32(c1, 4, CLIENT_VERSION);
  exchange.writeKey(c1, scheme);
  writeDigest(c1, scheme, PLAYER_KEY.partial);
  const ownDigest = found(findDigest(c1, PLAYER_KEY.partial), 'C1').digest;
  return {
    version: type,
    takes: isRtmpeType,
    makeC1: () => c1,
    answerS1: (s1, version) => {
      const theirs = found(findDigest(s1, SERVER_KEY.partial), 'S1');
      const c2 = randomBytes(HANDSHAKE_LENGTH);
      signResponse(c2, theirs.digest, PLAYER_KEY.full, version);
      return { c2, ciphers: exchange.ciphers(s1, theirs.scheme) };
    },
    checkS2: (s2, version) => {
      if (isResponseSigned(s2, ownDigest, SERVER_KEY.full, version)) return;
      throw new RtmpError('handshake.digest', 'S2 is not signed with the digest of C1');
    },
  };
}

function found(digest: FoundDigest | undefined, name: string): FoundDigest {
  if (digest !== undefined) return digest;
  throw new RtmpError('handshake.digest', `${name} of RTMPE without a digest`);
}
