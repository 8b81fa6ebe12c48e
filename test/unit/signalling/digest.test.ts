import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorize, readChallenge } from '../../../plugin/signalling/drachtio/digest.js';

// RFC 7616 section 3.9.1.
const fields =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const mufasa = { user: 'Mufasa', password: 'Circle of Life' };
const get = {
  method: 'GET',
  uri: '/dir/index.html',
  count: 1,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

describe('digest authentication', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers with %s as in RFC 7616', (algorithm, response) => {
    const challenge = readChallenge(`Digest ${fields}, algorithm=${algorithm}`);
    expect(challenge).toBeDefined();
    if (!challenge) return;
    expect(authorize(challenge, mufasa, get)).toBe(
      `Digest username="Mufasa", realm="http-auth@example.org", nonce="${challenge.nonce}", uri="/dir/index.html", ` +
        `response="${response}", algorithm=${algorithm}, opaque="${challenge.opaque}", qop=auth, nc=00000001, cnonce="${get.cnonce}"`,
    );
  });

  it('answers without qop as in RFC 2069', () => {
    const challenge = readChallenge('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"');
    expect(challenge).toMatchObject({ algorithm: 'MD5', qop: false });
    if (!challenge) return;
    const header = authorize(challenge, { user: 'Mufasa', password: 'CircleOfLife' }, get);
    expect(header).toContain('response="1949323746fe6a43ef61f9606e7febea"');
    expect(header).not.toContain('qop');
  });

  it('takes the first challenge that it can answer, also of several in one header', () => {
    const header =
      'Digest realm="a", nonce="1", algorithm=SHA-512-256,Digest realm="b", nonce="2", algorithm=SHA-256, stale=TRUE';
    expect(readChallenge(header)).toMatchObject({ realm: 'b', nonce: '2', hash: 'sha256', stale: true });
  });

  it.each([
    '',
    'Basic realm="x"',
    'Digest',
    'Digest realm="x"',
    'Digest nonce="x"',
    'Digest realm="x", nonce="y", qop="auth-int"',
  ])('cannot answer %j', (header) => expect(readChallenge(header)).toBeUndefined());

  it('keeps quotes, backslashes and line breaks of credentials inside their quotes', () => {
    const challenge = readChallenge('Digest realm="r", nonce="n"');
    if (!challenge) return expect.unreachable();
    const header = authorize(challenge, { user: 'a"b\\c\r\nX-Evil: 1', password: 'p' }, get);
    expect(header).toContain('username="a\\"b\\\\c  X-Evil: 1"');
    expect(header).not.toMatch(/[\r\n]/);
  });

  it('survives any challenge', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        readChallenge(text);
        readChallenge(`Digest realm="r", nonce="n", ${text}`);
      }),
    );
  });
});
