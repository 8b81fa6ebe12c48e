import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, headersOf, parseDialString, requestUri } from '../../../plugin/signalling/addresses/dial-string.js';

describe('dial strings', () => {
  const accepted: [string, string][] = [
    ['sip:echo@localhost', 'sip:echo@localhost'],
    ['  sip:echo@localhost ', 'sip:echo@localhost'],
    ['echo@localhost', 'sip:echo@localhost'],
    ['sip:+4930123@192.0.2.1:5070;transport=tcp', 'sip:+4930123@192.0.2.1:5070;transport=tcp'],
    ['sip:bob@[2001:db8::1]:5060', 'sip:bob@[2001:db8::1]:5060'],
    ['SIP:host.example', 'sip:host.example'],
    ['"Bob B." <sip:bob@example.com>', 'sip:bob@example.com'],
    ['Bob <bob@example.com>;tag=1', 'sip:bob@example.com'],
    ['"a \\"quoted\\" <name>" <sip:bob@example.com>', 'sip:bob@example.com'],
    ['<sip:bob@example.com;user=phone>', 'sip:bob@example.com;user=phone'],
    ['100', 'sip:100@pbx.example:5070'],
    ['bob', 'sip:bob@pbx.example:5070'],
    ['+49 (30) 123-45.67', 'sip:+49301234567@pbx.example:5070'],
    ['*72#', 'sip:*72%23@pbx.example:5070'],
    ['tel:+49-30-1234', 'sip:+49301234@pbx.example:5070;user=phone'],
    ['tel:863-1234;phone-context=+1-914', 'sip:+19148631234@pbx.example:5070;user=phone'],
    ['tel:7042;phone-context=example.com', 'sip:7042@example.com;user=phone'],
    ['TEL:100', 'sip:100@pbx.example:5070;user=phone'],
    ['sip:bob@example.com?Subject=Hi%20there&X-Queue=7', 'sip:bob@example.com?Subject=Hi%20there&X-Queue=7'],
  ];
  const rules = { domain: 'pbx.example:5070' };
  it.each(accepted)('%j is called as %s', (dialled, uri) => {
    expect(parseDialString(dialled, rules)).toEqual({ uri });
  });

  it('may ask for TLS where there is an address for it', () => {
    for (const uri of ['sips:bob@example.com', 'sip:bob@example.com;transport=tls']) {
      expect(parseDialString(uri, { tls: true })).toEqual({ uri });
      expect(parseDialString(uri)).toEqual({ refusal: expect.stringContaining('TLS') });
    }
  });

  it('without a domain need one', () => {
    for (const dialled of ['100', 'bob', 'tel:100']) {
      expect(parseDialString(dialled)).toEqual({ refusal: expect.stringContaining('has no domain') });
    }
  });

  const refused: [string, string][] = [
    ['sip:', 'is no SIP address'],
    ['hello world', 'is no SIP address'],
    ['sip:a@b\r\nX-Evil: 1', 'is no SIP address'],
    ['sip:a@b%0d%0a', 'is no SIP address'],
    ['"x <sip:a@b>', 'is no SIP address'],
    ['<sip:a@b', 'is no SIP address'],
    ['<>', 'is no SIP address'],
    ['tel:call-me', 'is no SIP address'],
    ['sip:a@b?From=evil', 'the header "From", which a caller may not set'],
    ['sip:a@b?Subject=x&Call-ID=1', 'the header "Call-ID"'],
    ['sip:a@b?Subject=a%0d%0aVia:%20x', 'a header that is not valid'],
    ['sip:a@b?Subject=%zz', 'a header that is not valid'],
    ['http://example.com/', 'is no SIP address'],
    ['sips:bob@example.com', 'TLS'],
    ['sip:bob@[:::]', 'IPv6'],
    ['sip:bob@host:99999', 'a port is a number from 1 to 65535'],
    [`sip:${'a'.repeat(2000)}@b`, 'at most 1024'],
  ];
  it.each(refused)('%j is refused', (dialled, words) => {
    expect(parseDialString(dialled)).toEqual({ refusal: expect.stringContaining(words) });
  });

  it('never lets white space, control characters, quotes or angle brackets through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const dialled of [
          text,
          `sip:${text}`,
          `sip:a@${text}`,
          `sip:a@b;${text}`,
          `tel:1${text}`,
          `<${text}>`,
          `sip:a@b?x-a=${text}`,
        ]) {
          const target = parseDialString(dialled, rules);
          if (!('uri' in target)) continue;
          expect(target.uri).toMatch(/^[^\s<>"\p{C}]+$/u);
          for (const value of Object.values(headersOf(target.uri))) expect(value).not.toMatch(/\p{C}/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('names the transport in the Request-URI and leaves it out of To', () => {
    expect(requestUri('sip:a@b')).toBe('sip:a@b;transport=udp');
    expect(requestUri('sip:a@b;transport=TCP')).toBe('sip:a@b;transport=TCP');
    expect(addressOf('sip:a;x=1@b;transport=tcp')).toBe('<sip:a;x=1@b>');
    expect(requestUri('sips:a@b')).toBe('sips:a@b');
  });

  it('gives the headers of the URI to the INVITE, and to nothing else', () => {
    const uri = 'sip:who?ever@b;x=1?Subject=Hi%20there&X-A=1';
    expect(headersOf(uri)).toEqual({ Subject: 'Hi there', 'X-A': '1' });
    expect(requestUri(uri)).toBe('sip:who?ever@b;x=1;transport=udp');
    expect(addressOf(uri)).toBe('<sip:who?ever@b>');
    expect(headersOf('sip:who?ever@b')).toEqual({});
  });
});
