import { ByteWriter, isShortAscii } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { Amf3Marker, EXTERNALIZABLE_CLASSES, LARGEST_INTEGER, SMALLEST_INTEGER } from './amf3-markers.js';
import { EncodeBudget } from './encode-budget.js';
import { type AmfLimits, DEFAULT_AMF_LIMITS } from './limits.js';
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
  isAmfArray,
} from './values.js';

type NestedValue = AmfEcmaArray | AmfTypedObject | AmfExternalizable | AmfDictionary | AmfObject | readonly AmfValue[];

const utf8 = new TextEncoder();
/** Lengths and counts are 29 bits with a flag in the lowest. */
const LARGEST_LENGTH = 0x0fffffff;

/**
 * Values of AMF3 one after the other, each with reference tables of its own.
 * @throws RtmpError `amf.depth` or `amf.elements` beyond the limits, `amf.value` for what AMF3 cannot hold: a function, a symbol, a bigint, an
 * associative entry or dynamic property with an empty name, more than a message holds
 */
export function encodeAmf3(values: readonly AmfValue[], limits: AmfLimits = DEFAULT_AMF_LIMITS): Uint8Array {
  const writer = new ByteWriter();
  const budget = new EncodeBudget(limits);
  for (const value of values) new Amf3Encoder(writer, budget).value(value);
  return writer.finish();
}

/** Writes one value and what is in it: strings, objects and traits that came before as references. */
export class Amf3Encoder {
  readonly #writer: ByteWriter;
  readonly #budget: EncodeBudget;
  /** What was written, with its index (section 2.1). */
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<object, number>();
  readonly #traits = new Map<string, number>();

  constructor(writer: ByteWriter, budget: EncodeBudget) {
    this.#writer = writer;
    this.#budget = budget;
  }

  value(value: AmfValue): void {
    const writer = this.#writer;
    this.#budget.addElement(writer.length);
    switch (typeof value) {
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        writer.u8(value ? Amf3Marker.true : Amf3Marker.false);
        return;
      case 'string':
        writer.u8(Amf3Marker.string);
        this.#string(value);
        return;
      case 'undefined':
        writer.u8(Amf3Marker.undefined);
        return;
      case 'object':
        this.#object(value);
        return;
      default:
        throw new RtmpError('amf.value', `AMF3 has no type for a ${typeof value}`);
    }
  }

  #number(value: number): void {
    // -0 is a double.
    if (Number.isInteger(value) && value >= SMALLEST_INTEGER && value <= LARGEST_INTEGER && !Object.is(value, -0)) {
      this.#writer.u8(Amf3Marker.integer);
      this.#u29(value & 0x1fffffff);
    } else {
      this.#writer.u8(Amf3Marker.double);
      this.#writer.f64(value);
    }
  }

  #object(value: Exclude<AmfValue, number | boolean | string | undefined>): void {
    // AMF3 has no type for what could not be serialised.
    if (value === null || value instanceof AmfUnsupported) {
      this.#writer.u8(value === null ? Amf3Marker.null : Amf3Marker.undefined);
      return;
    }
    this.#writer.u8(markerOf(value));
    const index = this.#objects.get(value);
    if (index !== undefined) {
      this.#u29(index << 1);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    if (value instanceof Date) {
      this.#u29(1);
      this.#writer.f64(value.getTime());
    } else if (value instanceof AmfXmlDocument || value instanceof AmfXml) {
      this.#bytes(utf8.encode(value.source));
    } else if (value instanceof Uint8Array) {
      this.#bytes(value);
    } else {
      this.#budget.open();
      this.#nested(value);
      this.#budget.close();
    }
  }

  #nested(value: NestedValue | AmfVector): void {
    if (isAmfArray(value)) {
      this.#length(value.length);
      this.#string('');
      for (const element of value) this.value(element);
    } else if (value instanceof AmfEcmaArray) {
      this.#length(value.dense.length);
      this.#members(value.entries, Object.keys(value.entries));
      for (const element of value.dense) this.value(element);
    } else if (value instanceof AmfVector) {
      this.#vector(value);
    } else if (value instanceof AmfDictionary) {
      this.#length(value.entries.size);
      this.#writer.u8(value.weakKeys ? 1 : 0);
      for (const [key, entry] of value.entries) {
        this.value(key);
        this.value(entry);
      }
    } else if (value instanceof AmfExternalizable) {
      this.#externalizable(value);
    } else if (value instanceof AmfTypedObject) {
      this.#typedObject(value);
    } else {
      this.#anonymousObject(value);
    }
  }

  /** All dynamic, unless there is an empty name: that would end dynamic ones, but sealed ones have a count. */
  #anonymousObject(value: AmfObject): void {
    const names = Object.keys(value);
    if (names.includes('')) {
      this.#beginObject('', names, false);
      for (const name of names) this.value(value[name]);
    } else {
      this.#beginObject('', [], true);
      this.#members(value, names);
    }
  }

  #typedObject({ className, properties, traits }: AmfTypedObject): void {
    const names = Object.keys(properties);
    const { sealed, dynamic } = traits ?? { sealed: names, dynamic: false };
    const others = traits === undefined ? [] : namesBeyond(sealed, names);
    if (others.length > 0 && !dynamic) {
      throw new RtmpError('amf.value', `property ${others[0]} of ${className}, whose traits have no such one`);
    }
    this.#beginObject(className, sealed, dynamic);
    for (const name of sealed) this.value(properties[name]);
    if (dynamic) this.#members(properties, others);
  }

  #externalizable({ className, value }: AmfExternalizable): void {
    if (!EXTERNALIZABLE_CLASSES.has(className)) {
      throw new RtmpError('amf.value', `class ${className}, of those that write themselves only Flex's are known`);
    }
    if (!this.#knownTraits(`x${className}`)) {
      // From the lowest bit: an object, traits, externalizable.
      this.#u29(0b0111);
      this.#string(className);
    }
    this.value(value);
  }

  /** Section 3.12: traits, or a reference to equal ones. */
  #beginObject(className: string, sealed: readonly string[], dynamic: boolean): void {
    // No two lists of names give the same text.
    const names = sealed.length === 0 ? className : JSON.stringify([className, sealed]);
    if (this.#knownTraits(`${dynamic ? 'd' : 's'}${sealed.length}${names}`)) return;
    if (sealed.length > LARGEST_LENGTH >> 3) throw new RtmpError('amf.value', `${sealed.length} sealed properties`);
    this.#u29((sealed.length << 4) | (dynamic ? 0b1011 : 0b0011));
    this.#string(className);
    for (const name of sealed) this.#string(name);
  }

  #knownTraits(key: string): boolean {
    const index = this.#traits.get(key);
    if (index === undefined) this.#traits.set(key, this.#traits.size);
    else this.#u29((index << 2) | 0b01);
    return index !== undefined;
  }

  /** Names with values, and an empty name at the end. */
  #members(properties: AmfObject, names: readonly string[]): void {
    for (const name of names) {
      if (name === '') throw new RtmpError('amf.value', 'an empty name, which AMF3 has only for sealed properties');
      this.#string(name);
      this.value(properties[name]);
    }
    this.#string('');
  }

  /** Section 3.15. */
  #vector({ values, fixed, className }: AmfVector): void {
    const writer = this.#writer;
    this.#length(values.length);
    writer.u8(fixed ? 1 : 0);
    if (values instanceof Float64Array) {
      for (const value of values) writer.f64(value);
    } else if (values instanceof Int32Array || values instanceof Uint32Array) {
      for (const value of values) writer.u32(value);
    } else {
      this.#string(className);
      for (const value of values) this.value(value);
    }
  }

  #string(value: string): void {
    const index = this.#strings.get(value);
    if (index !== undefined) {
      this.#u29(index << 1);
      return;
    }
    // The empty one is never a reference (section 1.3.2).
    if (value !== '') this.#strings.set(value, this.#strings.size);
    if (isShortAscii(value)) {
      this.#length(value.length);
      this.#writer.ascii(value);
    } else {
      this.#bytes(utf8.encode(value));
    }
  }

  #bytes(bytes: Uint8Array): void {
    this.#length(bytes.length);
    this.#writer.bytes(bytes);
  }

  #length(length: number): void {
    if (length > LARGEST_LENGTH) throw new RtmpError('amf.value', `length ${length}, at most ${LARGEST_LENGTH} fits`);
    this.#u29((length << 1) | 1);
  }

  /** Section 1.3.1. @param value unsigned, 29 bits */
  #u29(value: number): void {
    const writer = this.#writer;
    if (value < 0x80) {
      writer.u8(value);
    } else if (value < 0x4000) {
      writer.u16(0x8000 | ((value << 1) & 0x7f00) | (value & 0x7f));
    } else if (value < 0x200000) {
      writer.u24(0x808000 | ((value << 2) & 0x7f0000) | ((value << 1) & 0x7f00) | (value & 0x7f));
    } else {
      writer.u32(0x80808000 | ((value << 2) & 0x7f000000) | ((value << 1) & 0x7f0000) | (value & 0x7fff));
    }
  }
}

/** Section 3.1. */
function markerOf(value: Exclude<AmfValue, number | boolean | string | null | undefined | AmfUnsupported>): number {
  if (isAmfArray(value) || value instanceof AmfEcmaArray) return Amf3Marker.array;
  if (value instanceof Date) return Amf3Marker.date;
  if (value instanceof Uint8Array) return Amf3Marker.byteArray;
  if (value instanceof AmfXmlDocument) return Amf3Marker.xmlDocument;
  if (value instanceof AmfXml) return Amf3Marker.xml;
  if (value instanceof AmfDictionary) return Amf3Marker.dictionary;
  if (!(value instanceof AmfVector)) return Amf3Marker.object;
  if (value.values instanceof Int32Array) return Amf3Marker.vectorInt;
  if (value.values instanceof Uint32Array) return Amf3Marker.vectorUint;
  return value.values instanceof Float64Array ? Amf3Marker.vectorDouble : Amf3Marker.vectorObject;
}

function namesBeyond(sealed: readonly string[], names: readonly string[]): string[] {
  const known = new Set(sealed);
  return names.filter((name) => !known.has(name));
}
