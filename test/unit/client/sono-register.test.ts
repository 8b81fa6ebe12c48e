import type { AmfValue } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { readRegister } from '../../../plugin/client/dialects/sono-register.js';

/** No registrar is configured. */
const nowhere = () => undefined;

describe('the arguments of register', () => {
  it.each([[[]], [[null]], [['']], [[undefined]]])('%j: a made-up address', (args) => {
    expect(readRegister(args as AmfValue[], nowhere)).toBe('made-up address');
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
  it.each(read)('%j', (args, wish) => expect(readRegister(args, nowhere)).toEqual(wish));

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
    expect(readRegister(args, nowhere)).toEqual({ refusal: expect.any(String) });
  });

  describe('where a registrar is configured', () => {
    const home = (domain: string | undefined) => ({
      ...{ domain: domain ?? 'pbx.example', registrar: 'sip:192.0.2.9:5070', local: false },
    });

    it.each<[AmfValue[], string, string]>([
      [['bob'], 'sip:bob@pbx.example', 'sip:192.0.2.9:5070;transport=udp'],
      [['bob', null, 'secret'], 'sip:bob@pbx.example', 'sip:192.0.2.9:5070;transport=udp'],
      [['bob@example.com'], 'sip:bob@example.com', 'sip:192.0.2.9:5070;transport=udp'],
      [['bob', 'example.com'], 'sip:bob@example.com', 'sip:example.com;transport=udp'],
    ])('%j', (args, address, registrar) => {
      expect(readRegister(args, home)).toMatchObject({ address, registrar });
    });
  });
});
