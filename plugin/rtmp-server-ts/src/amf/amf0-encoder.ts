import { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { Amf0Marker } from './amf0-markers.js';
import { type AmfLimits, DEFAULT_AMF_LIMITS } from './limits.js';
import {
  AmfEcmaArray,
  type AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfXmlDocument,
} from './values.js';

const utf8 = new TextEncoder();

/**
 * @throws RtmpError `amf.depth` or `amf.elements` beyond the limits, `amf.value` for what AMF0 cannot hold: a function, a symbol, a
 * bigint, a property name above 65535 bytes
 */
export function encodeAmf0(values: readonly AmfValue[], limits: AmfLimits = DEFAULT_AMF_LIMITS): Uint8Array {
  const encoder = new Encoder(limits);
  for (const value of values) encoder.value(value);
  return encoder.writer.finish();
}

class Encoder {
  readonly writer = new ByteWriter();
  readonly #limits: AmfLimits;
  /** The objects around the value being written, with their indices among all complex values written (section 2.9). */
  readonly #open = new Map<object, number>();
  #complexValues = 0;
  #elements = 0;

  constructor(limits: AmfLimits) {
    this.#limits = limits;
  }

  value(value: AmfValue): void {
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) {
      throw new RtmpError('amf.elements', `more than ${this.#limits.elements} values in one message`);
    }
    const { writer } = this;
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

  #string(value: string): void {
    const bytes = utf8.encode(value);
    if (bytes.length <= 0xffff) {
      this.writer.u8(Amf0Marker.string);
      this.writer.u16(bytes.length);
      this.writer.bytes(bytes);
    } else {
      this.writer.u8(Amf0Marker.longString);
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
    } else {
      this.#complex(value);
    }
  }

  /**
   * Writes a reference only for an object within itself, where nothing else would end: librtmp and others do not read references, so an
   * object met twice side by side is written twice.
   */
  #complex(value: AmfEcmaArray | AmfTypedObject | AmfObject | readonly AmfValue[]): void {
    const index = this.#open.get(value);
    if (index !== undefined) {
      if (index > 0xffff) throw new RtmpError('amf.value', `reference to object ${index}, at most 65535 can be named`);
      this.writer.u8(Amf0Marker.reference);
      this.writer.u16(index);
      return;
    }
    if (this.#open.size >= this.#limits.depth) {
      throw new RtmpError('amf.depth', `objects nested deeper than ${this.#limits.depth}`);
    }
    this.#open.set(value, this.#complexValues);
    this.#complexValues += 1;
    this.#members(value);
    this.#open.delete(value);
  }

  #members(value: AmfEcmaArray | AmfTypedObject | AmfObject | readonly AmfValue[]): void {
    const { writer } = this;
    if (isArray(value)) {
      writer.u8(Amf0Marker.strictArray);
      writer.u32(value.length);
      for (const element of value) this.value(element);
    } else if (value instanceof AmfEcmaArray) {
      writer.u8(Amf0Marker.ecmaArray);
      writer.u32(Object.keys(value.entries).length);
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
    for (const key of Object.keys(properties)) {
      this.#name(key);
      this.value(properties[key]);
    }
    this.writer.u24(Amf0Marker.objectEnd);
  }

  #name(name: string): void {
    const bytes = utf8.encode(name);
    if (bytes.length > 0xffff) throw new RtmpError('amf.value', `name of ${bytes.length} bytes, at most 65535 fit`);
    this.writer.u16(bytes.length);
    this.writer.bytes(bytes);
  }

  #longText(bytes: Uint8Array): void {
    this.writer.u32(bytes.length);
    this.writer.bytes(bytes);
  }
}

/** Array.isArray does not narrow a readonly array. */
function isArray(value: object): value is readonly AmfValue[] {
  return Array.isArray(value);
}
