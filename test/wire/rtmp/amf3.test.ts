import fc from 'fast-check';
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  type AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfVector,
  AmfXml,
  AmfXmlDocument,
  amfProperties,
  DEFAULT_AMF_LIMITS,
  decodeAmf3,
  encodeAmf0,
  encodeAmf3,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { anyAmf3Value } from './amf-values.js';
import { bytes, repeat, text } from './bytes.js';

interface Row {
  name: string;
  bytes: Uint8Array;
  value: AmfValue;
}

const SHARED = { k: 'k' };
const DATE = new Date(Date.UTC(2010, 0, 1));
const BYTES = bytes('00 01 02');
const XML = new AmfXml('<a/>');
const POINT = { sealed: ['x', 'y'], dynamic: false };

/** Each both decodes to and is encoded from its value. Sections are those of the AMF3 specification. PyAMF writes the rows marked so. */
const CANONICAL: Row[] = [
  { name: 'undefined (3.2)', bytes: bytes('00'), value: undefined },
  { name: 'null (3.3)', bytes: bytes('01'), value: null },
  { name: 'false (3.4)', bytes: bytes('02'), value: false },
  { name: 'true (3.5)', bytes: bytes('03'), value: true },
  { name: 'integer 0 (3.6)', bytes: bytes('04 00'), value: 0 },
  { name: 'integer 127, the last of one byte (PyAMF)', bytes: bytes('04 7f'), value: 127 },
  { name: 'integer 128, the first of two', bytes: bytes('04 8100'), value: 128 },
  { name: 'integer 16383, the last of two', bytes: bytes('04 ff7f'), value: 16_383 },
  { name: 'integer 16384, the first of three', bytes: bytes('04 818000'), value: 16_384 },
  { name: 'integer 2097151, the last of three', bytes: bytes('04 ffff7f'), value: 2_097_151 },
  { name: 'integer 2097152, the first of four', bytes: bytes('04 80c08000'), value: 2_097_152 },
  { name: 'integer 2^28 - 1, the largest', bytes: bytes('04 bfffffff'), value: 268_435_455 },
  { name: 'integer -1', bytes: bytes('04 ffffffff'), value: -1 },
  { name: 'integer -2^28, the smallest', bytes: bytes('04 c0808000'), value: -268_435_456 },
  { name: 'double 2^28, no integer any more (3.7)', bytes: bytes('05 41b0000000000000'), value: 268_435_456 },
  { name: 'double -2^28 - 1', bytes: bytes('05 c1b0000001000000'), value: -268_435_457 },
  { name: 'double 1.5', bytes: bytes('05 3ff8000000000000'), value: 1.5 },
  { name: 'double -0', bytes: bytes('05 8000000000000000'), value: -0 },
  { name: 'string (3.8)', bytes: bytes('06 0b', text('hello')), value: 'hello' },
  { name: 'empty string', bytes: bytes('06 01'), value: '' },
  { name: 'string in UTF-8', bytes: bytes('06 0d c3a4 f09f988a'), value: 'ä😊' },
  {
    name: 'string of 64 bytes, whose length takes two',
    bytes: bytes('06 8101', repeat(0x61, 64)),
    value: 'a'.repeat(64),
  },
  {
    name: 'string again, by reference, which the empty one never is (PyAMF)',
    bytes: bytes('09 0b 01', '06 03 61', '06 03 62', '06 00', '06 01', '06 01'),
    value: ['a', 'b', 'a', '', ''],
  },
  { name: 'XML document (3.9)', bytes: bytes('07 09', text('<a/>')), value: new AmfXmlDocument('<a/>') },
  { name: 'date (3.10)', bytes: bytes('08 01 42725e72e7800000'), value: DATE },
  { name: 'date again (PyAMF)', bytes: bytes('09 05 01', '08 01 42725e72e7800000', '08 02'), value: [DATE, DATE] },
  { name: 'empty array (3.11)', bytes: bytes('09 01 01'), value: [] },
  { name: 'array', bytes: bytes('09 07 01', '03 04 01 01'), value: [true, 1, null] },
  {
    name: 'array with names and indices (PyAMF)',
    bytes: bytes('09 05 03 61 04 01 01', '06 03 78', '06 03 79'),
    value: new AmfEcmaArray({ a: 1 }, ['x', 'y']),
  },
  { name: 'array with names only', bytes: bytes('09 01 03 61 04 01 01'), value: new AmfEcmaArray({ a: 1 }) },
  { name: 'empty object (3.12)', bytes: bytes('0a 0b 01 01'), value: {} },
  {
    name: 'objects in objects, with traits and strings by reference (PyAMF)',
    bytes: bytes('0a 0b 01', '03 61', '0a 01', '03 62', '09 07 01', '06 00', '06 02', '0a 01', '00 01 01', '01', '01'),
    value: { a: { b: ['a', 'b', { a: null }] } },
  },
  {
    name: 'object again (PyAMF)',
    bytes: bytes('09 05 01', '0a 0b 01', '03 6b', '06 00', '01', '0a 02'),
    value: [SHARED, SHARED],
  },
  {
    name: 'objects of a sealed class, the second with the traits of the first (PyAMF)',
    bytes: bytes('09 05 01', '0a 23 0b', text('Point'), '03 78 03 79', '04 01 04 02', '0a 01 04 03 04 04'),
    value: [new AmfTypedObject('Point', { x: 1, y: 2 }, POINT), new AmfTypedObject('Point', { x: 3, y: 4 }, POINT)],
  },
  {
    name: 'object of a dynamic class (PyAMF)',
    bytes: bytes('0a 0b 0f', text('org.Foo'), '03 61 04 01 01'),
    value: new AmfTypedObject('org.Foo', { a: 1 }, { sealed: [], dynamic: true }),
  },
  {
    name: 'object of a class that is both (PyAMF)',
    bytes: bytes('0a 1b 0b', text('Mixed'), '03 78', '04 01', '03 7a 04 02 01'),
    value: new AmfTypedObject('Mixed', { x: 1, z: 2 }, { sealed: ['x'], dynamic: true }),
  },
  {
    name: 'anonymous object with an empty name, as sealed',
    bytes: bytes('0a 13 01', '01', '03'),
    value: { '': true },
  },
  {
    name: 'ArrayCollection (PyAMF)',
    bytes: bytes('0a 07 43', text('flex.messaging.io.ArrayCollection'), '09 05 01 04 01 06 03 61'),
    value: new AmfExternalizable('flex.messaging.io.ArrayCollection', [1, 'a']),
  },
  {
    name: 'ArrayCollections, the second with the traits of the first (PyAMF)',
    bytes: bytes(
      '09 05 01',
      ...['0a 07 43', text('flex.messaging.io.ArrayCollection'), '09 03 01 04 01'],
      '0a 01 09 03 01 04 02',
    ),
    value: [1, 2].map((element) => new AmfExternalizable('flex.messaging.io.ArrayCollection', [element])),
  },
  {
    name: 'ArrayList',
    bytes: bytes('0a 07 37', text('flex.messaging.io.ArrayList'), '09 01 01'),
    value: new AmfExternalizable('flex.messaging.io.ArrayList', []),
  },
  {
    name: 'ObjectProxy (PyAMF)',
    bytes: bytes('0a 07 3b', text('flex.messaging.io.ObjectProxy'), '0a 0b 01 03 61 04 01 01'),
    value: new AmfExternalizable('flex.messaging.io.ObjectProxy', { a: 1 }),
  },
  { name: 'XML (3.13)', bytes: bytes('0b 09', text('<a/>')), value: XML },
  { name: 'XML again', bytes: bytes('09 05 01', '0b 09', text('<a/>'), '0b 02'), value: [XML, XML] },
  { name: 'ByteArray (3.14)', bytes: bytes('0c 07 00 01 02'), value: BYTES },
  { name: 'ByteArray again (PyAMF)', bytes: bytes('09 05 01', '0c 07 00 01 02', '0c 02'), value: [BYTES, BYTES] },
  { name: 'empty ByteArray', bytes: bytes('0c 01'), value: bytes() },
  {
    name: 'Vector of int (3.15)',
    bytes: bytes('0d 07 00', '00000001 ffffffff 80000000'),
    value: new AmfVector(Int32Array.of(1, -1, -2_147_483_648)),
  },
  {
    name: 'Vector of uint, of fixed length',
    bytes: bytes('0e 05 01', '00000001 ffffffff'),
    value: new AmfVector(Uint32Array.of(1, 4_294_967_295), { fixed: true }),
  },
  {
    name: 'Vector of Number',
    bytes: bytes('0f 05 00', '3ff8000000000000 fff0000000000000'),
    value: new AmfVector(Float64Array.of(1.5, Number.NEGATIVE_INFINITY)),
  },
  {
    name: 'Vector of objects of a class',
    bytes: bytes('10 05 00 0b', text('Point'), '0a 13 00 03 78', '04 01', '01'),
    value: new AmfVector([new AmfTypedObject('Point', { x: 1 }, { sealed: ['x'], dynamic: false }), null], {
      className: 'Point',
    }),
  },
  {
    name: 'Vector of objects without a class',
    bytes: bytes('10 03 01 01', '06 03 61'),
    value: new AmfVector(['a'], { fixed: true }),
  },
  { name: 'empty Vector', bytes: bytes('0f 01 00'), value: new AmfVector(new Float64Array(0)) },
  {
    name: 'Dictionary (3.16), whose keys are of any type',
    bytes: bytes('11 07 00', '04 01 03', '06 03 31 02', '09 01 01 01'),
    value: new AmfDictionary(
      new Map<AmfValue, AmfValue>([
        [1, true],
        ['1', false],
        [[], null],
      ]),
    ),
  },
  { name: 'Dictionary with weak keys', bytes: bytes('11 01 01'), value: new AmfDictionary(new Map(), true) },
];

/** Read, but not written like this. */
const DECODED_ONLY: Row[] = [
  { name: 'integer in more bytes than it needs', bytes: bytes('04 80 80 05'), value: 5 },
  { name: 'double that could be an integer', bytes: bytes('05 3ff0000000000000'), value: 1 },
  { name: 'string again, not by reference', bytes: bytes('09 05 01', '06 03 61', '06 03 61'), value: ['a', 'a'] },
  { name: 'bad UTF-8', bytes: bytes('06 05 61 ff'), value: 'a\ufffd' },
  { name: 'anonymous object of sealed properties', bytes: bytes('0a 13 01 03 61', '04 01'), value: { a: 1 } },
  {
    name: 'flag of a Vector that is neither 0 nor 1',
    bytes: bytes('0d 01 7f'),
    value: new AmfVector(new Int32Array(0), { fixed: true }),
  },
  {
    name: 'array with an index among its names',
    bytes: bytes('09 03 03 30 06 03 61 01 06 03 62'),
    value: new AmfEcmaArray({ 0: 'a' }, ['b']),
  },
  {
    name: 'name that comes as sealed and as dynamic: the last counts',
    bytes: bytes('0a 1b 03 43', '03 61', '04 01', '02 04 02 01'),
    value: new AmfTypedObject('C', { a: 2 }, { sealed: ['a'], dynamic: true }),
  },
];

const WRONG: { name: string; bytes: Uint8Array; code: string }[] = [
  { name: 'marker 0x12, the first that is not defined', bytes: bytes('12 01'), code: 'amf.marker' },
  { name: 'marker 0xff', bytes: bytes('ff'), code: 'amf.marker' },
  { name: 'reference to no string', bytes: bytes('06 00'), code: 'amf.reference' },
  { name: 'reference to the string after the last', bytes: bytes('09 05 01 06 03 61 06 02'), code: 'amf.reference' },
  { name: 'reference to no object', bytes: bytes('0a 00'), code: 'amf.reference' },
  { name: 'reference to the object after the last', bytes: bytes('09 03 01 0a 02'), code: 'amf.reference' },
  { name: 'reference to no traits', bytes: bytes('0a 01'), code: 'amf.reference' },
  { name: 'reference to the largest index', bytes: bytes('0a fffffffe'), code: 'amf.reference' },
  { name: 'string longer than the message', bytes: bytes('06 ffffffff 61'), code: 'amf.truncated' },
  { name: 'ByteArray longer than the message', bytes: bytes('0c ffffffff 61'), code: 'amf.truncated' },
  { name: 'XML longer than the message', bytes: bytes('0b ffffffff 61'), code: 'amf.truncated' },
  { name: 'array of 268 million elements', bytes: bytes('09 ffffffff 01 01'), code: 'amf.truncated' },
  { name: 'Vector of 268 million integers', bytes: bytes('0d ffffffff 00 00000000'), code: 'amf.truncated' },
  { name: 'Vector of 268 million numbers', bytes: bytes('0f ffffffff 00 00000000'), code: 'amf.truncated' },
  { name: 'Vector of 268 million objects', bytes: bytes('10 ffffffff 00 01 01'), code: 'amf.truncated' },
  { name: 'Dictionary of 268 million entries', bytes: bytes('11 ffffffff 00 01 01'), code: 'amf.truncated' },
  { name: 'traits with 33 million properties', bytes: bytes('0a fffffff3 01'), code: 'amf.elements' },
  { name: 'traits with a million properties that are there', bytes: millionTraits(), code: 'amf.elements' },
  { name: 'object without an end', bytes: bytes('0a 0b 01 03 61 04 01'), code: 'amf.truncated' },
  { name: 'class that writes itself, unknown', bytes: bytes('0a 07 07', text('DSA'), '01'), code: 'amf.unsupported' },
  { name: 'anonymous class that writes itself', bytes: bytes('0a 07 01 01'), code: 'amf.unsupported' },
  { name: '65 arrays within one another', bytes: bytes(...Array(65).fill('09 03 01'), '01'), code: 'amf.depth' },
  { name: 'a megabyte of opening arrays', bytes: cycled('09 03 01', 999_999), code: 'amf.depth' },
  { name: 'a megabyte of opening dictionaries', bytes: cycled('11 03 00', 999_999), code: 'amf.depth' },
  {
    name: 'a megabyte of opening proxies',
    bytes: bytes('0a 07 3b', text('flex.messaging.io.ObjectProxy'), cycled('0a 01', 1_000_000)),
    code: 'amf.depth',
  },
  { name: '16385 values', bytes: repeat(0x01, 16_385), code: 'amf.elements' },
];

describe('AMF3', () => {
  it.each(CANONICAL)('decodes and encodes $name', ({ bytes: encoded, value }) => {
    expect(decodeAmf3(encoded)).toEqual([value]);
    expect(encodeAmf3([value])).toEqual(encoded);
  });

  it.each(DECODED_ONLY)('decodes $name', ({ bytes: encoded, value }) => {
    expect(decodeAmf3(encoded)).toEqual([value]);
  });

  it.each(WRONG)('refuses $name', ({ bytes: encoded, code }) => {
    expect(() => decodeAmf3(encoded)).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it.each([...CANONICAL, ...DECODED_ONLY])('refuses $name cut short', ({ bytes: encoded }) => {
    for (let length = 1; length < encoded.length; length += 1) {
      expect(() => decodeAmf3(encoded.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'amf.truncated' }),
      );
    }
  });

  it('begins each value with empty tables', () => {
    expect(encodeAmf3(['a', 'a'])).toEqual(bytes('06 03 61 06 03 61'));
    expect(() => decodeAmf3(bytes('06 03 61 06 00'))).toThrow(expect.objectContaining({ code: 'amf.reference' }));
  });

  it('gives the same object for each reference to it, and writes one that it meets again as a reference', () => {
    const [list] = decodeAmf3(bytes('09 07 01', '0a 0b 01 01', '0a 02', '0a 02')) as [AmfObject[]];
    expect(list[1]).toBe(list[0]);
    expect(list[2]).toBe(list[0]);
    const equal = [{}, {}];
    expect(encodeAmf3([equal])).toEqual(bytes('09 05 01', '0a 0b 01 01', '0a 01 01'));
  });

  it('counts objects of every type in one table, from the outermost', () => {
    // 0: the array, 1: a date, 2: a ByteArray, 3: XML, 4: a vector, 5: a dictionary, 6: an object
    const all = bytes(
      ...['08 01 0000000000000000', '0c 01', '0b 01', '0d 01 00', '11 01 00', '0a 0b 01 01'],
      ...['08 02', '0c 04', '0b 06', '0d 08', '11 0a', '0a 0c'],
    );
    const [list] = decodeAmf3(bytes('09 19 01', all)) as [AmfValue[]];
    for (let index = 0; index < 6; index += 1) expect(list[index + 6]).toBe(list[index]);
    expect(encodeAmf3([list])).toEqual(bytes('09 19 01', all));
  });

  it('keeps the names of prototype members as plain keys', () => {
    const [object] = decodeAmf3(bytes('0a 0b 01 13', text('__proto__'), '0a 01 03 61 01 01 01')) as [AmfObject];
    expect(Object.keys(object)).toEqual(['__proto__']);
    expect(object.a).toBeUndefined();
    expect(object.toString).toBeUndefined();
  });

  it('copies a ByteArray: it does not keep the message that it came in', () => {
    const message = bytes('0c 05 01 02');
    const [value] = decodeAmf3(message) as [Uint8Array];
    message.fill(0);
    expect(value).toEqual(bytes('01 02'));
    expect(value.buffer.byteLength).toBe(2);
  });

  it('sees through one proxy to the properties behind', () => {
    const proxy = (value: AmfValue) => new AmfExternalizable('flex.messaging.io.ObjectProxy', value);
    expect(amfProperties(proxy({ a: 1 }))).toEqual({ a: 1 });
    const itself = proxy(null);
    itself.value = itself;
    expect(amfProperties(itself)).toBeUndefined();
  });

  it('writes a typed object of AMF0 as one of a class that has just its properties', () => {
    const point = new AmfTypedObject('P', { x: true });
    expect(encodeAmf3([point])).toEqual(bytes('0a 13 03 50 03 78 03'));
  });

  it('tells apart classes of the same name and different properties', () => {
    const values = [{ a: 1 }, { b: 1 }, { a: 2 }].map((properties) => new AmfTypedObject('C', properties));
    const [decoded] = decodeAmf3(encodeAmf3([values])) as [AmfTypedObject[]];
    expect(decoded.map(({ properties }) => properties)).toEqual([{ a: 1 }, { b: 1 }, { a: 2 }]);
  });

  it('writes undefined for what could not be serialised, and for what is missing of a class', () => {
    expect(encodeAmf3([new AmfUnsupported()])).toEqual(bytes('00'));
    const half = new AmfTypedObject('P', {}, { sealed: ['x'], dynamic: false });
    expect(encodeAmf3([half])).toEqual(bytes('0a 13 03 50 03 78 00'));
  });

  it.each([
    { name: 'a function', value: () => {}, code: 'amf.value' },
    { name: 'a bigint', value: 1n, code: 'amf.value' },
    { name: 'an array entry with an empty name', value: new AmfEcmaArray({ '': 1 }), code: 'amf.value' },
    {
      name: 'a dynamic property with an empty name',
      value: new AmfTypedObject('C', { '': 1 }, { sealed: [], dynamic: true }),
      code: 'amf.value',
    },
    {
      name: 'a property that a sealed class does not have',
      value: new AmfTypedObject('C', { a: 1 }, { sealed: [], dynamic: false }),
      code: 'amf.value',
    },
    { name: 'an unknown class that writes itself', value: new AmfExternalizable('C', 1), code: 'amf.value' },
    { name: 'an array too deep', value: nestedArray(65), code: 'amf.depth' },
    {
      name: 'more than a message holds',
      value: Array.from({ length: 20 }, () => new Uint8Array(1_000_000)),
      code: 'amf.value',
    },
    { name: 'too many elements', value: Array(16_384).fill(0), code: 'amf.elements' },
  ])('does not encode $name', ({ value, code }) => {
    expect(() => encodeAmf3([value as AmfValue])).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it('encodes and decodes any values', () => {
    fc.assert(
      fc.property(fc.array(anyAmf3Value(), { maxLength: 3 }), (values) => {
        expect(decodeAmf3(encodeAmf3(values))).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  it('answers any bytes with values, which it can write again, or an RtmpError', () => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 0x12 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte), (input) => {
        try {
          const values = decodeAmf3(Uint8Array.from(input));
          encodeAmf3(values);
          encodeAmf0(values);
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('AMF3 references', () => {
  it.each([
    { name: 'an array', encoded: '09 03 01 09 00' },
    { name: 'an object', encoded: '0a 0b 01 03 61 0a 00 01' },
    { name: 'a Vector', encoded: '10 03 00 01 10 00' },
    { name: 'a Dictionary, as a key', encoded: '11 03 00 11 00 01' },
    { name: 'a Dictionary, as a value', encoded: '11 03 00 01 11 00' },
  ])('may lead from $name to itself, and are written so again', ({ encoded }) => {
    const values = decodeAmf3(bytes(encoded));
    expect(encodeAmf3(values)).toEqual(bytes(encoded));
    expect(() => encodeAmf0(values)).not.toThrow();
  });

  it('may lead from an ArrayCollection to itself', () => {
    const encoded = bytes('0a 07 43', text('flex.messaging.io.ArrayCollection'), '0a 00');
    const [collection] = decodeAmf3(encoded) as [AmfExternalizable];
    expect(collection.value).toBe(collection);
    expect(encodeAmf3([collection])).toEqual(encoded);
  });

  /** An array whose elements after the first are each made from the number of the one before in the object table. */
  const growing = (count: number, element: (before: number) => Uint8Array) => {
    const elements = Array.from({ length: count }, (_, index) => element(index + 1));
    return bytes('09', u29(((count + 1) << 1) | 1), '01', '09 01 01', ...elements);
  };
  const twice = (before: number) => bytes('09 05 01', '09', u29(before << 1), '09', u29(before << 1));
  const once = (before: number) => bytes('09 03 01', '09', u29(before << 1));

  it('cannot stand for more than the limit: 40 arrays that each hold the one before twice', () => {
    expect(() => decodeAmf3(growing(40, twice))).toThrow(expect.objectContaining({ code: 'amf.referenced-bytes' }));
    const [values] = decodeAmf3(growing(10, twice));
    expect(JSON.stringify(values).length).toBeLessThan(20_000);
  });

  it('cannot nest deeper than the limit: a chain of arrays that each hold the one before', () => {
    expect(() => decodeAmf3(growing(61, once))).not.toThrow();
    expect(() => decodeAmf3(growing(63, once))).toThrow(expect.objectContaining({ code: 'amf.depth' }));
  });

  it('cannot stand for more than the limit: a long string, a long class, a long ByteArray', () => {
    const references = (marker: string, header: string) =>
      bytes(...Array.from({ length: 30 }, () => bytes(marker, header)));
    const long = repeat(0x61, 40_000);
    const length = u29((40_000 << 1) | 1);
    const code = 'amf.referenced-bytes';
    const list = bytes('09', u29((31 << 1) | 1), '01');
    for (const bomb of [
      bytes(list, '06', length, long, references('06', '00')),
      bytes(list, '0c', length, long, references('0c', '02')),
      bytes(list, '0a 03', length, long, references('0a', '01')),
    ]) {
      expect(() => decodeAmf3(bomb)).toThrow(expect.objectContaining({ code }));
      expect(() => decodeAmf3(bomb, { ...DEFAULT_AMF_LIMITS, referencedBytes: 2_000_000 })).not.toThrow();
    }
  });
});

function nestedArray(depth: number): AmfValue {
  return depth === 0 ? null : [nestedArray(depth - 1)];
}

function cycled(hex: string, length: number): Uint8Array {
  const part = bytes(hex);
  return Uint8Array.from({ length }, (_, index) => part[index % part.length] ?? 0);
}

function millionTraits(): Uint8Array {
  return bytes('0a', u29((1_000_000 << 4) | 3), '01', repeat(0x01, 1_000_000));
}

/** Four bytes, whatever the value (section 1.3.1). */
function u29(value: number): Uint8Array {
  return Uint8Array.of(0x80 | (value >> 22), 0x80 | ((value >> 15) & 0x7f), 0x80 | ((value >> 8) & 0x7f), value & 0xff);
}
