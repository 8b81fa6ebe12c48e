import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, parseDialString, requestUri } from '../../../plugin/signalling/dial-string.js';

describe('dial strings', () => {
  const accepted: [string, string][] = [
    ['sip:echo@localhost', 'sip:echo@localhost'],
    ['  sip:echo@localhost ', 'sip:echo@localhost'],
    ['echo@localhost', 'sip:echo@localhost'],
    ['sip:+4930123@192.0.2.1:5070;transport=tcp', 'sip:+4930123@192.0.2.1:5070;transport=tcp'],
    ['sip:bob@[2001:db8::1]:5060', 'sip:bob@[2001:db8::1]:5060'],
    ['SIP:host.example', 'sip:host.example'],
  ];
  it.each(accepted)('%j is called as %s', (dialled, uri) => {
    expect(parseDialString(dialled)).toEqual({ uri });
  });

  const refused: [string, string][] = [
    ['sip:', 'is no SIP address'],
    ['hello world', 'is no SIP address'],
    ['sip:a@b\r\nX-Evil: 1', 'is no SIP address'],
    ['sip:a@b%0d%0a', 'is no SIP address'],
    ['"x" <sip:a@b>', 'is no SIP address'],
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
        for (const dialled of [text, `sip:${text}`, `sip:a@${text}`, `sip:a@b;${text}`]) {
          const target = parseDialString(dialled);
          if ('uri' in target) expect(target.uri).toMatch(/^[^\s<>"\p{C}]+$/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('names the transport in the Request-URI and leaves it out of To', () => {
    expect(requestUri('sip:a@b')).toBe('sip:a@b;transport=udp');
    expect(requestUri('sip:a@b;transport=TCP')).toBe('sip:a@b;transport=TCP');
    expect(addressOf('sip:a;x=1@b;transport=tcp')).toBe('<sip:a;x=1@b>');
  });
});
