/** Type markers (AMF3 section 3.1). */
export const Amf3Marker = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** Integers outside of these are written as doubles (section 3.6). */
export const LARGEST_INTEGER = 0x0fffffff;
export const SMALLEST_INTEGER = -0x10000000;

/** Classes that write themselves as one AMF3 value, by their names on the wire. Every other class has a form of its own. */
export const EXTERNALIZABLE_CLASSES: ReadonlySet<string> = new Set([
  'flex.messaging.io.ArrayCollection',
  'flex.messaging.io.ArrayList',
  'flex.messaging.io.ObjectProxy',
]);
