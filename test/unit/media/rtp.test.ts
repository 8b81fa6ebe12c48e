import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRtp, isRtcp, parseRtp, rtpHeaderLength } from '../../../plugin/media/rtp/rtp.js';

/** RFC 3550 section 5.1. */
const plain = [
  0x80, // version 2, no padding, no extension, no CSRC
  0xe0, // marker, payload type 96
  ...[0xfe, 0xdc], // sequence number
  ...[0x80, 0x00, 0x01, 0x40], // timestamp
  ...[0xde, 0xad, 0xbe, 0xef], // SSRC
];
const fields = { payloadType: 96, marker: true, sequence: 0xfedc, timestamp: 0x80000140, ssrc: 0xdeadbeef };
const payload = [1, 2, 3];

function changed(first: number, ...rest: number[]): Uint8Array {
  return Uint8Array.of(first, ...plain.slice(1), ...rest);
}

describe('RTP that is accepted', () => {
  const rows: [name: string, bytes: Uint8Array, expected: number[]][] = [
    ['plain', changed(0x80, ...payload), payload],
    ['without payload', changed(0x80), []],
    ['two CSRCs', changed(0x82, 0, 0, 0, 1, 0, 0, 0, 2, ...payload), payload],
    ['fifteen CSRCs', changed(0x8f, ...new Array(60).fill(7), ...payload), payload],
    ['an empty extension', changed(0x90, 0xbe, 0xde, 0, 0, ...payload), payload],
    ['an extension of one word', changed(0x90, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, ...payload), payload],
    ['CSRC, extension and padding', changed(0xb1, 0, 0, 0, 1, 0, 0, 0, 0, ...payload, 0, 0, 3), payload],
    ['nothing but padding', changed(0xa0, 1), []],
  ];
  it.each(rows)('%s', (_name, bytes, expected) => {
    const packet = parseRtp(bytes);
    if (typeof packet === 'string') throw new Error(packet);
    expect(packet).toMatchObject(fields);
    expect([...bytes.subarray(packet.start, packet.end)]).toEqual(expected);
  });
});

describe('RTP that is refused', () => {
  const rows: [name: string, bytes: Uint8Array, fault: string][] = [
    ['nothing', new Uint8Array(0), 'too-short'],
    ['a header cut short', changed(0x80).subarray(0, 11), 'too-short'],
    ['version 0', changed(0x00, ...payload), 'bad-version'],
    ['version 1', changed(0x40, ...payload), 'bad-version'],
    ['version 3', changed(0xc0, ...payload), 'bad-version'],
    ['CSRCs that are not there', changed(0x82, 0, 0, 0, 1), 'too-short'],
    ['an extension without its header', changed(0x90, 0xbe, 0xde, 0), 'too-short'],
    ['an extension longer than the packet', changed(0x90, 0xbe, 0xde, 0, 2, 9, 9, 9, 9), 'too-short'],
    ['an extension of 65535 words', changed(0x90, 0xbe, 0xde, 0xff, 0xff, ...payload), 'too-short'],
    ['padding of 0', changed(0xa0, ...payload, 0), 'bad-padding'],
    ['more padding than payload', changed(0xa0, ...payload, 5), 'bad-padding'],
    ['padding without an octet for its count', changed(0xa0), 'bad-padding'],
  ];
  it.each(rows)('%s', (_name, bytes, fault) => expect(parseRtp(bytes)).toBe(fault));
});

describe('building', () => {
  it('writes the header of section 5.1', () => {
    expect([...buildRtp(fields, Uint8Array.from(payload))]).toEqual([...plain, ...payload]);
    expect(buildRtp({ ...fields, marker: false }, Uint8Array.of())[1]).toBe(96);
  });

  it('is read back as it was', () => {
    const header = fc.record({
      payloadType: fc.integer({ min: 0, max: 127 }),
      marker: fc.boolean(),
      sequence: fc.integer({ min: 0, max: 0xffff }),
      timestamp: fc.integer({ min: 0, max: 0xffffffff }),
      ssrc: fc.integer({ min: 0, max: 0xffffffff }),
    });
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 100 }), (values, content) => {
        const packet = parseRtp(buildRtp(values, content));
        expect(packet).toMatchObject({ ...values, start: rtpHeaderLength, end: rtpHeaderLength + content.length });
      }),
    );
  });
});

it('any octets are a packet with its payload inside, or a fault', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ maxLength: 80 }).map((rest) => Uint8Array.of(0xb3, ...rest)),
  );
  fc.assert(
    fc.property(bytes, (datagram) => {
      const packet = parseRtp(datagram);
      if (typeof packet === 'string') return;
      expect(packet.start).toBeGreaterThanOrEqual(rtpHeaderLength);
      expect(packet.start).toBeLessThanOrEqual(packet.end);
      expect(packet.end).toBeLessThanOrEqual(datagram.length);
    }),
    { numRuns: 1000 },
  );
});

it('tells RTCP on the same port apart (RFC 5761 section 4)', () => {
  for (const type of [192, 200, 201, 202, 203, 206, 223])
    expect(isRtcp(Uint8Array.of(0x80, type)), `${type}`).toBe(true);
  for (const type of [96, 101, 127, 191, 224, 255]) expect(isRtcp(Uint8Array.of(0x80, type)), `${type}`).toBe(false);
});
