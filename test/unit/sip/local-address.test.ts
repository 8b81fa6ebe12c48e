import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { LocalAddress } from '../../../plugin/embedded-sip/src/transport/local-address.js';

describe('the address shown to a peer', () => {
  it.each([
    ['127.0.0.1', undefined, '127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '203.0.113.9', '127.0.0.1', '127.0.0.1'],
    ['192.0.2.1', undefined, '198.51.100.1', '192.0.2.1'],
    ['192.0.2.1', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['192.0.2.1', '203.0.113.9', '127.0.0.1', '192.0.2.1'],
    ['0.0.0.0', undefined, '127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['::', undefined, '::1', '::1'],
  ])('bound to %s, advertising %s, facing %s: %s', (bound, advertised, peer, shown) => {
    expect(new LocalAddress(bound, advertised).facing(peer)).toBe(shown);
  });

  it('bound to every address, it is one of the host', () => {
    const shown = new LocalAddress('0.0.0.0', undefined).facing('198.51.100.1');
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    expect(all.map(({ address }) => address)).toContain(shown);
  });
});

describe('what is ours', () => {
  it.each([
    ['127.0.0.1', undefined, 'localhost', true],
    ['127.0.0.1', undefined, '127.0.0.1', true],
    ['127.0.0.1', undefined, '127.0.0.2', false],
    ['127.0.0.1', 'pbx.example', 'pbx.example', true],
    ['127.0.0.1', undefined, 'pbx.example', false],
    ['0.0.0.0', undefined, '127.0.0.1', true],
    ['0.0.0.0', undefined, '198.51.100.1', false],
  ])('bound to %s, advertising %s: %s is ours: %s', (bound, advertised, host, ours) => {
    expect(new LocalAddress(bound, advertised).isOurs(host)).toBe(ours);
  });
});
