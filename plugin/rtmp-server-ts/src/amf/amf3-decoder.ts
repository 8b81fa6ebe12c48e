import { ByteReader } from '../bytes/byte-reader.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { Amf3Marker, EXTERNALIZABLE_CLASSES } from './amf3-markers.js';
import { DecodeBudget, type Referable } from './decode-budget.js';
import { type AmfLimits, DEFAULT_AMF_LIMITS } from './limits.js';
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  type AmfTraits,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  AmfXmlDocument,
} from './values.js';

interface Traits extends AmfTraits {
  readonly className: string;
  readonly externalizable: boolean;
  /** Bytes that they take where they are written. */
  readonly size: number;
}

type NumberVector = Int32Array | Uint32Array | Float64Array;

/**
 * Values of AMF3 one after the other, each with reference tables of its own, as encodeAmf3() writes them.
 * @throws RtmpError with a code `amf.*`
 */
export function decodeAmf3(bytes: Uint8Array, limits: AmfLimits = DEFAULT_AMF_LIMITS): AmfValue[] {
  const reader = new ByteReader(bytes, 'amf.truncated');
  const budget = new DecodeBudget(limits);
  const values: AmfValue[] = [];
  while (reader.remaining > 0) values.push(new Amf3Decoder(reader, budget).next());
  return values;
}

/**
 * Decodes one value and what is in it. As to bounds and reference loops the same holds as for AMF0. A reference gives the very object that
 * it refers to.
 */
export class Amf3Decoder {
  readonly #reader: ByteReader;
  readonly #budget: DecodeBudget;
  /** Section 2.1: strings, complex values and traits in the order in which they came. */
  readonly #strings: Referable[] = [];
  readonly #objects: Referable[] = [];
  readonly #traits: Traits[] = [];

  constructor(reader: ByteReader, budget: DecodeBudget) {
    this.#reader = reader;
    this.#budget = budget;
  }

  next(): AmfValue {
    this.#budget.addElement();
    const reader = this.#reader;
    const marker = reader.u8();
    switch (marker) {
      case Amf3Marker.undefined:
        return undefined;
      case Amf3Marker.null:
        return null;
      case Amf3Marker.false:
        return false;
      case Amf3Marker.true:
        return true;
      case Amf3Marker.integer:
        // Signed, in 29 bits (section 3.6).
        return (this.#u29() << 3) >> 3;
      case Amf3Marker.double:
        return reader.f64();
      case Amf3Marker.string:
        return this.#string();
      default:
        return this.#referable(marker);
    }
  }

  /** A complex value, or by the lowest bit of its header a reference to one. */
  #referable(marker: number): AmfValue {
    if (marker > Amf3Marker.dictionary) {
      throw new RtmpError('amf.marker', `AMF3 type marker 0x${marker.toString(16).padStart(2, '0')} is not defined`);
    }
    const start = this.#reader.offset;
    const header = this.#u29();
    if ((header & 1) === 0) return this.#budget.refer(entryAt(this.#objects, header >> 1, 'object'));
    switch (marker) {
      case Amf3Marker.array:
      case Amf3Marker.object:
      case Amf3Marker.vectorObject:
      case Amf3Marker.dictionary:
        return this.#nested(marker, header >> 1);
      default: {
        const value = this.#flat(marker, header >> 1);
        this.#objects.push({ value, size: this.#reader.offset - start, height: 0 });
        return value;
      }
    }
  }

  /** @param count what the header says above its lowest bit: mostly a length */
  #flat(marker: number, count: number): AmfValue {
    const reader = this.#reader;
    switch (marker) {
      case Amf3Marker.date:
        return new Date(reader.f64());
      case Amf3Marker.xmlDocument:
        return new AmfXmlDocument(reader.utf8(count));
      case Amf3Marker.xml:
        return new AmfXml(reader.utf8(count));
      case Amf3Marker.byteArray:
        return reader.bytes(count).slice();
      default:
        return this.#numberVector(marker, count);
    }
  }

  #nested(marker: number, count: number): AmfValue {
    const frame = this.#budget.open(this.#reader.offset);
    this.#objects.push(frame);
    switch (marker) {
      case Amf3Marker.array:
        this.#array(frame, count);
        break;
      case Amf3Marker.object:
        this.#object(frame, count);
        break;
      case Amf3Marker.vectorObject:
        this.#objectVector(frame, count);
        break;
      default:
        this.#dictionary(frame, count);
    }
    this.#budget.close(frame, this.#reader.offset);
    return frame.value;
  }

  /** Section 3.11: entries with names up to an empty one, then those with indices. */
  #array(frame: Referable, count: number): void {
    // Not believed before its elements are there.
    const dense: AmfValue[] = [];
    const name = this.#string();
    if (name === '') {
      frame.value = dense;
    } else {
      const entries: Record<string, AmfValue> = Object.create(null);
      frame.value = new AmfEcmaArray(entries, dense);
      this.#members(entries, name);
    }
    for (let index = 0; index < count; index += 1) dense.push(this.next());
  }

  /** Section 3.12. @param header traits, or by the lowest bit a reference to some */
  #object(frame: Referable, header: number): void {
    const traits = (header & 1) === 0 ? this.#referredTraits(header >> 1) : this.#readTraits(header >> 1);
    const { className, sealed, dynamic } = traits;
    if (traits.externalizable) {
      const value = new AmfExternalizable(className, undefined);
      frame.value = value;
      value.value = this.next();
      return;
    }
    const properties: Record<string, AmfValue> = Object.create(null);
    // A class without a name is that of an anonymous object.
    frame.value = className === '' ? properties : new AmfTypedObject(className, properties, { sealed, dynamic });
    for (const name of sealed) properties[name] = this.next();
    if (dynamic) this.#members(properties, this.#string());
  }

  /** Names with values up to an empty name. */
  #members(properties: Record<string, AmfValue>, first: string): void {
    for (let name = first; name !== ''; name = this.#string()) properties[name] = this.next();
  }

  #referredTraits(index: number): Traits {
    const traits = entryAt(this.#traits, index, 'traits');
    this.#budget.addReferencedBytes(traits.size);
    return traits;
  }

  /** @param header from the lowest bit: externalizable, dynamic, count of sealed properties */
  #readTraits(header: number): Traits {
    const start = this.#budget.spelledOut(this.#reader.offset);
    const externalizable = (header & 1) !== 0;
    const count = externalizable ? 0 : header >> 2;
    this.#budget.checkCount(count);
    const className = this.#string();
    if (externalizable && !EXTERNALIZABLE_CLASSES.has(className)) {
      const known = [...EXTERNALIZABLE_CLASSES].join(', ');
      throw new RtmpError('amf.unsupported', `class ${className} writes itself, and of such only ${known} are known`);
    }
    const sealed: string[] = [];
    for (let index = 0; index < count; index += 1) sealed.push(this.#string());
    const dynamic = (header & 2) !== 0;
    const traits = {
      className,
      sealed,
      dynamic,
      externalizable,
      size: this.#budget.spelledOut(this.#reader.offset) - start,
    };
    this.#traits.push(traits);
    return traits;
  }

  /** Section 3.15. The bytes must be there before room is made for the numbers. */
  #numberVector(marker: number, count: number): AmfVector {
    const fixed = this.#reader.u8() !== 0;
    const size = marker === Amf3Marker.vectorDouble ? 8 : 4;
    const bytes = this.#reader.bytes(count * size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new AmfVector(numbers(marker, count, view), { fixed });
  }

  #objectVector(frame: Referable, count: number): void {
    const fixed = this.#reader.u8() !== 0;
    const className = this.#string();
    const values: AmfValue[] = [];
    frame.value = new AmfVector(values, { fixed, className });
    for (let index = 0; index < count; index += 1) values.push(this.next());
  }

  /** Section 3.16. */
  #dictionary(frame: Referable, count: number): void {
    const weakKeys = this.#reader.u8() !== 0;
    const entries = new Map<AmfValue, AmfValue>();
    frame.value = new AmfDictionary(entries, weakKeys);
    for (let index = 0; index < count; index += 1) {
      const key = this.next();
      entries.set(key, this.next());
    }
  }

  /** A string with its length, or by the lowest bit a reference to one that came before (section 1.3.2). The empty one never is one. */
  #string(): string {
    const header = this.#u29();
    const length = header >> 1;
    if ((header & 1) === 0) return String(this.#budget.refer(entryAt(this.#strings, length, 'string')));
    if (length === 0) return '';
    const value = this.#reader.utf8(length);
    this.#strings.push({ value, size: length, height: 0 });
    return value;
  }

  /** Variable length unsigned 29-bit integer (section 1.3.1): 7 bits in each of three bytes, 8 in the fourth. */
  #u29(): number {
    const reader = this.#reader;
    let value = 0;
    for (let index = 0; index < 3; index += 1) {
      const byte = reader.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | reader.u8();
  }
}

/** @throws RtmpError `amf.reference` */
function entryAt<Entry>(table: readonly Entry[], index: number, what: string): Entry {
  const entry = table[index];
  if (entry === undefined) throw new RtmpError('amf.reference', `reference to ${what} ${index} of ${table.length}`);
  return entry;
}

function numbers(marker: number, count: number, view: DataView): NumberVector {
  switch (marker) {
    case Amf3Marker.vectorInt: {
      const values = new Int32Array(count);
      for (let index = 0; index < count; index += 1) values[index] = view.getInt32(4 * index);
      return values;
    }
    case Amf3Marker.vectorUint: {
      const values = new Uint32Array(count);
      for (let index = 0; index < count; index += 1) values[index] = view.getUint32(4 * index);
      return values;
    }
    default: {
      const values = new Float64Array(count);
      for (let index = 0; index < count; index += 1) values[index] = view.getFloat64(8 * index);
      return values;
    }
  }
}
