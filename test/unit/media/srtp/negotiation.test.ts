import { describe, expect, it } from 'vitest';
import type { CryptoAttribute, MediaDescription } from '../../../../plugin/call/session-description.js';
import { SrtpNegotiation, type SrtpPolicy } from '../../../../plugin/media/negotiation/srtp.js';

const base64 = (length: number, fill: number): string => Buffer.alloc(length, fill).toString('base64');
const sha80: CryptoAttribute = {
  tag: 1,
  suite: 'AES_CM_128_HMAC_SHA1_80',
  keyParameters: `inline:${base64(30, 0xaa)}`,
};
const gcm: CryptoAttribute = { tag: 7, suite: 'AEAD_AES_128_GCM', keyParameters: `inline:${base64(28, 0xbb)}` };
const unknown: CryptoAttribute = { tag: 3, suite: 'AES_256_CM_HMAC_SHA1_80', keyParameters: 'inline:AAAA' };

/** Octets that count up from one key to the next. */
function negotiation(policy: SrtpPolicy): SrtpNegotiation {
  let keys = 0;
  return new SrtpNegotiation(policy, (length) => Buffer.alloc(length, ++keys));
}

function section(protocol: string, ...crypto: CryptoAttribute[]): MediaDescription {
  const audio = { kind: 'audio', port: 4000, direction: 'sendrecv', formats: [] } as const;
  return { ...audio, protocol, ...(crypto.length > 0 && { crypto }) };
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'NoCommonCodec', message: expect.stringMatching(message) });

describe('our offer', () => {
  it.each(['off', 'accept'] as const)('is plain where the policy is %s', (policy) => {
    expect(negotiation(policy).offer()).toEqual({ protocol: 'RTP/AVP' });
  });

  it.each([
    ['offer', 'RTP/AVP'],
    ['require', 'RTP/SAVP'],
  ] as const)('has a key of its own for each suite where the policy is %s, under %s', (policy, protocol) => {
    expect(negotiation(policy).offer()).toEqual({
      protocol,
      crypto: [
        { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keyParameters: `inline:${base64(30, 1)}` },
        { tag: 2, suite: 'AEAD_AES_128_GCM', keyParameters: `inline:${base64(28, 2)}` },
        { tag: 3, suite: 'AES_CM_128_HMAC_SHA1_32', keyParameters: `inline:${base64(30, 3)}` },
      ],
    });
  });
});

describe('a further offer of ours', () => {
  it.each([
    ['accept', 'RTP/SAVP'],
    ['accept', 'RTP/AVP'],
    ['require', 'RTP/SAVPF'],
  ] as const)('keeps an encrypted call as it is: %s, %s', (policy, protocol) => {
    const ours = negotiation(policy);
    const { agreement, security } = ours.answer(section(protocol, gcm));
    ours.settle(agreement);
    expect(ours.offer()).toEqual({ protocol, crypto: [{ ...security.crypto?.[0], tag: 1 }] });
    expect(ours.agree(section(protocol, { ...gcm, tag: 1 }))).toEqual(agreement);
    expect(() => ours.agree(section(protocol, { ...sha80, tag: 1 }))).toThrow(refusal(/which was not offered/));
  });

  it.each([
    ['accept', undefined],
    ['offer', 3],
  ] as const)('within a plain call is what the policy wants: %s', (policy, keys) => {
    const ours = negotiation(policy);
    ours.settle(ours.answer(section('RTP/AVP')).agreement);
    expect(ours.offer().protocol).toBe('RTP/AVP');
    expect(ours.offer().crypto?.length).toBe(keys);
  });
});

describe('the answer to it', () => {
  it.each([
    ['offer', 'RTP/AVP'],
    ['offer', 'RTP/SAVP'],
    ['require', 'RTP/SAVP'],
    ['require', 'RTP/SAVPF'],
  ] as const)('with a key encrypts: %s, %s', (policy, protocol) => {
    const ours = negotiation(policy);
    ours.offer();
    expect(ours.agree(section(protocol, { ...gcm, tag: 2 }))).toEqual({
      protocol,
      keys: { suite: 'AEAD_AES_128_GCM', local: Buffer.alloc(28, 2), remote: Buffer.alloc(28, 0xbb) },
    });
  });

  it.each(['off', 'accept', 'offer'] as const)('without one does not: %s', (policy) => {
    const ours = negotiation(policy);
    ours.offer();
    for (const protocol of ['RTP/AVP', 'RTP/AVPF']) {
      expect(ours.agree(section(protocol))).toEqual({ protocol, keys: undefined });
    }
  });

  it('is known by its suite, whatever its tag', () => {
    expect(negotiation('offer').agree(section('RTP/AVP', { ...gcm, tag: 9 })).keys?.suite).toBe(gcm.suite);
  });

  it('with a key that nobody asked for does not', () => {
    expect(negotiation('accept').agree(section('RTP/AVP', sha80)).keys).toBeUndefined();
  });

  const rows: [SrtpPolicy, MediaDescription, RegExp][] = [
    ['require', section('RTP/AVP'), /^no SRTP in common: the far end speaks RTP\/AVP, and SRTP is required$/],
    ['require', section('RTP/SAVP'), /RTP\/SAVP has no a=crypto/],
    ['off', section('RTP/SAVP', sha80), /turned off/],
    ['accept', section('RTP/SAVP', sha80), /answers RTP\/SAVP, which was not offered/],
    ['offer', section('RTP/AVP', unknown), /suite AES_256_CM_HMAC_SHA1_80 is unknown/],
  ];
  it.each(rows)('is refused: %s, %o', (policy, answer, message) => {
    const ours = negotiation(policy);
    ours.offer();
    expect(() => ours.agree(answer)).toThrow(refusal(message));
  });
});

describe('an offer', () => {
  it.each([
    ['accept', 'RTP/SAVP'],
    ['accept', 'RTP/SAVPF'],
    ['accept', 'RTP/AVP'],
    ['offer', 'RTP/AVP'],
    ['require', 'RTP/AVP'],
  ] as const)('is answered with its first key that is of use, under its tag: %s, %s', (policy, protocol) => {
    const { agreement, security } = negotiation(policy).answer(section(protocol, unknown, gcm, sha80));
    expect(agreement.keys).toEqual({ suite: gcm.suite, local: Buffer.alloc(28, 1), remote: Buffer.alloc(28, 0xbb) });
    expect(security).toEqual({
      protocol,
      crypto: [{ tag: 7, suite: gcm.suite, keyParameters: `inline:${base64(28, 1)}` }],
    });
  });

  it('of RTP/AVP goes without keys where there are none of use, or all are turned off', () => {
    const plain = { agreement: { protocol: 'RTP/AVP', keys: undefined }, security: { protocol: 'RTP/AVP' } };
    expect(negotiation('accept').answer(section('RTP/AVP', unknown))).toEqual(plain);
    expect(negotiation('accept').answer(section('RTP/AVP'))).toEqual(plain);
    expect(negotiation('off').answer(section('RTP/AVP', sha80))).toEqual(plain);
  });

  it('again keeps our key, and takes its new one', () => {
    const ours = negotiation('accept');
    const first = ours.answer(section('RTP/SAVP', sha80));
    const changed = { ...sha80, keyParameters: `inline:${base64(30, 0xcc)}` };
    const second = ours.answer(section('RTP/SAVP', changed));
    expect(second.security).toEqual(first.security);
    expect(second.agreement.keys).toEqual({ ...first.agreement.keys, remote: Buffer.alloc(30, 0xcc) });
  });

  it('to stop encrypting makes our key void once it holds', () => {
    const ours = negotiation('accept');
    const first = ours.answer(section('RTP/SAVP', sha80));
    ours.settle(first.agreement);
    const plain = ours.answer(section('RTP/AVP'));
    expect(ours.answer(section('RTP/SAVP', sha80))).toEqual(first);
    ours.settle(plain.agreement);
    expect(ours.answer(section('RTP/SAVP', sha80)).agreement.keys?.local).not.toEqual(first.agreement.keys?.local);
  });

  const rows: [SrtpPolicy, MediaDescription, RegExp][] = [
    ['off', section('RTP/SAVP', sha80), /the far end wants SRTP \(RTP\/SAVP\), which is turned off/],
    ['accept', section('RTP/SAVP'), /RTP\/SAVP has no a=crypto/],
    [
      'accept',
      section('RTP/SAVP', unknown, { ...sha80, keyParameters: 'inline:AAAA' }),
      /:3: suite .*; .*:1: .* octets/,
    ],
    ['require', section('RTP/AVP'), /SRTP is required/],
    ['require', section('RTP/AVP', unknown), /a=crypto:3: suite AES_256_CM_HMAC_SHA1_80 is unknown/],
  ];
  it.each(rows)('is refused: %s, %o', (policy, offer, message) => {
    expect(() => negotiation(policy).answer(offer)).toThrow(refusal(message));
  });
});

describe('a key', () => {
  const key = base64(30, 0xaa);
  const answer = (changes: Partial<CryptoAttribute>) =>
    negotiation('accept').answer(section('RTP/SAVP', { ...sha80, ...changes })).agreement.keys?.remote;

  it.each([`inline:${key}`, `inline:${key}|2^48`, `inline:${key}|2^20`, `inline:${key}|1048576`, `inline:${key}|1`])(
    'is read from %s',
    (keyParameters) => {
      expect(answer({ keyParameters })).toEqual(Buffer.alloc(30, 0xaa));
    },
  );

  it.each([['WSH=64'], ['-FUTURE'], ['-FUTURE=1', 'WSH=512']])('may come with %s %s', (...sessionParameters) => {
    expect(answer({ sessionParameters: sessionParameters.filter((one) => one !== undefined) })).toBeDefined();
  });

  it.each([
    [`inline:${key}|2^20|1:4`, /a master key index \(MKI 1:4\) is not supported/],
    [`inline:${key}|1:32`, /a master key index \(MKI 1:32\) is not supported/],
    [`inline:${key}|2^49`, /a key lifetime of 2\^49 is not 1 to 2\^48/],
    [`inline:${key}|2^999`, /a key lifetime of 2\^999/],
    [`inline:${key}|281474976710657`, /a key lifetime of 281474976710657/],
    [`inline:${key}|0`, /a key lifetime of 0/],
    [`inline:${key}|x`, /not given as inline:KEY\|LIFETIME\|MKI:LENGTH/],
    [`inline:${key};inline:${key}`, /more than one key/],
    [`inline:${base64(28, 1)}`, /its key and salt have 28 octets, not 30/],
    [`inline:${base64(31, 1)}`, /its key and salt have 31 octets, not 30/],
    ['inline:', /not given as inline/],
    ['inline:?', /not given as inline/],
    [`uri:${key}`, /not given as inline/],
  ])('is refused: %s', (keyParameters, message) => {
    expect(() => answer({ keyParameters })).toThrow(refusal(message));
  });

  it.each([
    ['KDR=1'],
    ['UNENCRYPTED_SRTP'],
    ['UNENCRYPTED_SRTCP'],
    ['UNAUTHENTICATED_SRTP'],
    ['FEC_ORDER=FEC_SRTP'],
    ['FEC_KEY=inline:secret'],
    ['WSH=64', 'FUTURE'],
    ['WSH=many'],
  ])('that has to be used with %s %s is refused by the name of that', (...sessionParameters) => {
    const parameters = sessionParameters.filter((one) => one !== undefined);
    const [name] = parameters.at(-1)?.split('=') ?? [];
    expect(() => answer({ sessionParameters: parameters })).toThrow(
      refusal(new RegExp(`session parameter ${name} is not supported`)),
    );
  });

  it('never stands in what is said about it', () => {
    for (const keyParameters of [`inline:${key}!`, `inline:${key}|2^49`, `inline:${key}|1:1`, `other:${key}`]) {
      const said = () => answer({ keyParameters, sessionParameters: [] });
      expect(said).toThrow(expect.not.objectContaining({ message: expect.stringContaining(key) }));
    }
    expect(() => answer({ sessionParameters: [`FEC_KEY=inline:${key}`] })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(key) }),
    );
  });
});
