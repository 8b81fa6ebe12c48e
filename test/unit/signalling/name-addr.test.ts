import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNameAddr, splitAddresses, userOf } from '../../../plugin/signalling/addresses/name-addr.js';

describe('an address in a header', () => {
  it.each([
    ['<sip:bob@example.com>', 'sip:bob@example.com', undefined, {}],
    ['"Bob" <sip:bob@example.com>;tag=1', 'sip:bob@example.com', 'Bob', { tag: '1' }],
    [
      'Bob B <sip:bob@example.com;transport=tcp>;tag=1;q=0.5',
      'sip:bob@example.com;transport=tcp',
      'Bob B',
      { tag: '1', q: '0.5' },
    ],
    ['sip:bob@example.com;tag=1', 'sip:bob@example.com', undefined, { tag: '1' }],
    ['"B \\"x\\" <sip:evil@x>" <sip:bob@example.com>', 'sip:bob@example.com', 'B "x" <sip:evil@x>', {}],
    ['<tel:+4930123>;Tag=A', 'tel:+4930123', undefined, { tag: 'A' }],
  ] as const)('%s', (text, uri, displayName, parameters) => {
    const parsed = parseNameAddr(text);
    expect(parsed?.uri).toBe(uri);
    expect(parsed?.displayName).toBe(displayName);
    expect(Object.fromEntries(parsed?.parameters ?? [])).toEqual(parameters);
  });

  it.each(['', 'bob', '<>', '"Bob"', '<bob@example.com>', '<sip:a b@x>'])('%j is none', (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });
});

it('addresses are split at commas that are not part of one', () => {
  expect(splitAddresses('"A, B" <sip:a@x>;q=1, <sip:b,c@x> , sip:d@x')).toEqual([
    '"A, B" <sip:a@x>;q=1',
    '<sip:b,c@x>',
    'sip:d@x',
  ]);
  expect(splitAddresses('sip:a@x, <sip:b@x, sip:c@x')).toEqual(['sip:a@x', '<sip:b@x, sip:c@x']);
  expect(splitAddresses('sip:a@x, "B, <sip:b@x>')).toEqual(['sip:a@x', '"B, <sip:b@x>']);
});

it.each([
  ['sip:bob@example.com', 'bob'],
  ['sips:b%20ob@example.com;transport=tcp', 'b ob'],
  ['sip:bob:secret@example.com', 'bob'],
  ['sip:b%zz@example.com', 'b%zz'],
  ['sip:example.com', ''],
])('the user of %s is %j', (uri, user) => expect(userOf(uri)).toBe(user));

it('anything is read or refused, in time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), (text) => {
      parseNameAddr(text);
      splitAddresses(text);
      userOf(text);
    }),
  );
  // A header of many lines may be as long as a datagram.
  const bad = ['"', '"\\', '<', ' ', ' ;a=', ';', '; ', '"<', '\\"', ',', ' <', ';a ', ';a = '];
  for (const text of bad) {
    const long = text.repeat(65_536 / text.length);
    for (const header of [long, `${long}x`, `"${long}`, `<sip:a@b>${long}`]) {
      const began = performance.now();
      parseNameAddr(header);
      splitAddresses(header);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  }
});
