import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAvcConfig, parseAvcConfig } from '../../../../plugin/media/video/avc-config.js';
import {
  ParameterSets,
  parameterSetsOf,
  readSprop,
  writeSprop,
} from '../../../../plugin/media/video/parameter-sets.js';
import { parsePps, parseSps } from '../../../../plugin/media/video/sps.js';
import { bytes, header, hex, keyFrame, pps, sps } from './h264.js';

describe('a sequence parameter set', () => {
  const rows: [name: string, nal: string, profile: string, size: string][] = [
    ['Baseline', '6742c01fda014016effc000c001040000003004000000f03c60ca8', '42c01f', '1280x720'],
    ['cropped from 1088 lines', '6742c028da01e0089f97ff0003000410000003001000000303c0f1832a', '42c028', '1920x1080'],
    ['High 4:4:4, cropped', '67f4001e919680a02ff89ffc000c001040000003004000000f03c58ba8', 'f4001e', '640x360'],
    ['of fields', '674d4015f40b096c0840000003004000000f07c50aa8', '4d4015', '352x288'],
  ];

  it.each(rows)('%s', (_name, nal, profileLevelId, size) => {
    const info = parseSps(bytes(nal));
    expect(info).toMatchObject({ id: 0, profileLevelId });
    expect(`${info?.width}x${info?.height}`).toBe(size);
  });

  it('that says what cannot be is none', () => {
    // Baseline, id 0, then a width of 2^20 macroblocks.
    expect(parseSps(bytes('6742c01f f8 00000400001f ffff'))).toBeUndefined();
    // Cropped away altogether: 16x16 with 8 units of 2 pixels taken from the left.
    expect(parseSps(bytes('6742c01f f6 fe 09 fc'))).toBeUndefined();
    expect(parseSps(pps)).toBeUndefined();
    expect(parseSps(new Uint8Array(2000).fill(0x67))).toBeUndefined();
  });

  it('cut off before it has told its size is none, and any octets are read to an end', () => {
    for (let length = 0; length < 9; length++) expect(parseSps(sps.subarray(0, length))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (octets) => {
        parseSps(Uint8Array.of(0x67, ...octets));
        parsePps(Uint8Array.of(0x68, ...octets));
      }),
    );
  });
});

describe('the decoder configuration record', () => {
  it('of Baseline', () => {
    //                     ver prof compat level  lengths of 4   one SPS of 27 octets, one PPS of 4
    const record = `01  42 c0 1f  ff  e1 001b ${hex(sps)} 01 0004 ${hex(pps)}`.replaceAll(' ', '');
    expect(hex(buildAvcConfig([sps], [pps]))).toBe(record);
    expect(parseAvcConfig(bytes(record))).toEqual({ lengthSize: 4, sps: [sps], pps: [pps] });
  });

  it('of High also tells chroma format 4:2:0 and 8 bits', () => {
    const high = bytes('67640028acd940780227e5c044000003000400000300f03c60c658');
    expect(hex(buildAvcConfig([high], [pps])).slice(-8)).toBe('fdf8f800');
  });

  it.each([
    ['lengths of 3 octets', '01 42c01f fe e1 0001 67 01 0001 68'],
    ['another version', '02 42c01f ff e1 0001 67 01 0001 68'],
    ['no SPS', '01 42c01f ff e0 01 0001 68'],
    ['no PPS', '01 42c01f ff e1 0001 67 00'],
    ['a length beyond its end', '01 42c01f ff e1 0001 67 01 0009 68'],
    ['an empty set', '01 42c01f ff e1 0000 01 0001 68'],
    ['nothing', ''],
  ])('with %s is none', (_name, record) => {
    expect(parseAvcConfig(bytes(record))).toBeUndefined();
  });

  it('any octets are read to an end', () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => void parseAvcConfig(Uint8Array.of(1, ...octets))));
  });
});

describe('the sets of a stream', () => {
  it('change only when they differ', () => {
    const sets = new ParameterSets();
    sets.add(sps);
    expect(sets.complete).toBe(false);
    sets.add(pps);
    expect(sets).toMatchObject({ complete: true, version: 2, refused: 0 });
    sets.add(sps);
    sets.replace([sps, pps]);
    expect(sets.version).toBe(2);
    sets.replace([sps, bytes('68ce0fc9')]);
    expect(sets.version).toBe(4);
    sets.replace([bytes('6742c01f00'), pps]);
    expect(sets).toMatchObject({ complete: true, version: 4, refused: 1 });
  });

  it('that cannot be read are counted, and a flood of them is bounded', () => {
    const sets = new ParameterSets();
    sets.add(bytes('6742'));
    expect(sets.refused).toBe(1);
    for (let id = 0; id < 255; id++) {
      // ue(id), ue(0): of a PPS.
      const code = (id + 1).toString(2);
      const bits = `${'0'.repeat(code.length - 1)}${code}1`.padEnd(24, '0');
      sets.add(Uint8Array.of(0x68, ...(bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2))));
    }
    expect(sets.all.length).toBe(16);
    expect(sets.refused).toBe(1 + 255 - 16);
  });

  it('cross SDP as sprop-parameter-sets', () => {
    const text = writeSprop([sps, pps]);
    expect(text).toBe('Z0LAH9oBQBbv/AAMABBAAAADAEAAAA8DxgyoaM4PyA=='.replace('oaM', 'o,aM').replace('=,', ','));
    expect(readSprop(text).map(hex)).toEqual([sps, pps].map(hex));
    expect(readSprop('%%%,,AAAA')).toEqual([]);
  });

  it('come out of a sequence header', () => {
    const sets = new ParameterSets();
    sets.replace([...parameterSetsOf(header)]);
    expect(parameterSetsOf(keyFrame())).toEqual([]);
    expect(sets.info).toMatchObject({ width: 1280, height: 720 });
  });
});
