import { ByteReader } from '../bytes/byte-reader.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { Amf0Marker } from './amf0-markers.js';
import { Amf3Decoder } from './amf3-decoder.js';
import { DecodeBudget, type Referable } from './decode-budget.js';
import { type AmfLimits, DEFAULT_AMF_LIMITS } from './limits.js';
import { AmfEcmaArray, AmfTypedObject, AmfUnsupported, type AmfValue, AmfXmlDocument } from './values.js';

/** All values of a message body. @throws RtmpError with a code `amf.*` */
export function decodeAmf0(bytes: Uint8Array, limits?: AmfLimits): AmfValue[] {
  return new Amf0Decoder(bytes, limits).rest();
}

/**
 * Decodes the values of one message body, one after the other. Time and memory are bounded by the length of the body, the depth and the
 * number of elements, whatever the counts in it claim. Reference loops are possible in the result, as they are in ActionScript.
 */
export class Amf0Decoder {
  readonly #reader: ByteReader;
  readonly #budget: DecodeBudget;
  /** The complex values so far, in the order in which their markers came: what a reference points into (section 2.9). */
  readonly #references: Referable[] = [];

  constructor(bytes: Uint8Array, limits: AmfLimits = DEFAULT_AMF_LIMITS) {
    this.#reader = new ByteReader(bytes, 'amf.truncated');
    this.#budget = new DecodeBudget(limits);
  }

  get done(): boolean {
    return this.#reader.remaining === 0;
  }

  rest(): AmfValue[] {
    const values: AmfValue[] = [];
    while (!this.done) values.push(this.next());
    return values;
  }

  next(): AmfValue {
    this.#budget.addElement();
    const reader = this.#reader;
    const marker = reader.u8();
    switch (marker) {
      case Amf0Marker.number:
        return reader.f64();
      case Amf0Marker.boolean:
        return reader.u8() !== 0;
      case Amf0Marker.string:
        return reader.utf8(reader.u16());
      case Amf0Marker.longString:
        return reader.utf8(reader.u32());
      case Amf0Marker.null:
        return null;
      case Amf0Marker.undefined:
        return undefined;
      case Amf0Marker.unsupported:
        return new AmfUnsupported();
      case Amf0Marker.xmlDocument:
        return new AmfXmlDocument(reader.utf8(reader.u32()));
      case Amf0Marker.date:
        return this.#date();
      case Amf0Marker.avmPlus:
        // For one value, whose references count from 0 again (section 3.1).
        return new Amf3Decoder(reader, this.#budget).next();
      case Amf0Marker.reference:
        return this.#reference();
      default:
        return this.#complex(marker);
    }
  }

  #complex(marker: number): AmfValue {
    const frame = this.#budget.open(this.#reader.offset);
    this.#references.push(frame);
    this.#members(marker, frame);
    this.#budget.close(frame, this.#reader.offset);
    return frame.value;
  }

  #members(marker: number, frame: Referable): void {
    if (marker === Amf0Marker.strictArray) {
      this.#strictArray(frame);
      return;
    }
    const properties: Record<string, AmfValue> = Object.create(null);
    switch (marker) {
      case Amf0Marker.object:
        frame.value = properties;
        break;
      case Amf0Marker.ecmaArray:
        // The count (section 2.10) is wrong in the output of many encoders; the end marker is what counts.
        this.#reader.u32();
        frame.value = new AmfEcmaArray(properties);
        break;
      case Amf0Marker.typedObject:
        frame.value = new AmfTypedObject(this.#reader.utf8(this.#reader.u16()), properties);
        break;
      default:
        throw undefinedMarker(marker);
    }
    this.#properties(properties);
  }

  /** Up to the object end marker. */
  #properties(properties: Record<string, AmfValue>): void {
    const reader = this.#reader;
    for (;;) {
      const key = reader.utf8(reader.u16());
      if (key === '' && reader.peek() === Amf0Marker.objectEnd) {
        reader.u8();
        return;
      }
      properties[key] = this.next();
    }
  }

  #strictArray(frame: Referable): void {
    const count = this.#reader.u32();
    // Not believed before its elements are there.
    const values: AmfValue[] = [];
    frame.value = values;
    for (let index = 0; index < count; index += 1) values.push(this.next());
  }

  #date(): Date {
    const milliseconds = this.#reader.f64();
    // The time zone is reserved, should be 0 and must not be used (section 2.13).
    this.#reader.i16();
    return new Date(milliseconds);
  }

  #reference(): AmfValue {
    const index = this.#reader.u16();
    const entry = this.#references[index];
    if (entry === undefined) {
      throw new RtmpError('amf.reference', `reference to object ${index} of ${this.#references.length}`);
    }
    return this.#budget.refer(entry);
  }
}

function undefinedMarker(marker: number): RtmpError {
  return new RtmpError('amf.marker', `AMF0 type marker 0x${marker.toString(16).padStart(2, '0')} is not defined`);
}
