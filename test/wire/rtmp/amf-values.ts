import fc from 'fast-check';
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  type AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  AmfXmlDocument,
} from 'rtmp-server-ts';

const EXTERNALIZABLE = ['ArrayCollection', 'ArrayList', 'ObjectProxy'].map((name) => `flex.messaging.io.${name}`);

/** Any value that both AMF0 and AMF3 have a type for, and that comes back from either as it was. */
export function anyAmf0Value(): fc.Arbitrary<AmfValue> {
  return recursive((value) => [
    properties(value),
    fc.array(value, { maxLength: 4 }),
    entries(value).map((properties) => new AmfEcmaArray(properties)),
    fc.tuple(className(), properties(value)).map(([name, properties]) => new AmfTypedObject(name, properties)),
  ]);
}

/** Any value that AMF3 has a type for. */
export function anyAmf3Value(): fc.Arbitrary<AmfValue> {
  return recursive((value) => [
    fc.integer({ min: -0x10000001, max: 0x10000000 }),
    fc.string().map((source) => new AmfXml(source)),
    fc.uint8Array({ maxLength: 20 }),
    fc.int32Array().map((values) => new AmfVector(values)),
    fc.uint32Array().map((values) => new AmfVector(values, { fixed: true })),
    fc.float64Array().map((values) => new AmfVector(values)),
    properties(value),
    fc.array(value, { maxLength: 4 }),
    fc.tuple(entries(value), fc.array(value, { maxLength: 3 })).map(([named, dense]) => new AmfEcmaArray(named, dense)),
    fc
      .tuple(fc.array(value, { maxLength: 3 }), fc.boolean(), fc.string())
      .map(([values, fixed, name]) => new AmfVector(values, { fixed, className: name })),
    fc
      .tuple(fc.array(fc.tuple(value, value), { maxLength: 3 }), fc.boolean())
      .map(([pairs, weak]) => new AmfDictionary(new Map(pairs), weak)),
    fc.tuple(fc.constantFrom(...EXTERNALIZABLE), value).map(([name, behind]) => new AmfExternalizable(name, behind)),
    fc
      .tuple(className(), entries(value), fc.boolean(), fc.nat(4))
      .map(([name, members, dynamic, count]) => typedObject(name, members, dynamic, count)),
  ]);
}

function recursive(kinds: (value: fc.Arbitrary<AmfValue>) => fc.Arbitrary<AmfValue>[]): fc.Arbitrary<AmfValue> {
  return fc.letrec<{ value: AmfValue }>((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, ...scalars(), ...kinds(tie('value'))),
  })).value;
}

function scalars(): fc.Arbitrary<AmfValue>[] {
  return [
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: true }),
    fc.string().map((source) => new AmfXmlDocument(source)),
  ];
}

/** With an empty name too. */
function properties(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfObject> {
  return fc.dictionary(fc.string(), value, { maxKeys: 4 });
}

function entries(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfObject> {
  return fc.dictionary(fc.string({ minLength: 1 }), value, { minKeys: 1, maxKeys: 4 });
}

function className(): fc.Arbitrary<string> {
  return fc.string({ minLength: 1 });
}

function typedObject(name: string, members: AmfObject, dynamic: boolean, count: number): AmfTypedObject {
  const names = Object.keys(members);
  return new AmfTypedObject(name, members, { sealed: dynamic ? names.slice(0, count) : names, dynamic });
}
