import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtcp } from '../../../../plugin/media/rtp/rtcp.js';
import { buildRtp } from '../../../../plugin/media/rtp/rtp.js';
import { ReplayWindow } from '../../../../plugin/media/srtp/replay-window.js';
import { SrtpSession } from '../../../../plugin/media/srtp/srtp-session.js';
import { keyMaterialLength, type SrtpKeys, type SuiteName, suiteNames } from '../../../../plugin/media/srtp/suites.js';
import { hex } from './hex.js';

const payload = Buffer.from('a payload that is no secret');

function packet(sequence: number, ssrc = 7): Buffer {
  const header = {
    payloadType: 96,
    marker: false,
    sequence: sequence & 0xffff,
    timestamp: (320 * sequence) >>> 0,
    ssrc,
  };
  return buildRtp(header, payload);
}

const report = (ssrc = 7): Buffer => buildRtcp({ ssrc, cname: 'somebody' });
const material = (suite: SuiteName, fill: number) => Buffer.alloc(keyMaterialLength(suite), fill);
const keys = (suite: SuiteName, local: number, remote: number): SrtpKeys => ({
  suite,
  local: material(suite, local),
  remote: material(suite, remote),
});

function pair(suite: SuiteName = 'AES_CM_128_HMAC_SHA1_80') {
  return { ours: new SrtpSession(keys(suite, 1, 2)), theirs: new SrtpSession(keys(suite, 2, 1)) };
}

describe.each(suiteNames)('%s', (suite) => {
  it('carries packets and reports both ways', () => {
    const { ours, theirs } = pair(suite);
    for (const [from, to] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const sealed = from.protectRtp(packet(5));
      expect(sealed.includes(payload)).toBe(false);
      expect(to.openRtp(sealed)).toEqual(packet(5));
      expect(to.openRtcp(from.protectRtcp(report()))).toEqual(report());
    }
  });

  it('leaves header extension and contributing sources readable', () => {
    const { ours, theirs } = pair(suite);
    const header = hex('92600001 00000000 00000007 00000001 00000002 bede0001 deadbeef');
    const bytes = Buffer.concat([header, payload]);
    const sealed = ours.protectRtp(bytes);
    expect(sealed.subarray(0, header.length)).toEqual(header);
    expect(theirs.openRtp(sealed)).toEqual(bytes);
  });

  it('takes each packet once, in any order', () => {
    const { ours, theirs } = pair(suite);
    const sealed = [10, 11, 12, 13].map((sequence) => ours.protectRtp(packet(sequence)));
    const copies = sealed.map((bytes) => Buffer.from(bytes));
    for (const index of [0, 3, 1, 2]) expect(theirs.openRtp(sealed[index] ?? packet(0))).toEqual(packet(10 + index));
    for (const copy of copies) expect(theirs.openRtp(copy)).toBe('replayed');
    const sealedReport = ours.protectRtcp(report());
    const copy = Buffer.from(sealedReport);
    expect(theirs.openRtcp(sealedReport)).toEqual(report());
    expect(theirs.openRtcp(copy)).toBe('replayed');
  });

  it('refuses what was changed, cut off or made with another key, and goes on', () => {
    const { ours, theirs } = pair(suite);
    const stranger = new SrtpSession(keys(suite, 9, 9));
    const sealed = ours.protectRtp(packet(1));
    const changed = Buffer.from(sealed);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect(theirs.openRtp(changed)).toBe('forged');
    expect(theirs.openRtp(stranger.protectRtp(packet(2)))).toBe('forged');
    expect(theirs.openRtp(packet(3))).toBe('forged');
    for (let length = 0; length < sealed.length; length++) {
      expect(theirs.openRtp(Buffer.from(sealed.subarray(0, length)))).toMatch(/too-short|forged/);
    }
    const sealedReport = ours.protectRtcp(report());
    for (let length = 0; length < sealedReport.length; length++) {
      expect(theirs.openRtcp(Buffer.from(sealedReport.subarray(0, length)))).toMatch(/too-short|forged/);
    }
    expect(theirs.openRtcp(report())).toMatch(/too-short|forged/);
    expect(theirs.openRtp(sealed)).toEqual(packet(1));
    expect(theirs.openRtcp(sealedReport)).toEqual(report());
  });

  it('survives any octets', () => {
    const { theirs } = pair(suite);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(theirs.openRtp(Buffer.from(bytes))).toMatch(/too-short|forged/);
        expect(theirs.openRtcp(Buffer.from(bytes))).toMatch(/too-short|forged/);
      }),
    );
  });
});

describe('the rollover counter', () => {
  it('follows the sequence numbers over their wraps, out of order too', () => {
    const { ours, theirs } = pair();
    // From 65,000 to 204,900: three wraps. Each second packet arrives before the first.
    for (let sequence = 65_000; sequence < 205_000; sequence += 200) {
      const [first, second] = [ours.protectRtp(packet(sequence)), ours.protectRtp(packet(sequence + 100))];
      expect(theirs.openRtp(second)).toEqual(packet(sequence + 100));
      expect(theirs.openRtp(first)).toEqual(packet(sequence));
    }
  });

  it('is of each source alone', () => {
    const { ours, theirs } = pair();
    for (const sequence of [65_534, 65_535, 65_536, 65_537]) {
      for (const ssrc of [7, 8]) {
        expect(theirs.openRtp(ours.protectRtp(packet(sequence, ssrc)))).toEqual(packet(sequence, ssrc));
      }
    }
    expect(theirs.openRtp(ours.protectRtp(packet(3, 9)))).toEqual(packet(3, 9));
  });
});

describe('sources', () => {
  it('are bounded in number: those known go on', () => {
    const { ours, theirs } = pair();
    for (let ssrc = 0; ssrc < 256; ssrc++)
      expect(theirs.openRtp(ours.protectRtp(packet(1, ssrc)))).toEqual(packet(1, ssrc));
    expect(theirs.openRtp(ours.protectRtp(packet(1, 256)))).toBe('too-many-sources');
    expect(theirs.openRtp(ours.protectRtp(packet(2, 255)))).toEqual(packet(2, 255));
  });
});

describe('a change of keys', () => {
  const suite = 'AES_CM_128_HMAC_SHA1_80';

  it('of one side leaves the other direction as it is', () => {
    const { ours, theirs } = pair();
    const before = ours.protectRtp(packet(1));
    const copy = Buffer.from(before);
    expect(theirs.openRtp(before)).toEqual(packet(1));
    theirs.rekey(keys(suite, 3, 1));
    ours.rekey(keys(suite, 1, 3));
    expect(theirs.openRtp(copy)).toBe('replayed');
    expect(ours.openRtp(theirs.protectRtp(packet(1)))).toEqual(packet(1));
  });

  it('loses no packet that is on its way, and ends with the first under the new key', () => {
    const { ours, theirs } = pair();
    const [late, later] = [ours.protectRtp(packet(1)), ours.protectRtp(packet(2))];
    theirs.rekey(keys(suite, 2, 3));
    ours.rekey(keys(suite, 3, 2));
    expect(theirs.openRtp(late)).toEqual(packet(1));
    expect(theirs.openRtp(ours.protectRtp(packet(3)))).toEqual(packet(3));
    expect(theirs.openRtp(later)).toBe('forged');
  });

  it.each([['goes on with', true], ['begins anew']])(
    'is understood from a sender that %s its rollover counter',
    (_name, continues = false) => {
      const { ours, theirs } = pair();
      for (const sequence of [65_535, 65_536]) theirs.openRtp(ours.protectRtp(packet(sequence)));
      theirs.rekey(keys(suite, 2, 3));
      ours.rekey(keys(suite, 3, 2));
      const sender = continues ? ours : new SrtpSession(keys(suite, 3, 2));
      for (const sequence of [65_537, 65_538]) {
        expect(theirs.openRtp(sender.protectRtp(packet(sequence)))).toEqual(packet(sequence));
      }
    },
  );

  it('to another suite and back never protects two reports with one index', () => {
    const { ours } = pair();
    const first = ours.protectRtcp(report());
    ours.rekey(keys('AEAD_AES_128_GCM', 1, 2));
    ours.protectRtcp(report());
    ours.rekey(keys(suite, 1, 2));
    expect(ours.protectRtcp(report()).subarray(8)).not.toEqual(first.subarray(8));
  });
});

describe('the replay window', () => {
  it('knows what was taken, and refuses what is too old to tell', () => {
    const window = new ReplayWindow(1000);
    expect([window.has(1000), window.has(999), window.has(1001)]).toEqual([true, false, false]);
    expect([window.has(1000 - 479), window.has(1000 - 480)]).toEqual([false, true]);
    window.add(1400);
    expect([window.has(1000), window.has(1001), window.has(1399)]).toEqual([true, false, false]);
  });

  it('agrees with a set of all that was taken', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -300, max: 40 }), fc.integer({ min: -600, max: 5000 })));
    fc.assert(
      fc.property(fc.constantFrom(0, 600, 2 ** 32 - 20, 2 ** 47), steps, (first, distances) => {
        const window = new ReplayWindow(first);
        const taken = new Set([first]);
        for (const distance of distances) {
          const index = window.highest + distance;
          if (index < 0) continue;
          if (index > window.highest - 480) expect(window.has(index)).toBe(taken.has(index));
          else expect(window.has(index)).toBe(true);
          if (window.has(index)) continue;
          window.add(index);
          taken.add(index);
        }
      }),
    );
  });
});
