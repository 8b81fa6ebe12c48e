import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatNameAddr,
  parseNameAddr,
  withoutTag,
  withTag,
} from '../../../plugin/embedded-sip/src/message/name-addr.js';
import { parseSipUri } from '../../../plugin/embedded-sip/src/message/uri.js';
import { parseVia, stampVia } from '../../../plugin/embedded-sip/src/message/via.js';

describe('SIP URIs', () => {
  it.each([
    ['sip:alice@example.com', { scheme: 'sip', user: 'alice', host: 'example.com', port: undefined }],
    ['SIPS:Alice@EXAMPLE.com:5061', { scheme: 'sips', user: 'Alice', host: 'example.com', port: 5061 }],
    ['sip:example.com', { user: undefined, host: 'example.com' }],
    ['sip:bob:secret@h', { user: 'bob', password: 'secret', host: 'h' }],
    ['sip:+1-(2)@h;user=phone', { user: '+1-(2)', host: 'h' }],
    ['sip:a;x=1@h:1;transport=TCP;lr?Subject=x', { user: 'a;x=1', host: 'h', port: 1, headers: 'Subject=x' }],
    ['sip:[::1]:5060', { host: '::1', port: 5060 }],
    ['sip:u@[2001:DB8::1]', { user: 'u', host: '2001:db8::1' }],
    ['sip:_under.score', { host: '_under.score' }],
  ])('%s', (text, expected) => expect(parseSipUri(text)).toMatchObject(expected));

  it('reads parameters without regard to case of their names', () => {
    expect(parseSipUri('sip:h;Transport=TCP;lr')?.params).toEqual(
      new Map([
        ['transport', 'TCP'],
        ['lr', ''],
      ]),
    );
  });

  it.each([
    '',
    'sip',
    'sip:',
    'sip:@h',
    'sip:u@',
    'sip:h:',
    'sip:h:0',
    'sip:h:65536',
    'sip:h:5060x',
    'sip:[::1',
    'sip:::1',
    'sip:a b@h',
    'sip:a@h\r\nVia: x',
    'sip:-h',
    'tel:+123',
    'http://h',
    '<sip:h>',
  ])('refuses %j', (text) => expect(parseSipUri(text)).toBeUndefined());

  it('is total', () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => parseSipUri(`sip:${text}`)?.host !== ''));
  });
});

describe('name-addr and addr-spec', () => {
  it.each([
    ['<sip:a@b>', '', 'sip:a@b', {}],
    ['"A \\"B\\" <x>" <sip:a@b;lr>;tag=1;x', '"A \\"B\\" <x>"', 'sip:a@b;lr', { tag: '1', x: '' }],
    ['Alice Smith <sip:a@b>;tag=1', 'Alice Smith', 'sip:a@b', { tag: '1' }],
    ['sip:a@b;tag=1', '', 'sip:a@b', { tag: '1' }],
    ['<tel:+1> ; tag = 2', '', 'tel:+1', { tag: '2' }],
    ['sip:2000@h;transport=udp', '', 'sip:2000@h', { transport: 'udp' }],
    ['<sip:a@b>;q="x;tag=no"', '', 'sip:a@b', { q: '"x;tag=no"' }],
  ])('%s', (text, display, uri, params) => {
    const address = parseNameAddr(text);
    expect(address).toMatchObject({ display, uri });
    expect(Object.fromEntries(address?.params ?? [])).toEqual(params);
  });

  it.each(['', '<>', '<sip:a', 'alice', '"x" sip:a@b', '<sip:a@b> x', '<sip:a @b>'])('refuses %j', (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });

  it('adds and takes away a tag', () => {
    const address = parseNameAddr('sip:a@b;x=y');
    if (!address) throw new Error('fixture');
    expect(formatNameAddr(withTag(address, 'T'))).toBe('<sip:a@b>;x=y;tag=T');
    expect(formatNameAddr(withoutTag(withTag(address, 'T')))).toBe('<sip:a@b>;x=y');
  });
});

describe('Via', () => {
  it.each([
    ['SIP/2.0/UDP 1.2.3.4:5070;branch=z9hG4bK1', { transport: 'udp', host: '1.2.3.4', port: 5070 }],
    ['SIP/2.0/TCP host.example', { transport: 'tcp', host: 'host.example', port: undefined }],
    ['sip / 2.0 / tls [::1] : 5061 ; a', { transport: 'tls', host: '::1', port: 5061 }],
  ])('%s', (text, expected) => expect(parseVia(text)).toMatchObject(expected));

  it.each(['', 'SIP/2.0/UDP', 'SIP/1.0/UDP h', 'SIP/2.0/UDP h:99999', 'SIP/2.0 UDP h'])('refuses %j', (text) => {
    expect(parseVia(text)).toBeUndefined();
  });

  it.each([
    // RFC 3581: an empty rport is filled in; the drachtio server adds it even when it was not asked for.
    ['SIP/2.0/UDP 127.0.0.1:1;branch=b', 'SIP/2.0/UDP 127.0.0.1:1;branch=b;rport=99'],
    ['SIP/2.0/UDP 127.0.0.1;rport;branch=b', 'SIP/2.0/UDP 127.0.0.1;rport=99;branch=b'],
    ['SIP/2.0/UDP 127.0.0.1;branch=b;rport', 'SIP/2.0/UDP 127.0.0.1;branch=b;rport=99'],
    ['SIP/2.0/UDP 127.0.0.1;rport=7;branch=b', 'SIP/2.0/UDP 127.0.0.1;rport=7;branch=b'],
    // RFC 3261 18.2.1: another address than sent-by is noted.
    ['SIP/2.0/UDP pc.example;branch=b', 'SIP/2.0/UDP pc.example;branch=b;rport=99;received=127.0.0.1'],
  ])('stamps %s', (element, stamped) => {
    const via = parseVia(element);
    if (!via) throw new Error('fixture');
    expect(stampVia(element, via, '127.0.0.1', 99)).toBe(stamped);
  });
});
