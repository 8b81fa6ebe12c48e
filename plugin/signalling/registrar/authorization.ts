import { timingSafeEqual } from 'node:crypto';
import { digestOf, hashes, parseDigest } from '../digest.js';
import type { ReceivedRequest } from '../received-request.js';
import type { Nonces } from './nonces.js';

export type AuthorizationCheck = 'good' | 'wrong' | 'stale' | 'missing';

export interface Secret {
  readonly user: string;
  readonly password: string;
  readonly realm: string;
}

/** The challenge of a 401, both algorithms in our order of preference (RFC 8760 section 2.4). */
export function challenge(realm: string, nonces: Nonces, stale: boolean): string {
  const nonce = nonces.make();
  const algorithms = ['SHA-256', 'MD5'];
  return algorithms
    .map(
      (name) =>
        `Digest realm="${realm}", nonce="${nonce}", algorithm=${name}, qop="auth"${stale ? ', stale=true' : ''}`,
    )
    .join(', ');
}

/** Looks at the Authorization of a request (RFC 7616 section 3.4). Only with qop: without it a request could be repeated. */
export function checkAuthorization(
  request: Pick<ReceivedRequest, 'method' | 'uri' | 'header'>,
  { user, password, realm }: Secret,
  nonces: Nonces,
): AuthorizationCheck {
  const fields = parseDigest(request.header('authorization'));
  const field = (name: string) => fields?.get(name) ?? '';
  if (!fields || field('realm') !== realm) return 'missing';
  const hash = hashes[(fields.get('algorithm') ?? 'MD5').toLowerCase()];
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
