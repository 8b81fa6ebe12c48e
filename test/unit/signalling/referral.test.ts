import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReferral, readReplaces, readSipfrag, writeSipfrag } from '../../../plugin/signalling/in-call/referral.js';

describe('Refer-To', () => {
  it.each([
    ['<sip:carol@example.com>', { uri: 'sip:carol@example.com' }],
    ['"Carol" <sip:carol@example.com;transport=tcp>;x=1', { uri: 'sip:carol@example.com;transport=tcp' }],
    ['sip:carol@example.com', { uri: 'sip:carol@example.com' }],
    ['<sip:carol@example.com;method=INVITE>', { uri: 'sip:carol@example.com' }],
    [
      '<sip:carol@example.com?Replaces=12%40192.0.2.1%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x>',
      { uri: 'sip:carol@example.com', replaces: '12@192.0.2.1;to-tag=1;from-tag=2' },
    ],
    // A line break in the escaped header must not become one in ours.
    ['<sip:c@example.com?Replaces=1%0d%0aX-Evil:%201>', { uri: 'sip:c@example.com', replaces: '1  X-Evil: 1' }],
    ['<sip:c@example.com?Replaces=%zz>', { uri: 'sip:c@example.com', replaces: '%zz' }],
  ] as const)('%s', (header, expected) => expect(readReferral(header, '')).toEqual(expected));

  it.each(['', 'carol', '<>', '<sip:carol@example.com;method=BYE>', `<sip:${'x'.repeat(3_000)}@example.com>`])(
    '%s is no call',
    (header) => expect(readReferral(header, '')).toBeUndefined(),
  );

  it('keeps Referred-By', () => {
    expect(readReferral('<sip:c@x>', '<sip:b@x>')).toEqual({ uri: 'sip:c@x', referredBy: '<sip:b@x>' });
  });
});

describe('Replaces', () => {
  it('names a dialog as its reader sees it, parameters in any order (RFC 3891 section 6.1)', () => {
    const dialog = { callId: 'a@b', localTag: '1', remoteTag: '2', earlyOnly: false };
    expect(readReplaces('a@b;to-tag=1;from-tag=2')).toEqual(dialog);
    expect(readReplaces('a@b ; From-Tag=2 ; To-Tag=1')).toEqual(dialog);
    expect(readReplaces('a@b;from-tag=2;to-tag=1;early-only')).toEqual({ ...dialog, earlyOnly: true });
  });

  it.each(['', 'a@b', 'a@b;to-tag=1', ';to-tag=1;from-tag=2'])('%j names none', (header) => {
    expect(readReplaces(header)).toBeUndefined();
  });
});

describe('sipfrag', () => {
  it.each([
    ['SIP/2.0 200 OK', { status: 200, reason: 'OK' }],
    ['SIP/2.0 100 Trying\r\nServer: x\r\n', { status: 100, reason: 'Trying' }],
    ['SIP/2.0 603', { status: 603, reason: '' }],
    ['SIP/2.0 999 No', undefined],
    ['HTTP/1.1 200 OK', undefined],
    ['', undefined],
  ] as const)('%j', (body, expected) => expect(readSipfrag(body)).toEqual(expected));

  it('is one line whatever the reason was', () => {
    expect(writeSipfrag(486, 'Busy\r\nHere')).toBe('SIP/2.0 486 Busy  Here\r\n');
  });
});

it('anything is read or refused, and nothing ever breaks a line', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (header, referredBy) => {
      const referral = readReferral(`<sip:a@b?Replaces=${encodeURIComponent(header)}>`, referredBy);
      expect(referral?.replaces ?? '').not.toMatch(/[\r\n]/);
      readReferral(header, referredBy);
      readReplaces(header);
      readSipfrag(header);
    }),
  );
});
