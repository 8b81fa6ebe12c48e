import { encodeAmf0, encodeAmf0SwitchingToAmf3 } from '../amf/amf0-encoder.js';
import type { AmfValue } from '../amf/values.js';

/** 0: AMF0 values. 3: the AMF3 form of the message, which is one byte 0 and then AMF0 values that may switch to AMF3 one by one. */
export type AmfEncoding = 0 | 3;

/** The values of a message in its AMF3 form. Some senders leave the byte out; no AMF0 name begins with 0, a number's marker. */
export function withoutPrefix(payload: Uint8Array, encoding: AmfEncoding): Uint8Array {
  return encoding === 3 && payload[0] === 0 ? payload.subarray(1) : payload;
}

/** @throws RtmpError `amf.*` */
export function encodeValues(values: readonly AmfValue[], encoding: AmfEncoding): Uint8Array {
  return encoding === 0 ? encodeAmf0(values) : withPrefix(encodeAmf0SwitchingToAmf3(values));
}

function withPrefix(values: Uint8Array): Uint8Array {
  const payload = new Uint8Array(1 + values.length);
  payload.set(values, 1);
  return payload;
}
