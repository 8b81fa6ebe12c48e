import type { ByteReader } from '../bytes/byte-reader.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { AmfValue } from './values.js';

/** Type markers of AMF3 (section 3.1) that stand for values without references. */
const Amf3Marker = { undefined: 0, null: 1, false: 2, true: 3, integer: 4, double: 5, string: 6 } as const;

/**
 * A scalar in AMF3, to which the AMF0 marker 0x11 switches for one value (AMF0 section 3.1). Clients with object encoding 3 wrap arguments
 * in it. Each switch starts with empty reference tables, so a reference here can only be wrong.
 *
 * @throws RtmpError `amf.unsupported` for every other type of AMF3
 */
export function readAmf3Scalar(reader: ByteReader): AmfValue {
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
      // Signed 29 bits (section 3.6).
      return (readU29(reader) << 3) >> 3;
    case Amf3Marker.double:
      return reader.f64();
    case Amf3Marker.string:
      return readString(reader);
    default:
      throw new RtmpError(
        'amf.unsupported',
        `AMF3 type marker 0x${marker.toString(16).padStart(2, '0')} is not supported`,
      );
  }
}

/** Variable length unsigned 29-bit integer (section 1.3.1): 7 bits in each of three bytes, 8 in the fourth. */
function readU29(reader: ByteReader): number {
  let value = 0;
  for (let index = 0; index < 3; index += 1) {
    const byte = reader.u8();
    value = (value << 7) | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return (value << 8) | reader.u8();
}

/** A string with its length, or a reference by the low bit (section 1.3.2). */
function readString(reader: ByteReader): string {
  const header = readU29(reader);
  if ((header & 1) === 0) throw new RtmpError('amf.reference', `reference to string ${header >> 1} of 0`);
  return reader.utf8(header >> 1);
}
