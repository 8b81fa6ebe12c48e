import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtcp, parseRtcp } from '../../../plugin/media/rtp/rtcp.js';

const sender = { ntpSeconds: 0x01020304, ntpFraction: 0x05060708, rtpTimestamp: 0x0a0b0c0d, packets: 50, octets: 2100 };
const block = {
  ssrc: 0xcafebabe,
  fractionLost: 64,
  cumulativeLost: 5,
  highestSequence: 0x0001fffe,
  jitter: 80,
  lastSenderReport: 0x03040506,
  delaySinceLastSenderReport: 0x00018000,
};
const ssrc = 0xdeadbeef;

/** RFC 3550 section 6.4.1. */
const senderReport = [
  ...[0x81, 200, 0, 12], // one block, SR, 12 words follow
  ...[0xde, 0xad, 0xbe, 0xef],
  ...[1, 2, 3, 4, 5, 6, 7, 8], // NTP
  ...[10, 11, 12, 13], // RTP timestamp
  ...[0, 0, 0, 50, 0, 0, 8, 52], // packets, octets
  ...[0xca, 0xfe, 0xba, 0xbe],
  ...[64, 0, 0, 5], // fraction, cumulative
  ...[0, 1, 0xff, 0xfe], // highest sequence number
  ...[0, 0, 0, 80], // jitter
  ...[3, 4, 5, 6, 0, 1, 0x80, 0],
];
/** Section 6.5: a chunk, item CNAME (1) of 3 octets, a null octet, padding to a word. */
const sdes = [0x81, 202, 0, 3, 0xde, 0xad, 0xbe, 0xef, 1, 3, 0x61, 0x62, 0x63, 0, 0, 0];
/** Section 6.6. */
const bye = [0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef];
const emptyReceiverReport = [0x80, 201, 0, 1, 0xde, 0xad, 0xbe, 0xef];

describe('building', () => {
  it('a sender report with a source description', () => {
    expect([...buildRtcp({ ssrc, sender, block, cname: 'abc' })]).toEqual([...senderReport, ...sdes]);
  });

  it('an empty receiver report with BYE', () => {
    expect([...buildRtcp({ ssrc, cname: 'abc', bye: true })]).toEqual([...emptyReceiverReport, ...sdes, ...bye]);
  });

  it.each([0, 1, 2, 3, 4, 5])('ends every source description with a null octet: a name of %i', (length) => {
    const built = buildRtcp({ ssrc, cname: 'x'.repeat(length) });
    expect(built.length % 4).toBe(0);
    expect(built[built.length - 1]).toBe(0);
    expect(parseRtcp(built)).toEqual([{ type: 'rr', ssrc, blocks: [] }, { type: 'sdes' }]);
  });
});

describe('reading', () => {
  it('a compound of every kind', () => {
    const extended = [0x81, 207, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    expect(parseRtcp(Uint8Array.from([...senderReport, ...sdes, ...extended, ...bye]))).toEqual([
      { type: 'sr', ssrc, sender, blocks: [block] },
      { type: 'sdes' },
      { type: 'other', packetType: 207 },
      { type: 'bye', ssrcs: [ssrc] },
    ]);
  });

  it('a negative number of lost packets', () => {
    const report = buildRtcp({ ssrc, block: { ...block, cumulativeLost: -3 }, cname: '' });
    expect(parseRtcp(report)).toMatchObject([{ blocks: [{ cumulativeLost: -3 }] }, {}]);
  });

  it('profile extensions behind the blocks', () => {
    expect(parseRtcp(Uint8Array.from([0x80, 201, 0, 2, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]))).toEqual([
      { type: 'rr', ssrc, blocks: [] },
    ]);
  });

  it('padding of the last packet', () => {
    const padded = [0xa1, 203, 0, 2, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 4];
    expect(parseRtcp(Uint8Array.from([...emptyReceiverReport, ...padded]))).toMatchObject([{}, { ssrcs: [ssrc] }]);
  });

  const refused: [name: string, bytes: number[], fault: string][] = [
    ['nothing', [], 'too-short'],
    ['half a header', [0x80, 201], 'too-short'],
    ['a length beyond the datagram', [0x80, 201, 0, 2, 0, 0, 0, 1], 'too-short'],
    ['another version', [0x40, 201, 0, 1, 0, 0, 0, 1], 'bad-version'],
    ['a second packet of another version', [...emptyReceiverReport, 0, 202, 0, 0], 'bad-version'],
    ['no report first', sdes, 'bad-start'],
    ['fewer blocks than counted', [0x81, 201, 0, 1, 0, 0, 0, 1], 'bad-length'],
    ['a receiver report without a source', [0x80, 201, 0, 0], 'bad-length'],
    ['a sender report without its sender', [0x80, 200, 0, 1, 0, 0, 0, 1], 'bad-length'],
    ['a BYE that names more than it holds', [...emptyReceiverReport, 0x82, 203, 0, 1, 0, 0, 0, 1], 'bad-length'],
    ['padding in the middle', [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, ...sdes], 'bad-padding'],
    ['padding of 0', [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0], 'bad-padding'],
    ['padding of half a word', [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2], 'bad-padding'],
    ['more padding than packet', [0xa0, 201, 0, 1, 0, 0, 0, 8], 'bad-padding'],
  ];
  it.each(refused)('refuses %s', (_name, bytes, fault) => expect(parseRtcp(Uint8Array.from(bytes))).toBe(fault));

  it('refuses a compound cut anywhere but between packets', () => {
    const whole = Uint8Array.from([...senderReport, ...sdes, ...bye]);
    const ends = [senderReport.length, senderReport.length + sdes.length, whole.length];
    for (let length = 0; length <= whole.length; length++) {
      expect(typeof parseRtcp(whole.subarray(0, length)), `${length}`).toBe(
        ends.includes(length) ? 'object' : 'string',
      );
    }
  });

  it('gives packets or a fault for any octets', () => {
    const bytes = fc.uint8Array({ maxLength: 120 }).map((rest) => Uint8Array.of(0x80, 200, ...rest));
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 60 })), (datagram) => {
        const result = parseRtcp(datagram);
        if (typeof result !== 'string') expect(result.length).toBeLessThanOrEqual(datagram.length / 4);
      }),
      { numRuns: 1000 },
    );
  });
});
