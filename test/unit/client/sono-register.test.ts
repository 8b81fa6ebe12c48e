import type { AmfValue } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { readRegister } from '../../../plugin/client/dialects/sono-register.js';

describe('the arguments of register', () => {
  it.each([[[]], [[null]], [['']], [[undefined]]])('%j: a made-up address', (args) => {
    expect(readRegister(args as AmfValue[])).toBe('made-up address');
  });

  const read: [AmfValue[], object][] = [
    [['bob', 'example.com'], { address: 'sip:bob@example.com', registrar: 'sip:example.com;transport=udp' }],
    [['bob@example.com'], { address: 'sip:bob@example.com', registrar: 'sip:example.com;transport=udp' }],
    [['sip:bob@example.com', null], { address: 'sip:bob@example.com', registrar: 'sip:example.com;transport=udp' }],
    [
      ['bob@example.com', 'sip:192.0.2.1:5070;transport=tcp', 'secret'],
      {
        address: 'sip:bob@example.com',
        registrar: 'sip:192.0.2.1:5070;transport=tcp',
        credentials: { user: 'bob', password: 'secret' },
      },
    ],
    [
      ['bob', '192.0.2.1:5070', { user: 'auth-bob', password: 'secret' }],
      {
        address: 'sip:bob@192.0.2.1:5070',
        registrar: 'sip:192.0.2.1:5070;transport=udp',
        credentials: { user: 'auth-bob', password: 'secret' },
      },
    ],
  ];
  it.each(read)('%j', (args, wish) => expect(readRegister(args)).toEqual(wish));

  const refused: AmfValue[][] = [
    [1],
    ['bob'],
    ['bob', 1],
    ['b b', 'example.com'],
    ['bob@a@b'],
    ['bob\r\nX: 1', 'example.com'],
    ['bob', 'example.com\r\nX: 1'],
    ['bob', 'example.com>'],
    ['bob@"x"', 'example.com'],
    ['bob', 'example.com', 7],
    ['bob', 'example.com', { user: 'bob' }],
  ];
  it.each(refused.map((args) => [args]))('%j is refused in words', (args) => {
    expect(readRegister(args)).toEqual({ refusal: expect.any(String) });
  });
});
