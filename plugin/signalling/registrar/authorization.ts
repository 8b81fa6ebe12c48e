import { timingSafeEqual } from 'node:crypto';
import { digestOf, hashes, parseDigest } from '../drachtio/digest.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import type { Nonces } from './nonces.js';

export type AuthorizationCheck = 'good' | 'wrong' | 'stale' | 'missing';

export interface Secret {
  readonly user: string;
  readonly password: string;
  readonly realm: string;
}

export type DigestAlgorithm = 'SHA-256' | 'MD5';

/**
 * The challenges of a 401, in our order of preference (RFC 8760 section 2.4), each for a header of its own: they may not
 * share one (RFC 3261 section 7.3.1).
 */
export function challenges(
  algorithms: readonly DigestAlgorithm[],
  { realm, nonce, stale }: { readonly realm: string; readonly nonce: string; readonly stale: boolean },
): readonly string[] {
  const end = `qop="auth"${stale ? ', stale=true' : ''}`;
  return algorithms.map((name) => `Digest realm="${realm}", nonce="${nonce}", algorithm=${name}, ${end}`);
}

/** Looks at the Authorization of a request (RFC 7616 section 3.4). Only with qop: without it a request could be repeated. */
export function checkAuthorization(
  request: Pick<ReceivedRequest, 'method' | 'uri' | 'header'>,
  { user, password, realm }: Secret,
  { nonces, algorithms }: { readonly nonces: Nonces; readonly algorithms: readonly DigestAlgorithm[] },
): AuthorizationCheck {
  const fields = parseDigest(request.header('authorization'));
  const field = (name: string) => fields?.get(name) ?? '';
  if (!fields || field('realm') !== realm) return 'missing';
  const algorithm = fields.get('algorithm') ?? 'MD5';
  const hash = algorithms.some((name) => name === algorithm.toUpperCase())
    ? hashes[algorithm.toLowerCase()]
    : undefined;
  const [uri, nonce, nc, cnonce] = [field('uri'), field('nonce'), field('nc'), field('cnonce')];
  if (!hash || field('qop').toLowerCase() !== 'auth' || !/^[0-9a-f]{8}$/i.test(nc) || cnonce === '') return 'wrong';
  if (field('username') !== user || uri !== request.uri) return 'wrong';
  const credentials = { user, password };
  const expected = digestOf(hash, { credentials, realm, nonce, method: request.method, uri, uses: { nc, cnonce } });
  const given = Buffer.from(field('response').toLowerCase());
  if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected))) return 'wrong';
  // The password is right: only then it is of use to say that the nonce is not.
  return nonces.use(nonce, Number.parseInt(nc, 16)) ? 'good' : 'stale';
}
