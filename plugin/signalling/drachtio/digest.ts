import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from '../../call/ports.js';
import { quote } from '../addresses/name-addr.js';

/** One challenge of a 401 or 407 (RFC 3261 section 22, RFC 8760). */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly algorithm: string;
  readonly hash: 'md5' | 'sha256';
  /** Whether the server offers qop "auth". */
  readonly qop: boolean;
  /** The nonce was too old, the credentials were not looked at. */
  readonly stale: boolean;
}

/** By the algorithm's name in lower case. */
export const hashes: Readonly<Record<string, Challenge['hash']>> = { md5: 'md5', 'sha-256': 'sha256' };

/**
 * The challenge to answer: the first, of those that a server names in its order of preference, that we can. Undefined
 * when there is none.
 */
export function readChallenge(header: string): Challenge | undefined {
  // Several challenges may share a header: each begins with its scheme.
  for (const text of header.split(/,\s*(?=digest\s)/i)) {
    const challenge = parseChallenge(text);
    if (challenge) return challenge;
  }
  return undefined;
}

function parseChallenge(header: string): Challenge | undefined {
  const fields = parseDigest(header);
  if (!fields) return undefined;
  const realm = fields.get('realm');
  const nonce = fields.get('nonce');
  const algorithm = fields.get('algorithm') ?? 'MD5';
  const hash = hashes[algorithm.toLowerCase()];
  const qops = fields
    .get('qop')
    ?.toLowerCase()
    .split(/\s*,\s*/);
  if (realm === undefined || nonce === undefined || hash === undefined || (qops && !qops.includes('auth'))) {
    return undefined;
  }
  const opaque = fields.get('opaque');
  return {
    realm,
    nonce,
    algorithm,
    hash,
    qop: qops !== undefined,
    stale: fields.get('stale')?.toLowerCase() === 'true',
    ...(opaque !== undefined && { opaque }),
  };
}

export interface DigestRequest {
  readonly method: string;
  readonly uri: string;
  /** How often this nonce was used, from 1. */
  readonly count: number;
  /** Random unless given. */
  readonly cnonce?: string;
}

/** The value of Authorization or Proxy-Authorization (RFC 7616 section 3.4). */
export function authorize(challenge: Challenge, credentials: Credentials, request: DigestRequest): string {
  const { realm, nonce, opaque, algorithm, qop } = challenge;
  const { method, uri, count, cnonce = randomBytes(8).toString('hex') } = request;
  const nc = count.toString(16).padStart(8, '0');
  const uses = qop ? { nc, cnonce } : undefined;
  const response = digestOf(challenge.hash, { credentials, realm, nonce, method, uri, ...(uses && { uses }) });
  const fields = [
    `username=${quote(credentials.user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response=${quote(response)}`,
    `algorithm=${algorithm}`,
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop ? ['qop=auth', `nc=${nc}`, `cnonce=${quote(cnonce)}`] : []),
  ];
  return `Digest ${fields.join(', ')}`;
}

export interface DigestInput {
  readonly credentials: Credentials;
  readonly realm: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  /** With qop "auth". */
  readonly uses?: { readonly nc: string; readonly cnonce: string };
}

/** The response to a challenge (RFC 7616 section 3.4.1), in hexadecimal. */
export function digestOf(algorithm: Challenge['hash'], input: DigestInput): string {
  const { credentials, realm, nonce, method, uri, uses } = input;
  const hash = (text: string) => createHash(algorithm).update(text).digest('hex');
  const a1 = hash(`${credentials.user}:${realm}:${credentials.password}`);
  const a2 = hash(`${method}:${uri}`);
  return hash(uses ? `${a1}:${nonce}:${uses.nc}:${uses.cnonce}:auth:${a2}` : `${a1}:${nonce}:${a2}`);
}

/** The fields of a challenge or of the answer to one, names in lower case; undefined when it is no digest. */
export function parseDigest(header: string): ReadonlyMap<string, string> | undefined {
  const body = /^\s*digest\s+(.*)$/is.exec(header)?.[1];
  if (body === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = '', quoted, token] of body.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return fields;
}
