import { ByteWriter, isShortAscii } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { Amf0Marker } from './amf0-markers.js';
import { Amf3Encoder } from './amf3-encoder.js';
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

type NestedValue = AmfEcmaArray | AmfTypedObject | AmfObject | readonly AmfValue[];

const utf8 = new TextEncoder();

/**
 * What only AMF3 has a type for (ByteArray, Vector, Dictionary, XML and Flex's classes) is written with a switch to AMF3, which clients of
 * Flash Player 9 and later read.
 *
 * @throws RtmpError `amf.depth` or `amf.elements` beyond the limits, `amf.value` for what AMF cannot hold: a function, a symbol, a
 * bigint, a property name above 65535 bytes, more than a message holds
 */
export function encodeAmf0(values: readonly AmfValue[], limits: AmfLimits = DEFAULT_AMF_LIMITS): Uint8Array {
  const encoder = new Encoder(limits);
  for (const value of values) encoder.value(value);
  return encoder.writer.finish();
}

/**
 * Values for a peer with object encoding 3: scalars in AMF0, every complex type with a switch to AMF3 (section 3.1).
 * @throws as {@link encodeAmf0}
 */
export function encodeAmf0SwitchingToAmf3(
  values: readonly AmfValue[],
  limits: AmfLimits = DEFAULT_AMF_LIMITS,
): Uint8Array {
  const encoder = new Encoder(limits);
  for (const value of values) {
    if (typeof value !== 'object' || value === null || value instanceof AmfUnsupported) encoder.value(value);
    else encoder.switchToAmf3(value);
  }
  return encoder.writer.finish();
}

class Encoder {
  readonly writer = new ByteWriter();
  readonly #budget: EncodeBudget;
  /** The objects around the value being written, with their indices among all complex values written (section 2.9). */
  readonly #open = new Map<object, number>();
  #complexValues = 0;

  constructor(limits: AmfLimits) {
    this.#budget = new EncodeBudget(limits);
  }

  value(value: AmfValue): void {
    const { writer } = this;
    this.#budget.addElement(writer.length);
    switch (typeof value) {
      case 'number':
        writer.u8(Amf0Marker.number);
        writer.f64(value);
        return;
      case 'boolean':
        writer.u8(Amf0Marker.boolean);
        writer.u8(value ? 1 : 0);
        return;
      case 'string':
        this.#string(value);
        return;
      case 'undefined':
        writer.u8(Amf0Marker.undefined);
        return;
      case 'object':
        this.#object(value);
        return;
      default:
        throw new RtmpError('amf.value', `AMF0 has no type for a ${typeof value}`);
    }
  }

  /** For this value (section 3.1). */
  switchToAmf3(value: AmfValue): void {
    this.writer.u8(Amf0Marker.avmPlus);
    new Amf3Encoder(this.writer, this.#budget).value(value);
  }

  #string(value: string): void {
    const { writer } = this;
    if (isShortAscii(value)) {
      writer.u8(Amf0Marker.string);
      writer.u16(value.length);
      writer.ascii(value);
      return;
    }
    const bytes = utf8.encode(value);
    if (bytes.length <= 0xffff) {
      writer.u8(Amf0Marker.string);
      writer.u16(bytes.length);
      writer.bytes(bytes);
    } else {
      writer.u8(Amf0Marker.longString);
      this.#longText(bytes);
    }
  }

  #object(value: Exclude<AmfValue, number | boolean | string | undefined>): void {
    const { writer } = this;
    if (value === null) {
      writer.u8(Amf0Marker.null);
    } else if (value instanceof Date) {
      writer.u8(Amf0Marker.date);
      writer.f64(value.getTime());
      writer.u16(0);
    } else if (value instanceof AmfXmlDocument) {
      writer.u8(Amf0Marker.xmlDocument);
      this.#longText(utf8.encode(value.source));
    } else if (value instanceof AmfUnsupported) {
      writer.u8(Amf0Marker.unsupported);
    } else if (hasOnlyAmf3Type(value)) {
      this.switchToAmf3(value);
    } else {
      this.#complex(value);
    }
  }

  /**
   * Writes a reference only for an object within itself, where nothing else would end: librtmp and others do not read references, so an
   * object met twice side by side is written twice.
   */
  #complex(value: NestedValue): void {
    const index = this.#open.get(value);
    if (index !== undefined) {
      if (index > 0xffff) throw new RtmpError('amf.value', `reference to object ${index}, at most 65535 can be named`);
      this.writer.u8(Amf0Marker.reference);
      this.writer.u16(index);
      return;
    }
    this.#budget.open();
    this.#open.set(value, this.#complexValues);
    this.#complexValues += 1;
    this.#members(value);
    this.#open.delete(value);
    this.#budget.close();
  }

  #members(value: NestedValue): void {
    const { writer } = this;
    if (isAmfArray(value)) {
      writer.u8(Amf0Marker.strictArray);
      writer.u32(value.length);
      for (const element of value) this.value(element);
    } else if (value instanceof AmfEcmaArray) {
      writer.u8(Amf0Marker.ecmaArray);
      writer.u32(value.dense.length + Object.keys(value.entries).length);
      for (const [index, element] of value.dense.entries()) this.#property(String(index), element);
      this.#properties(value.entries);
    } else if (value instanceof AmfTypedObject) {
      writer.u8(Amf0Marker.typedObject);
      this.#name(value.className);
      this.#properties(value.properties);
    } else {
      writer.u8(Amf0Marker.object);
      this.#properties(value);
    }
  }

  #properties(properties: AmfObject): void {
    for (const key of Object.keys(properties)) this.#property(key, properties[key]);
    this.writer.u24(Amf0Marker.objectEnd);
  }

  #property(name: string, value: AmfValue): void {
    this.#name(name);
    this.value(value);
  }

  #name(name: string): void {
    const { writer } = this;
    if (isShortAscii(name)) {
      writer.u16(name.length);
      writer.ascii(name);
      return;
    }
    const bytes = utf8.encode(name);
    if (bytes.length > 0xffff) throw new RtmpError('amf.value', `name of ${bytes.length} bytes, at most 65535 fit`);
    writer.u16(bytes.length);
    writer.bytes(bytes);
  }

  #longText(bytes: Uint8Array): void {
    this.writer.u32(bytes.length);
    this.writer.bytes(bytes);
  }
}

function hasOnlyAmf3Type(value: object): value is Uint8Array | AmfXml | AmfExternalizable | AmfVector | AmfDictionary {
  return (
    value instanceof Uint8Array ||
    value instanceof AmfXml ||
    value instanceof AmfExternalizable ||
    value instanceof AmfVector ||
    value instanceof AmfDictionary
  );
}
