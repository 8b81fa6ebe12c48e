import { describe, expect, it } from 'vitest';
import { AesGcm } from '../../../../plugin/media/srtp/aes-gcm.js';
import { CounterMode } from '../../../../plugin/media/srtp/counter-mode.js';
import { createTransform } from '../../../../plugin/media/srtp/create-transform.js';
import { deriveSessionKeys } from '../../../../plugin/media/srtp/key-derivation.js';
import { hex } from './hex.js';

const noKey = Buffer.alloc(0);

describe('key derivation', () => {
  it('gives the session keys of RFC 3711 appendix B.3', () => {
    const material = hex('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6');
    expect(deriveSessionKeys('AES_CM_128_HMAC_SHA1_80', 'rtp', material)).toEqual({
      key: hex('C61E7A93744F39EE10734AFE3FF7A087'),
      salt: hex('30CBBC08863D8C85D49DB34A9AE1'),
      authentication: hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'),
    });
  });
});

describe('AES in counter mode', () => {
  it('gives the keystream of RFC 3711 appendix B.2, and its last blocks', () => {
    const cipher = new CounterMode({
      key: hex('2B7E151628AED2A6ABF7158809CF4F3C'),
      salt: hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
      authentication: noKey,
    });
    const zeros = Buffer.alloc(2 ** 16);
    cipher.apply(zeros, 0, zeros.length, 0, 0);
    expect(zeros.subarray(0, 48)).toEqual(
      hex(`E03EAD0935C95E80E166B16DD92B4EB4
           D23513162B02D0F72A43A2FE4A5F97AB
           41E95B3BB0A2E8DD477901E4FCA894C0`),
    );
  });

  it('leaves what lies outside of the range, and nothing is a range too', () => {
    const cipher = new CounterMode({ key: Buffer.alloc(16), salt: Buffer.alloc(14), authentication: noKey });
    const octets = Buffer.alloc(40);
    cipher.apply(octets, 12, 33, 7, 7);
    expect([octets.subarray(0, 12).every((octet) => octet === 0), octets.subarray(33)]).toEqual([
      true,
      Buffer.alloc(7),
    ]);
    const before = Buffer.from(octets);
    cipher.apply(octets, 40, 40, 7, 7);
    expect(octets).toEqual(before);
    cipher.apply(octets, 12, 33, 7, 7);
    expect(octets).toEqual(Buffer.alloc(40));
  });
});

/** A packet of 16 octets of payload and a report, as libsrtp protects them: its own known answers. */
describe.each([
  {
    suite: 'AES_CM_128_HMAC_SHA1_80',
    material: 'E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6',
    srtp: '800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc99ea179b8dbb',
    srtcp: '81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd54d6c1230798',
  },
  {
    suite: 'AEAD_AES_128_GCM',
    material: '000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab',
    srtp: '800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826f796b201df3131a127e8a392',
    srtcp: '81c8000b cafebabe c98b8b5d f0392a55 852b6c21 ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001',
  },
] as const)('$suite', ({ suite, material, srtp, srtcp }) => {
  const transform = createTransform(suite, hex(material));
  const packet = hex('800f1234 decafbad cafebabe abababab abababab abababab abababab');
  const report = hex('81c8000b cafebabe abababab abababab abababab abababab');
  const ssrc = 0xcafebabe;

  it('protects and opens RTP', () => {
    expect(transform.protectRtp(packet, 12, ssrc, 0x1234)).toEqual(hex(srtp));
    expect(transform.unprotectRtp(hex(srtp), 12, ssrc, 0x1234)).toEqual(packet);
    expect(hex(srtp).length - packet.length).toBe(transform.rtpOverhead);
  });

  it('protects and opens RTCP', () => {
    expect(transform.protectRtcp(report, ssrc, 1)).toEqual(hex(srtcp));
    expect(transform.srtcpIndex(hex(srtcp))).toBe(0x80000001);
    expect(transform.unprotectRtcp(hex(srtcp), ssrc)).toEqual(report);
    expect(hex(srtcp).length - report.length).toBe(transform.rtcpOverhead);
  });

  it('opens nothing that was changed in any octet, or has another rollover counter', () => {
    for (let at = 0; at < hex(srtp).length; at++) {
      const changed = hex(srtp);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(transform.unprotectRtp(changed, 12, ssrc, 0x1234)).toBeUndefined();
    }
    for (let at = 0; at < hex(srtcp).length; at++) {
      const changed = hex(srtcp);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(transform.unprotectRtcp(changed, ssrc)).toBeUndefined();
    }
    expect(transform.unprotectRtp(hex(srtp), 12, ssrc, 0x11234)).toBeUndefined();
  });

  it('opens at every length and index what it protected', () => {
    for (const index of [0, 0xffff, 0x10000, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
      for (const length of [12, 13, 27, 28, 29, 172, 1400, 60_000]) {
        const octets = Buffer.alloc(length, 0x5a);
        const sealed = transform.protectRtp(octets, 12, 0xffffffff, index);
        expect(sealed.subarray(0, 12)).toEqual(octets.subarray(0, 12));
        if (length > 40) expect(sealed.includes(Buffer.alloc(16, 0x5a), 12)).toBe(false);
        expect(transform.unprotectRtp(sealed, 12, 0xffffffff, index)).toEqual(octets);
      }
    }
  });
});

describe('AEAD_AES_128_GCM', () => {
  // The keys of the RFC's examples are session keys.
  const session = {
    key: hex('000102030405060708090a0b0c0d0e0f'),
    salt: hex('51756964 2070726f 2071756f'),
    authentication: noKey,
  };
  const gcm = new AesGcm(session, session);

  it('protects and opens the packet of RFC 7714 section 16.1.1', () => {
    const packet = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
                        69736120 696e2070 61727465 73207472 6573`);
    const sealed = hex(`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
                        0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`);
    expect(gcm.protectRtp(packet, 12, 0x5501a0b2, 0xf17b)).toEqual(sealed);
    expect(gcm.unprotectRtp(sealed, 12, 0x5501a0b2, 0xf17b)).toEqual(packet);
  });

  it('protects and opens the report of RFC 7714 section 17.1', () => {
    const report = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
                        deadbeef deadbeef deadbeef deadbeef deadbeef`);
    const sealed = hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
                        c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872
                        45d9eade 800005d4`);
    expect(gcm.protectRtcp(report, 0x4d617273, 0x5d4)).toEqual(sealed);
    expect(gcm.unprotectRtcp(sealed, 0x4d617273)).toEqual(report);
  });
});
