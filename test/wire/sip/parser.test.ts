import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerDisplayName, headerKey } from '../../../plugin/embedded-sip/src/message/header-name.js';
import { Headers, splitList } from '../../../plugin/embedded-sip/src/message/headers.js';
import { tagOf } from '../../../plugin/embedded-sip/src/message/message.js';
import { parseMessage } from '../../../plugin/embedded-sip/src/message/parser.js';
import { responseHead, serialise } from '../../../plugin/embedded-sip/src/message/serialise.js';

const limits = { lineBytes: 8192, headerCount: 64 };

const INVITE = [
  'INVITE sip:1000@127.0.0.1:5060 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:15070;branch=z9hG4bK-6193-1-0',
  'From: "Alice A" <sip:alice@127.0.0.1:15070>;tag=abc',
  'To: <sip:1000@127.0.0.1:5060>',
  'Call-ID: 1-6193@127.0.0.1',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@127.0.0.1:15070>',
  'Max-Forwards: 70',
  'Content-Type: application/sdp',
  'Content-Length:   5',
];

/** A request with lines changed: a line that begins like an old one replaces it, `-Name` takes it away. */
function message(changes: readonly string[] = [], body = 'v=0\r\n', base = INVITE): string {
  const lines = [...base];
  for (const change of changes) {
    const name = change.startsWith('-') ? change.slice(1) : change.slice(0, change.indexOf(':'));
    const at = lines.findIndex((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    if (change.startsWith('-')) lines.splice(at, 1);
    else if (at === -1) lines.push(change);
    else lines[at] = change;
  }
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function parse(text: string) {
  const outcome = parseMessage(text, limits);
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.message;
}

describe('requests', () => {
  it('gives every part, and the text as it was', () => {
    const text = message();
    const request = parse(text);
    expect(request).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      uri: 'sip:1000@127.0.0.1:5060',
      callId: '1-6193@127.0.0.1',
      cseq: { number: 1, method: 'INVITE' },
      body: 'v=0\r\n',
      text,
      via: { transport: 'udp', host: '127.0.0.1', port: 15070 },
      from: { display: '"Alice A"', uri: 'sip:alice@127.0.0.1:15070' },
    });
    expect(tagOf(request.from)).toBe('abc');
    expect(tagOf(request.to)).toBeUndefined();
    expect(request.headers.get('max-forwards')).toBe('70');
  });

  it('reads compact forms, folding and odd spacing', () => {
    const text = [
      'OPTIONS sip:a@b SIP/2.0',
      'v: SIP / 2.0 / UDP first.example : 4000 ;branch=z9hG4bK1',
      'f:<sip:a@b>;tag=1',
      't : <sip:a@b>',
      'i: x',
      'CSEQ: 007\t OPTIONS',
      'Subject: one',
      '  two',
      '\tthree',
      'l: 0',
      '',
      '',
    ].join('\r\n');
    const request = parse(text);
    expect(request.via).toMatchObject({ host: 'first.example', port: 4000 });
    expect(request.headers.get('subject')).toBe('one two three');
    expect(request.cseq).toEqual({ number: 7, method: 'OPTIONS' });
    expect(request.text).toBe(text);
  });

  it('cuts off what follows the announced body', () => {
    const request = parse(message([], 'v=0\r\ntrailing'));
    expect(request.body).toBe('v=0\r\n');
    expect(request.text.endsWith('\r\n\r\nv=0\r\n')).toBe(true);
  });

  it('takes everything as the body when Content-Length is missing from a datagram', () => {
    expect(parse(message(['-Content-Length'], 'v=0\r\nabc')).body).toBe('v=0\r\nabc');
  });

  it('keeps bytes above 127 one to one', () => {
    const text = Buffer.from(message(['Subject: gr\u00fc\u00dfe \u2603']), 'utf8').toString('latin1');
    expect(Buffer.from(parse(text).text, 'latin1').toString('utf8')).toContain('gr\u00fc\u00dfe \u2603');
  });
});

describe('responses', () => {
  const base = ['SIP/2.0 180 Ringing', ...INVITE.slice(1, 6)];
  it('gives status and reason', () => {
    expect(parse(message([], '', base))).toMatchObject({ kind: 'response', status: 180, reason: 'Ringing' });
    expect(parse(message([], '', ['SIP/2.0 200', ...base.slice(1)]))).toMatchObject({ status: 200, reason: '' });
  });
  it.each(['SIP/2.0 099 X', 'SIP/2.0 700 X', 'SIP/2.0 20 X', 'SIP/3.0 200 OK', 'SIP/2.0 200OK'])(
    'refuses %s',
    (line) => {
      expect(parseMessage(message([], '', [line, ...base.slice(1)]), limits)).toMatchObject({ ok: false });
    },
  );
});

describe('malformed requests', () => {
  const cases: [string, string, number][] = [
    ['no From', message(['-From']), 400],
    ['a Via that is none', message(['Via: UDP 1.2.3.4']), 400],
    ['a Via with an empty parameter', message(['Via: SIP/2.0/UDP h;;branch=z9hG4bK1']), 400],
    ['a Via of another version', message(['Via: SIP/7.0/UDP h;branch=z9hG4bK1']), 400],
    ['an empty Contact', message(['Contact: ']), 400],
    ['a Contact with empty parameters', message(['Contact: "Joe" <sip:joe@example.org>;;']), 400],
    ['a Contact with ? outside brackets', message(['Contact: sip:a@b?Route=x']), 400],
    ['a second Contact that is none', message(['Contact: <sip:a@b>, nobody']), 400],
    ['From with a comma outside quotes', message(['From: Bell, Alexander <sip:a@b>;tag=1']), 400],
    ['From with a display name that is no token', message(['From: a@b <sip:a@b>;tag=1']), 400],
    ['To with a trailing semicolon', message(['To: <sip:a@b>;']), 400],
    ['To with a parameter without a name', message(['To: <sip:a@b>;=1']), 400],
    ['brackets around the Request-URI', message().replace('sip:1000@127.0.0.1:5060 SIP', '<sip:1000@h> SIP'), 400],
    ['no To', message(['-To']), 400],
    ['no Call-ID', message(['-Call-ID']), 400],
    ['no CSeq', message(['-CSeq']), 400],
    ['CSeq of another method', message(['CSeq: 1 BYE']), 400],
    ['CSeq without a number', message(['CSeq: x INVITE']), 400],
    ['CSeq above 32 bits', message(['CSeq: 4294967296 INVITE']), 400],
    ['two From headers', message().replace('To: ', 'From: <sip:x@y>\r\nTo: '), 400],
    ['two Call-IDs, one compact', message().replace('To: ', 'i: other\r\nTo: '), 400],
    ['From without end of its bracket', message(['From: <sip:a@b;tag=1']), 400],
    ['From with an unfinished string', message(['From: "a <sip:a@b>;tag=1']), 400],
    ['Content-Length beyond the end', message(['Content-Length: 6']), 400],
    ['negative Content-Length', message(['Content-Length: -1']), 400],
    ['Content-Length that is no number', message(['Content-Length: 5x']), 400],
    ['a header without a colon', message().replace('To: ', 'nonsense\r\nTo: '), 400],
    ['a header name with a space', message(['Sub ject: x']), 400],
    ['a lone LF in a header', message(['Subject: a\nRoute: <sip:evil>']), 400],
    ['a lone CR in a header', message(['Subject: a\rb']), 400],
    ['a NUL in a header', message(['Subject: a\0b']), 400],
    ['a space in the Request-URI', message().replace('sip:1000@127.0.0.1:5060 SIP', 'sip:10 00@127.0.0.1 SIP'), 400],
    ['another version', message().replace('SIP/2.0', 'SIP/7.0'), 505],
    ['a header line above the limit', message([`Subject: ${'x'.repeat(8300)}`]), 400],
    ['a body line above the limit', message(['Content-Length: 8300'], 'v'.repeat(8300)), 400],
    ['too many headers', message().replace('To: ', `${'X-A: 1\r\n'.repeat(70)}To: `), 400],
  ];
  it.each(cases)('%s: answerable', (_what, text, status) => {
    const outcome = parseMessage(text, limits);
    expect(outcome).toMatchObject({ ok: false, status, answerable: { method: 'INVITE' } });
  });

  it.each([
    ['empty', ''],
    ['no end of the headers', message().slice(0, 120)],
    ['no Via', message(['-Via'])],
    ['no method', message().replace('INVITE sip', ' sip')],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s: not answerable', (_what, text) => {
    const outcome = parseMessage(text, limits);
    expect(outcome.ok).toBe(false);
    expect(outcome).not.toHaveProperty('answerable');
  });

  it('is total: a cut or garbled message never throws', () => {
    const text = message();
    for (let length = 0; length < text.length; length++) {
      expect(parseMessage(text.slice(0, length), limits).ok).toBe(false);
    }
    const place = fc.integer({ min: 0, max: text.length - 1 });
    const garbled = fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(garbled, (changes) => {
        const characters = [...text];
        for (const [at, code] of changes) characters[at] = String.fromCharCode(code);
        const outcome = parseMessage(characters.join(''), limits);
        return outcome.ok ? outcome.message.callId !== '' : outcome.reason !== '';
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        (noise) => typeof parseMessage(noise, limits).ok === 'boolean',
      ),
    );
  });

  it('parses in bounded time what is made to be slow', () => {
    const hostile = [
      message([`Via: SIP/2.0/UDP a;${' '.repeat(8000)}x`]),
      message([`From: ${'"\\'.repeat(4000)}`]),
      message([`To: ${'<'.repeat(8000)}`]),
      message([`Contact: ${',;="<'.repeat(1600)}`]),
      message([`Contact: <sip:a@b>;${'a= '.repeat(2600)}"`]),
      message([`Via: SIP/2.0/UDP h;a${' '.repeat(8000)}=${' '.repeat(8000)}"`]),
      message([`From: ${'a '.repeat(4000)}@ <sip:a@b>`]),
      message([`Subject: x${'\r\n '.repeat(20_000)}y`]),
    ];
    const start = performance.now();
    for (const text of hostile) parseMessage(text, limits);
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('headers', () => {
  it.each([
    ['i', 'call-id'],
    ['L', 'content-length'],
    ['x', 'session-expires'],
    ['Q', 'q'],
    ['WWW-Authenticate', 'www-authenticate'],
  ])('%s is looked up as %s', (name, key) => expect(headerKey(name)).toBe(key));

  it.each([
    ['foo-bar', 'Foo-Bar'],
    ['cseq', 'CSeq'],
    ['call-id', 'Call-ID'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['x-lower-Case', 'x-lower-Case'],
    ['X-Sono', 'X-Sono'],
    ['m', 'Contact'],
  ])('%s is written as %s', (name, shown) => expect(headerDisplayName(name)).toBe(shown));

  it.each([
    ['', []],
    ['a', ['a']],
    ['a , b', ['a', 'b']],
    ['"x,y" <sip:a@b?p=1,2>;q=1, <sip:c@d>', ['"x,y" <sip:a@b?p=1,2>;q=1', '<sip:c@d>']],
    ['"quo\\"te,d" <sip:a@b>', ['"quo\\"te,d" <sip:a@b>']],
    [',,a,', ['a']],
  ])('splits %j', (value, elements) => expect(splitList(value)).toEqual(elements));

  it('keeps the order and finds by name', () => {
    const headers = new Headers([
      ['Route', '<sip:a;lr>, <sip:b;lr>'],
      ['X', '1'],
      ['route', '<sip:c;lr>'],
    ]);
    expect(headers.list('route')).toEqual(['<sip:a;lr>', '<sip:b;lr>', '<sip:c;lr>']);
    expect([...headers].map(({ name }) => name)).toEqual(['Route', 'X', 'route']);
  });
});

describe('serialising', () => {
  it('writes Content-Length by itself', () => {
    expect(serialise('ACK sip:a SIP/2.0', [['To', '<sip:a>']])).toBe(
      'ACK sip:a SIP/2.0\r\nTo: <sip:a>\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it.each([
    ['<sip:b@b>', '<sip:b@b>;tag=T'],
    ['sip:b@b', 'sip:b@b;tag=T'],
    ['<sip:b@b;tag=uri>', '<sip:b@b;tag=uri>;tag=T'],
    ['<sip:b@b> ; tag = theirs', '<sip:b@b> ; tag = theirs'],
  ])('answers To: %s with %s', (to, expected) => {
    const head = responseHead(new Headers([['To', to]]), 'T');
    expect(head).toEqual([['To', expected]]);
  });

  it('parses back what it writes', () => {
    const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), fc.string({ unit: 'binary', maxLength: 200 }), (values, body) => {
        const latin = Buffer.from(body).toString('latin1');
        const lines = INVITE.slice(1, 6).map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
        const text = serialise(INVITE[0] ?? '', [...lines, ...values.map((text) => ['X-T', text] as const)], latin);
        const parsed = parse(text);
        expect(parsed.headers.all('x-t')).toEqual(values);
        expect(parsed.body).toBe(latin);
        expect(parsed.text).toBe(text);
      }),
    );
  });
});
