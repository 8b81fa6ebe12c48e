import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PictureReader } from '../../../../plugin/media/video/depacketizer.js';
import { buildFrameMessage, parseAvcMessage, splitNals } from '../../../../plugin/media/video/flv-avc.js';
import { maxPayload, type PacketizationMode, packetize } from '../../../../plugin/media/video/packetizer.js';
import { bytes, hex, pps, slice, sps } from './h264.js';

const whole = (nals: readonly Uint8Array[], mode: PacketizationMode): Uint8Array[] =>
  packetize(nals, mode).map(({ prefix = new Uint8Array(), body }) => Uint8Array.of(...prefix, ...body));

describe('NAL units to payloads', () => {
  it('one that fits is a single NAL unit packet', () => {
    expect(whole([slice(1)], 1)).toEqual([slice(1)]);
  });

  it('small ones share a STAP-A, with the greatest NRI among them', () => {
    // Type 24 with NRI 3, of SPS and PPS; each behind its length.
    expect(whole([sps, pps, slice(1, { length: 3 })], 1).map(hex)).toEqual([
      `78 001b ${hex(sps)} 0004 ${hex(pps)} 0003 418800`.replaceAll(' ', ''),
    ]);
  });

  it('a long one is split into FU-A of nearly the same length: start, middle, end', () => {
    const nal = slice(5, { length: 3000, mark: 7 });
    const payloads = whole([nal], 1);
    // NRI 3, type 28; S, neither, E; type 5.
    expect(payloads.map((payload) => hex(payload.subarray(0, 2)))).toEqual(['7c85', '7c05', '7c45']);
    expect(payloads.map(({ length }) => length)).toEqual([1002, 1002, 1001]);
    expect(payloads.flatMap((payload) => [...payload.subarray(2)])).toEqual([...nal.subarray(1)]);
  });

  it('in mode 0 each is a packet; one too long is split all the same', () => {
    const long = slice(5, { length: 1300 });
    expect(whole([sps, pps, long], 0).map(({ length }) => length)).toEqual([sps.length, pps.length, 652, 651]);
  });
});

function read(payloads: readonly Uint8Array[]): PictureReader {
  const reader = new PictureReader();
  for (const payload of payloads) reader.push(payload);
  return reader;
}

describe('payloads to NAL units', () => {
  const nal = fc
    .tuple(
      fc.integer({ min: 1, max: 23 }),
      fc.integer({ min: 0, max: 3 }),
      fc.uint8Array({ minLength: 1, maxLength: 4000 }),
    )
    .map(([type, importance, rest]) => Uint8Array.of((importance << 5) | type, ...rest));

  it('are what was packetised, in both modes, and no packet is longer than it may be', () => {
    fc.assert(
      fc.property(
        fc.array(nal, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(0 as const, 1 as const),
        (nals, mode) => {
          const payloads = whole(nals, mode);
          for (const { length } of payloads) expect(length).toBeLessThanOrEqual(maxPayload);
          const reader = read(payloads);
          expect(reader.whole).toBe(true);
          expect(reader.nals.map(hex)).toEqual(nals.map(hex));
        },
      ),
    );
  });

  const rows: [name: string, payloads: string[], nals: string[], malformed: number, whole: boolean][] = [
    ['padding alone is nothing', ['', '4188'], ['4188'], 0, true],
    ['a middle without start', ['7c05aa'], [], 1, false],
    ['an end without start', ['7c45aa', '4188'], ['4188'], 1, false],
    ['a start within another', ['7c85aa', '7c85bb', '7c45cc'], [], 2, false],
    ['a start that is the end', ['7cc5aa'], [], 1, false],
    ['an empty fragment', ['7c85'], [], 1, false],
    ['fragments without end', ['7c85aa', '7c05bb'], [], 0, false],
    ['another packet before the end', ['7c85aa', '4188'], ['4188'], 1, false],
    ['a STAP-A that ends within a NAL unit', ['78 0002 4188 0009 41'], ['4188'], 1, false],
    ['a STAP-A with an empty NAL unit', ['78 0000 4188'], [], 1, false],
    ['a STAP-A with nothing', ['78'], [], 1, false],
    ['a STAP-A with an odd octet left', ['78 0002 4188 00'], ['4188'], 1, false],
    ['type 0', ['00aa'], [], 1, false],
    ['STAP-B, which belongs to the interleaved mode', ['79 0001 0002 4188'], [], 1, false],
    ['FU-B', ['7d85 0001 aa'], [], 1, false],
  ];

  it.each(rows)('%s', (_name, payloads, nals, malformed, isWhole) => {
    const reader = read(payloads.map(bytes));
    expect(reader.nals.map(hex)).toEqual(nals);
    expect(reader).toMatchObject({ malformed, whole: isWhole });
  });

  it('of more than 1 MiB are refused, fragmented or not', () => {
    const part = new Uint8Array(60_000);
    const fragments = Array.from({ length: 30 }, (_, index) => {
      const payload = Uint8Array.from(part);
      payload.set([0x7c, index === 0 ? 0x85 : 0x05]);
      return payload;
    });
    expect(read(fragments).whole).toBe(false);
    const single = Uint8Array.from(part).fill(0x41);
    const reader = read(Array.from({ length: 30 }, () => single));
    expect(reader.whole).toBe(false);
    expect(reader.nals.length).toBe(17);
  });

  it('any octets are read to an end', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array(), { maxLength: 20 }), (payloads) => void read(payloads).whole));
  });
});

describe('H.264 in FLV', () => {
  const rows: [name: string, body: string, kind: string, fields?: object][] = [
    ['a sequence header', '17 00 000000 0142', 'config', { record: bytes('0142') }],
    ['a key frame', '17 01 000000 aa', 'frame', { key: true, compositionTime: 0, data: bytes('aa') }],
    ['a frame shown 80 ms after it is decoded', '27 01 000050 aa', 'frame', { key: false, compositionTime: 80 }],
    ['a negative composition time', '27 01 fffffe aa', 'frame', { compositionTime: -2 }],
    ['the end of the sequence', '17 02 000000', 'nothing'],
    ['a command', '57 00', 'nothing'],
    ['an empty message', '', 'nothing'],
    ['H.263', '22 0000', 'other-codec'],
    ['cut off', '17 01 00', 'malformed'],
    ['a packet type that nobody knows', '17 09 000000', 'malformed'],
    ['Enhanced RTMP: avc1, sequence start', '90 61766331 0142', 'config', { record: bytes('0142') }],
    ['Enhanced RTMP: coded frames', 'a1 61766331 000028 aa', 'frame', { key: false, compositionTime: 40 }],
    ['Enhanced RTMP: coded frames in time', '93 61766331 aa', 'frame', { key: true, data: bytes('aa') }],
    ['Enhanced RTMP: hvc1', '91 68766331 000000 aa', 'other-codec'],
    ['Enhanced RTMP, cut off', '91 6176', 'malformed'],
  ];

  it.each(rows)('%s', (_name, body, kind, fields = {}) => {
    expect(parseAvcMessage(bytes(body))).toMatchObject({ kind, ...fields });
  });

  it.each([
    [1, '02 4188 01 06'],
    [2, '0002 4188 0001 06'],
    [4, '00000002 4188 00000001 06 00000000'],
  ] as const)('has NAL units behind lengths of %i octets', (lengthSize, data) => {
    expect(splitNals(bytes(data), lengthSize)?.map(hex)).toEqual(['4188', '06']);
  });

  it('whose lengths do not fit is none', () => {
    expect(splitNals(bytes('00000009 41'), 4)).toBeUndefined();
    expect(splitNals(bytes('0001 41 00'), 2)).toBeUndefined();
    expect(splitNals(bytes('ffffffff 41'), 4)).toBeUndefined();
    expect(splitNals(new Uint8Array(3000).fill(1), 1)).toBeUndefined();
  });

  it('is written as it is read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1 }), { maxLength: 9 }),
        fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
        (nals, compositionTime) => {
          const message = parseAvcMessage(buildFrameMessage(nals, compositionTime));
          if (message.kind !== 'frame') throw new Error(message.kind);
          expect(message.compositionTime).toBe(compositionTime);
          expect(splitNals(message.data, 4)?.map(hex)).toEqual(nals.map(hex));
        },
      ),
    );
  });
});
