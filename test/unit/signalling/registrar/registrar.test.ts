import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Bindings } from '../../../../plugin/signalling/registrar/bindings.js';
import { LocalDomains } from '../../../../plugin/signalling/registrar/local-domains.js';
import { Registrar, type Users } from '../../../../plugin/signalling/registrar/registrar.js';
import { type Answered, fakeRequest } from './fake-request.js';

const server = '127.0.0.1:5070';
const registrarUri = `sip:${server}`;
const contact = '<sip:bob@192.0.2.7:5080>';

let now: number;
let bindings: Bindings;
let registrar: Registrar;
let sequence: number;

function start(users?: Users): void {
  now = 1_000_000;
  sequence = 0;
  bindings = new Bindings(() => now, { contactsPerUser: 3, users: 2 });
  const domains = new LocalDomains(['example.com'], () => [`udp/${server}`]);
  registrar = new Registrar({ domains, bindings, now: () => now, ...(users && { users }) });
}
beforeEach(() => start());

interface Register {
  readonly user?: string;
  readonly domain?: string;
  readonly uri?: string;
  readonly source?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function register({
  user = 'bob',
  domain = server,
  uri = registrarUri,
  source,
  headers = {},
}: Register = {}): Answered {
  const address = `<sip:${user}@${domain}>`;
  const all = { From: `${address};tag=1`, To: address, 'Call-ID': 'c1', CSeq: `${++sequence} REGISTER`, ...headers };
  const { request, answers } = fakeRequest('REGISTER', uri, all, source === undefined ? {} : { address: source });
  registrar.receive(request);
  expect(answers).toHaveLength(1);
  return answers[0] as Answered;
}

const contactsOf = (user = 'bob') => bindings.of(user).map(({ uri }) => uri);

describe('a REGISTER', () => {
  it('binds its Contact for as long as it asks for, and says so', () => {
    const answer = register({ headers: { Contact: contact, Expires: '600' } });
    expect(answer).toEqual({ status: 200, headers: { Contact: `${contact};expires=600` } });
    now += 599_000;
    expect(contactsOf()).toEqual(['sip:bob@192.0.2.7:5080']);
    now += 1_000;
    expect(contactsOf()).toEqual([]);
  });

  it.each([
    ['the parameter of the Contact counts before Expires', { Contact: `${contact};expires=300`, Expires: '600' }, 300],
    ['an hour is for those who do not ask', { Contact: contact }, 3600],
    ['an hour is the longest', { Contact: contact, Expires: '86400' }, 3600],
    ['a number that is too great is the longest too', { Contact: contact, Expires: '99999999999' }, 3600],
  ])('%s', (_, headers, expires) => {
    expect(register({ headers }).headers.Contact).toBe(`${contact};expires=${expires}`);
  });

  it('is too brief below a minute: 423', () => {
    expect(register({ headers: { Contact: contact, Expires: '59' } })).toEqual({
      status: 423,
      headers: { 'Min-Expires': '60' },
    });
    expect(contactsOf()).toEqual([]);
  });

  it('without a Contact asks which there are', () => {
    register({ headers: { Contact: contact } });
    expect(register({ headers: { Contact: '<sip:bob@192.0.2.8>' } }).status).toBe(200);
    now += 10_000;
    expect(register()).toEqual({
      status: 200,
      headers: { Contact: `<sip:bob@192.0.2.8>;expires=3590, ${contact};expires=3590` },
    });
  });

  it('refreshes the same Contact, however its host is written', () => {
    register({ headers: { Contact: '<sip:bob@Phone.Example.com:5080>' } });
    register({ headers: { Contact: '<SIP:bob@phone.example.com:5080>', 'Call-ID': 'c2' } });
    expect(contactsOf()).toEqual(['SIP:bob@phone.example.com:5080']);
  });

  it('takes one Contact back with expires=0, and all with *', () => {
    const two = `${contact}, "Bob" <sip:bob@192.0.2.8;transport=tcp>;q=0.5`;
    register({ headers: { Contact: two } });
    expect(contactsOf()).toEqual(['sip:bob@192.0.2.7:5080', 'sip:bob@192.0.2.8;transport=tcp']);
    register({ headers: { Contact: `${contact};expires=0` } });
    expect(contactsOf()).toEqual(['sip:bob@192.0.2.8;transport=tcp']);
    expect(register({ headers: { Contact: '*', Expires: '0' } })).toEqual({ status: 200, headers: {} });
    expect(contactsOf()).toEqual([]);
  });

  it.each([
    ['* that is to be kept', { Contact: '*', Expires: '60' }],
    ['* without Expires', { Contact: '*' }],
    ['* beside another Contact', { Contact: `*, ${contact}`, Expires: '0' }],
    ['no URI', { Contact: '<bob>' }],
    ['a tel URI', { Contact: '<tel:+4930>' }],
    ['no host', { Contact: '<sip:bob@>' }],
    ['a bracket that does not close', { Contact: '<sip:bob@192.0.2.7' }],
    ['a line break in it', { Contact: '<sip:bob@192.0.2.7\r\nX: 1>' }],
    ['headers in it', { Contact: '<sip:bob@192.0.2.7?Replaces=x>' }],
    ['no number of seconds', { Contact: `${contact};expires=soon` }],
    ['negative seconds', { Contact: contact, Expires: '-1' }],
    ['more Contacts than anybody has', { Contact: Array.from({ length: 21 }, (__, n) => `<sip:a@h${n}>`).join(',') }],
  ])('whose Contact has %s: 400, and nothing changes', (_, headers) => {
    register({ headers: { Contact: '<sip:bob@192.0.2.9>' } });
    expect(register({ headers }).status).toBe(400);
    expect(contactsOf()).toEqual(['sip:bob@192.0.2.9']);
  });

  it('that was overtaken by a later one changes nothing: 400', () => {
    register({ headers: { Contact: contact, CSeq: '5 REGISTER' } });
    expect(register({ headers: { Contact: '*', Expires: '0', CSeq: '4 REGISTER' } }).status).toBe(400);
    expect(contactsOf()).toHaveLength(1);
  });

  it.each([
    ['another domain', { domain: 'example.org' }],
    ['another server', { uri: 'sip:example.org' }],
    ['another port of this machine', { domain: '127.0.0.1:5071' }],
    ['a host that is only alike', { domain: '127.0.0.11' }],
    ['nobody', { user: '' }],
  ])('for %s: 404', (_, wish) => {
    expect(register({ ...wish, headers: { Contact: contact } }).status).toBe(404);
  });

  it.each(['example.com', 'EXAMPLE.com', 'example.com:5070', 'localhost:5070', 'localhost', '127.0.0.1', server])(
    'for an address in %s is for the same user',
    (domain) => {
      register({ domain, uri: `sip:${domain}`, headers: { Contact: contact } });
      expect(contactsOf()).toHaveLength(1);
    },
  );

  it('that insists on an extension: 420', () => {
    expect(register({ headers: { Contact: contact, Require: 'outbound, gruu' } })).toEqual({
      status: 420,
      headers: { Unsupported: 'outbound, gruu' },
    });
  });

  it('for more places than allowed: 403, and nothing changes', () => {
    for (const n of [1, 2, 3]) register({ headers: { Contact: `<sip:bob@192.0.2.${n}>` } });
    expect(register({ headers: { Contact: '<sip:bob@192.0.2.4>' } }).status).toBe(403);
    expect(contactsOf()).toHaveLength(3);
  });

  it('for more users than allowed: 403 until another has expired', () => {
    register({ headers: { Contact: contact } });
    register({ user: 'carol', headers: { Contact: contact, Expires: '60' } });
    expect(register({ user: 'dave', headers: { Contact: contact } }).status).toBe(403);
    now += 61_000;
    expect(register({ user: 'dave', headers: { Contact: contact } }).status).toBe(200);
  });

  it('is one too many of its address: 503 until some time has passed, and others are not concerned', () => {
    for (let count = 0; count < 100; count++) register();
    expect(register()).toEqual({ status: 503, headers: { 'Retry-After': '5' } });
    expect(register({ source: '127.0.0.2' }).status).toBe(200);
    now += 1_000;
    for (let count = 0; count < 20; count++) expect(register().status).toBe(200);
    expect(register().status).toBe(503);
  });

  it('comes from another machine: 403 unless it is said who may register', () => {
    expect(register({ source: '192.0.2.7', headers: { Contact: contact } }).status).toBe(403);
    start(new Map([['bob', undefined]]));
    expect(register({ source: '192.0.2.7', headers: { Contact: contact } }).status).toBe(200);
    expect(register({ user: 'mallory', source: '127.0.0.1', headers: { Contact: contact } }).status).toBe(403);
  });
});

describe('a user with a password', () => {
  beforeEach(() => start(new Map([['bob', 'secret']])));

  type Fields = Readonly<Record<string, string>>;

  /** The challenge's fields; both algorithms have the same nonce. */
  function challengeOf({ headers }: Answered): { nonce: string; realm: string; stale: boolean; algorithms: string[] } {
    const text = [headers['WWW-Authenticate']].flat().join('\n');
    return {
      nonce: /nonce="([^"]+)"/.exec(text)?.[1] ?? '',
      realm: /realm="([^"]+)"/.exec(text)?.[1] ?? '',
      stale: /stale=true/.test(text),
      algorithms: [...text.matchAll(/algorithm=([^,\s]+)/g)].map(([, name = '']) => name),
    };
  }

  /** Authorization as RFC 7616 section 3.4 has it, worked out without the gateway's own code. */
  function authorization(nonce: string, change: Fields = {}, password = 'secret'): string {
    const fields: Record<string, string> = {
      ...{ username: 'bob', realm: 'sono', nonce, uri: registrarUri, algorithm: 'MD5' },
      ...{ qop: 'auth', nc: '00000001', cnonce: 'xyz', ...change },
    };
    const hash = (text: string) =>
      createHash(fields.algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const a1 = hash(`${fields.username}:${fields.realm}:${password}`);
    const response = hash(
      `${a1}:${nonce}:${fields.nc}:${fields.cnonce}:${fields.qop}:${hash(`REGISTER:${fields.uri}`)}`,
    );
    return `Digest ${Object.entries({ ...fields, response })
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`;
  }

  const answered = (Authorization: string) => register({ headers: { Contact: contact, Authorization } });
  const nonce = () => challengeOf(register({ headers: { Contact: contact } })).nonce;

  it('is challenged with SHA-256 and MD5', () => {
    const answer = register({ headers: { Contact: contact } });
    expect(answer.status).toBe(401);
    expect(challengeOf(answer)).toMatchObject({ realm: 'sono', stale: false, algorithms: ['SHA-256', 'MD5'] });
    expect(contactsOf()).toEqual([]);
  });

  it.each(['MD5', 'SHA-256'])('registers with %s', (algorithm) => {
    expect(answered(authorization(nonce(), { algorithm })).status).toBe(200);
    expect(contactsOf()).toHaveLength(1);
  });

  it('uses a nonce again with a higher count, never with the same or a lower one', () => {
    const known = nonce();
    expect(answered(authorization(known, { nc: '00000002' })).status).toBe(200);
    expect(answered(authorization(known, { nc: '00000003' })).status).toBe(200);
    for (const nc of ['00000003', '00000001', '00000000']) {
      const again = answered(authorization(known, { nc }));
      expect(again.status).toBe(401);
      expect(challengeOf(again).stale).toBe(true);
    }
  });

  it('is told that its nonce is too old after five minutes, and may use another', () => {
    const old = nonce();
    now += 300_001;
    const answer = answered(authorization(old));
    expect(answer.status).toBe(401);
    expect(challengeOf(answer).stale).toBe(true);
    expect(answered(authorization(challengeOf(answer).nonce)).status).toBe(200);
  });

  it('is told the same of a nonce that is not ours', () => {
    for (const made of ['x', '', 'a.b.c', `${nonce()}0`]) {
      const answer = answered(authorization(made));
      expect(answer.status).toBe(401);
      expect(challengeOf(answer).stale).toBe(true);
    }
  });

  it.each<[string, Fields, string]>([
    ['a wrong password', {}, 'guess'],
    ['no password', {}, ''],
    ['another user', { username: 'carol' }, 'secret'],
    ['another URI', { uri: 'sip:example.org' }, 'secret'],
    ['another algorithm', { algorithm: 'SHA-512-256' }, 'secret'],
    ['another quality of protection', { qop: 'auth-int' }, 'secret'],
    ['a count that is none', { nc: '1' }, 'secret'],
    ['no cnonce', { cnonce: '' }, 'secret'],
    ['another realm', { realm: 'asterisk' }, 'secret'],
  ])('is refused with %s, and not for its nonce', (_, change, password) => {
    const answer = answered(authorization(nonce(), change, password));
    expect(answer.status).toBe(401);
    expect(challengeOf(answer).stale).toBe(false);
    expect(contactsOf()).toEqual([]);
  });

  it.each(['', 'Basic Ym9iOnNlY3JldA==', 'Digest', 'Digest realm="sono"', `Digest ${'a="b",'.repeat(2000)}`])(
    'is challenged again after %j',
    (Authorization) => {
      expect(answered(Authorization).status).toBe(401);
    },
  );
});
