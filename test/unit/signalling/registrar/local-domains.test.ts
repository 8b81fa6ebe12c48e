import { describe, expect, it } from 'vitest';
import { LocalDomains } from '../../../../plugin/signalling/registrar/local-domains.js';

const server = ['tcp/192.0.2.2:5070', 'udp/192.0.2.2:5070'];

describe('local domains', () => {
  const domains = new LocalDomains(['example.com', '[2001:db8::1]'], () => server, ['localhost']);

  it.each([
    'sip:bob@example.com',
    'sip:bob@EXAMPLE.COM:5060;transport=tcp',
    'sip:bob@example.com:5070',
    'sips:bob@example.com?Subject=x',
    'sip:example.com',
    'sip:bob@[2001:DB8::1]:5070',
    'sip:bob@192.0.2.2:5070',
    'sip:bob@localhost:5070',
    'sip:bob@localhost',
  ])('have %s', (uri) => expect(domains.has(uri)).toBe(true));

  it.each([
    'sip:bob@example.org',
    'sip:bob@sub.example.com',
    'sip:bob@example.com.org',
    'sip:example.com@example.org',
    'sip:bob@example.com:5080',
    'sip:bob@192.0.2.2',
    'sip:bob@192.0.2.22:5070',
    'tel:+4930',
    '',
  ])('do not have %s', (uri) => expect(domains.has(uri)).toBe(false));

  it('have addresses without the port of the server, in requests that came to it', () => {
    expect(domains.hasHere('sip:bob@192.0.2.2')).toBe(true);
    expect(domains.hasHere('sip:192.0.2.2;transport=tcp')).toBe(true);
    expect(domains.hasHere('sip:bob@192.0.2.3')).toBe(false);
  });

  it('stand in addresses that have none: the first that was configured, else the address of the server', () => {
    expect(domains.preferred).toBe('example.com');
    expect(new LocalDomains([], () => server, ['localhost']).preferred).toBe('192.0.2.2:5070');
    expect(new LocalDomains([], () => ['udp/127.0.0.1:5060']).preferred).toBe('127.0.0.1');
    expect(new LocalDomains([], () => []).preferred).toBeUndefined();
  });
});
