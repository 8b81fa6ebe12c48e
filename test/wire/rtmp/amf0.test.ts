import fc from 'fast-check';
import {
  AmfEcmaArray,
  type AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfXml,
  AmfXmlDocument,
  DEFAULT_AMF_LIMITS,
  decodeAmf0,
  encodeAmf0,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { anyAmf0Value } from './amf-values.js';
import { bytes, repeat, text } from './bytes.js';

interface Row {
  name: string;
  bytes: Uint8Array;
  value: AmfValue;
}

/** Each both decodes to and is encoded from its value. Sections are those of the AMF0 specification. */
const CANONICAL: Row[] = [
  { name: 'number 0 (2.2)', bytes: bytes('00 0000000000000000'), value: 0 },
  { name: 'number 3191', bytes: bytes('00 40a8ee0000000000'), value: 3191 },
  { name: 'number -0', bytes: bytes('00 8000000000000000'), value: -0 },
  { name: 'number infinity', bytes: bytes('00 7ff0000000000000'), value: Number.POSITIVE_INFINITY },
  { name: 'true (2.3)', bytes: bytes('01 01'), value: true },
  { name: 'false', bytes: bytes('01 00'), value: false },
  { name: 'string (2.4)', bytes: bytes('02 0007', text('connect')), value: 'connect' },
  { name: 'empty string', bytes: bytes('02 0000'), value: '' },
  { name: 'string in UTF-8', bytes: bytes('02 0006 c3a4 f09f988a'), value: 'ä😊' },
  { name: 'string with a byte order mark', bytes: bytes('02 0004 efbbbf 61'), value: '\ufeffa' },
  { name: 'string of 65535 bytes', bytes: bytes('02 ffff', repeat(0x61, 65_535)), value: 'a'.repeat(65_535) },
  { name: 'long string (2.14)', bytes: bytes('0c 00010000', repeat(0x61, 65_536)), value: 'a'.repeat(65_536) },
  { name: 'null (2.7)', bytes: bytes('05'), value: null },
  { name: 'undefined (2.8)', bytes: bytes('06'), value: undefined },
  { name: 'unsupported (2.15)', bytes: bytes('0d'), value: new AmfUnsupported() },
  { name: 'empty object (2.5)', bytes: bytes('03 0000 09'), value: {} },
  {
    name: 'object in an object',
    bytes: bytes('03 0001', text('a'), '03 0001', text('b'), '05 0000 09', '0000 09'),
    value: { a: { b: null } },
  },
  { name: 'object with an empty key', bytes: bytes('03 0000 01 01 0000 09'), value: { '': true } },
  {
    name: 'ECMA array (2.10)',
    bytes: bytes('08 00000001 0005', text('width'), '00 4074000000000000 0000 09'),
    value: new AmfEcmaArray({ width: 320 }),
  },
  { name: 'empty strict array (2.12)', bytes: bytes('0a 00000000'), value: [] },
  { name: 'strict array', bytes: bytes('0a 00000003 05 01 00 02 0001', text('x')), value: [null, false, 'x'] },
  { name: 'date (2.13)', bytes: bytes('0b 4272d3ee74e40000 0000'), value: new Date(1_293_840_502_336) },
  { name: 'XML document (2.17)', bytes: bytes('0f 00000004', text('<a/>')), value: new AmfXmlDocument('<a/>') },
  {
    name: 'what only AMF3 has a type for, with a switch to it (3.1)',
    bytes: bytes('03 0001', text('a'), '11 0c 03 ff', '0001', text('b'), '11 0b 03', text('x'), '0000 09'),
    value: { a: bytes('ff'), b: new AmfXml('x') },
  },
  {
    name: 'typed object (2.18)',
    bytes: bytes('10 0003', text('Foo'), '0001', text('x'), '01 01 0000 09'),
    value: new AmfTypedObject('Foo', { x: true }),
  },
];

/** What other encoders write, read but not written like this. */
const DECODED_ONLY: Row[] = [
  { name: 'boolean that is neither 0 nor 1', bytes: bytes('01 7f'), value: true },
  { name: 'short string as long string', bytes: bytes('0c 00000001 61'), value: 'a' },
  { name: 'bad UTF-8', bytes: bytes('02 0002 61 ff'), value: 'a\ufffd' },
  { name: 'date with a time zone, which is ignored', bytes: bytes('0b 0000000000000000 ff88'), value: new Date(0) },
  {
    name: 'ECMA array whose count is too small',
    bytes: bytes('08 00000000 0001 61 05 0001 62 05 0000 09'),
    value: new AmfEcmaArray({ a: null, b: null }),
  },
  {
    name: 'ECMA array whose count is 4 billion',
    bytes: bytes('08 ffffffff 0001 61 05 0000 09'),
    value: new AmfEcmaArray({ a: null }),
  },
  { name: 'a value in AMF3 (3.1)', bytes: bytes('11 04 7f'), value: 127 },
  { name: 'values in AMF3 within one in AMF0', bytes: bytes('0a 00000002 11 03 05'), value: [true, null] },
];

const WRONG: { name: string; bytes: Uint8Array; code: string }[] = [
  { name: 'movieclip marker, reserved', bytes: bytes('04'), code: 'amf.marker' },
  { name: 'recordset marker, reserved', bytes: bytes('0e'), code: 'amf.marker' },
  { name: 'object end without an object', bytes: bytes('09'), code: 'amf.marker' },
  { name: 'undefined marker', bytes: bytes('12'), code: 'amf.marker' },
  { name: 'string longer than the message', bytes: bytes('02 0005 61'), code: 'amf.truncated' },
  { name: 'long string of 4 GB', bytes: bytes('0c ffffffff 61'), code: 'amf.truncated' },
  { name: 'object without an end', bytes: bytes('03 0001 61 05'), code: 'amf.truncated' },
  { name: 'strict array whose count is 4 billion', bytes: bytes('0a ffffffff 05'), code: 'amf.truncated' },
  { name: 'reference to nothing', bytes: bytes('07 0000'), code: 'amf.reference' },
  { name: 'reference beyond the last object', bytes: bytes('03 0000 09 07 0001'), code: 'amf.reference' },
  { name: 'AMF3 with a marker that is not defined', bytes: bytes('11 12'), code: 'amf.marker' },
  {
    name: 'AMF3 within too many arrays',
    bytes: bytes(...Array(64).fill('0a 00000001'), '11 09 01 01'),
    code: 'amf.depth',
  },
  { name: 'AMF3 string reference', bytes: bytes('11 06 00'), code: 'amf.reference' },
  { name: '65 arrays within one another', bytes: bytes(...Array(65).fill('0a 00000001'), '05'), code: 'amf.depth' },
  { name: 'a megabyte of opening objects', bytes: endlessNesting(1_000_000), code: 'amf.depth' },
  { name: '16385 values', bytes: repeat(0x05, 16_385), code: 'amf.elements' },
];

describe('AMF0', () => {
  it.each(CANONICAL)('decodes and encodes $name', ({ bytes: encoded, value }) => {
    expect(decodeAmf0(encoded)).toEqual([value]);
    expect(encodeAmf0([value])).toEqual(encoded);
  });

  it.each(DECODED_ONLY)('decodes $name', ({ bytes: encoded, value }) => {
    expect(decodeAmf0(encoded)).toEqual([value]);
  });

  it.each(WRONG)('refuses $name', ({ bytes: encoded, code }) => {
    expect(() => decodeAmf0(encoded)).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it.each([...CANONICAL, ...DECODED_ONLY])('refuses $name cut short', ({ bytes: encoded }) => {
    for (let length = 1; length < Math.min(encoded.length, 64); length += 1) {
      expect(() => decodeAmf0(encoded.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'amf.truncated' }),
      );
    }
  });

  it('takes as much nesting and as many values as the limits allow', () => {
    const nested = bytes(...Array(64).fill('0a 00000001'), '05');
    expect(() => decodeAmf0(nested)).not.toThrow();
    expect(() => decodeAmf0(nested, { ...DEFAULT_AMF_LIMITS, depth: 63, elements: 100 })).toThrow(RtmpError);
    expect(() => decodeAmf0(nested, { ...DEFAULT_AMF_LIMITS, depth: 64, elements: 64 })).toThrow(RtmpError);
  });

  it('counts depth, not the number of objects', () => {
    const siblings = Array.from({ length: 200 }, () => [[]]);
    expect(decodeAmf0(encodeAmf0(siblings))).toEqual(siblings);
  });

  it('resolves references to objects and arrays in the order of their markers (2.9)', () => {
    // { a: [] }, then references to the object, which is 0, and to the array in it, 1
    const [object, first, second] = decodeAmf0(bytes('03 0001 61 0a 00000000 0000 09', '07 0000', '07 0001'));
    expect(first).toBe(object);
    expect(second).toBe((object as AmfObject).a);
  });

  it('decodes and encodes an object that holds itself', () => {
    const encoded = bytes('03 0004', text('self'), '07 0000 0000 09');
    const [object] = decodeAmf0(encoded);
    expect((object as AmfObject).self).toBe(object);
    expect(encodeAmf0([object])).toEqual(encoded);
  });

  it('counts objects side by side in the index of a reference', () => {
    const inner: Record<string, AmfValue> = {};
    inner.self = inner;
    const encoded = encodeAmf0([{}, [], inner]);
    expect(encoded).toEqual(bytes('03 0000 09', '0a 00000000', '03 0004', text('self'), '07 0002 0000 09'));
  });

  it('writes an object met twice in full, as many clients do not read references', () => {
    const shared = { x: 1 };
    expect(decodeAmf0(encodeAmf0([shared, shared]))).toEqual([shared, shared]);
    expect(encodeAmf0([shared, shared])).toHaveLength(2 * encodeAmf0([shared]).length);
  });

  it('counts references within a value of AMF3 from 0 (3.1)', () => {
    const encoded = bytes('11 09 03 01 06 03 61', '11 09 05 01 06 03 62 06 00');
    expect(decodeAmf0(encoded)).toEqual([['a'], ['b', 'b']]);
    expect(() => decodeAmf0(bytes('11 06 03 61', '11 06 00'))).toThrow(
      expect.objectContaining({ code: 'amf.reference' }),
    );
  });

  it('writes the part of an array that has indices as entries with numbers for names', () => {
    const array = new AmfEcmaArray({ x: true }, [null, false]);
    const encoded = bytes(
      '08 00000003',
      '0001',
      text('0'),
      '05',
      '0001',
      text('1'),
      '01 00',
      '0001',
      text('x'),
      '01 01',
    );
    expect(encodeAmf0([array])).toEqual(bytes(encoded, '0000 09'));
  });

  it('refuses references that stand for more than the limit, and for deeper objects', () => {
    // Each array holds the one before it twice.
    const doubling = Array.from({ length: 40 }, (_, index) => {
      return bytes('0a 00000002', reference(index + 1), reference(index + 1));
    });
    const bomb = bytes('0a 00000029', '0a 00000000', ...doubling);
    expect(() => decodeAmf0(bomb)).toThrow(expect.objectContaining({ code: 'amf.referenced-bytes' }));
    // Each array holds the one before it once.
    const chain = Array.from({ length: 70 }, (_, index) => bytes('0a 00000001', reference(index + 1)));
    expect(() => decodeAmf0(bytes('0a 00000047', '0a 00000000', ...chain))).toThrow(
      expect.objectContaining({ code: 'amf.depth' }),
    );
  });

  it('keeps the names of prototype members as plain keys', () => {
    const [object] = decodeAmf0(bytes('03 0009', text('__proto__'), '03 0001 61 05 0000 09 0000 09'));
    expect(Object.keys(object as AmfObject)).toEqual(['__proto__']);
    expect((object as AmfObject).a).toBeUndefined();
    expect((object as AmfObject).toString).toBeUndefined();
  });

  it.each([
    { name: 'a function', value: () => {}, code: 'amf.value' },
    { name: 'a bigint', value: 1n, code: 'amf.value' },
    { name: 'a key of 65536 bytes', value: { ['k'.repeat(65_536)]: 1 }, code: 'amf.value' },
    { name: 'an array too deep', value: nestedArray(65), code: 'amf.depth' },
    { name: 'more than a message holds', value: Array(20).fill(['x'.repeat(1_000_000)]), code: 'amf.value' },
    { name: 'too many elements', value: Array(16_384).fill(0), code: 'amf.elements' },
  ])('does not encode $name', ({ value, code }) => {
    expect(() => encodeAmf0([value as AmfValue])).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it('encodes and decodes any values', () => {
    fc.assert(
      fc.property(fc.array(anyAmf0Value(), { maxLength: 5 }), (values) => {
        expect(decodeAmf0(encodeAmf0(values))).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  it('answers any bytes with values or an RtmpError', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 0x11 }), fc.integer({ min: 0, max: 255 }))), (input) => {
        try {
          decodeAmf0(Uint8Array.from(input));
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

function reference(index: number): Uint8Array {
  return Uint8Array.of(0x07, index >> 8, index & 0xff);
}

function endlessNesting(length: number): Uint8Array {
  const level = bytes('03 0001 61');
  return Uint8Array.from({ length }, (_, index) => level[index % level.length] ?? 0);
}

function nestedArray(depth: number): AmfValue {
  return depth === 0 ? null : [nestedArray(depth - 1)];
}
