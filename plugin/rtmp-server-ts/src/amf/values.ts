/** A value of the Action Message Format. Where AMF0 has two types for one JavaScript type, the rarer one is a class of its own. */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | AmfXmlDocument
  | AmfUnsupported
  | AmfEcmaArray
  | AmfTypedObject
  | AmfObject
  | readonly AmfValue[];

/** An anonymous object. Decoded ones have no prototype, so that a key such as `__proto__` or `toString` is only a key. */
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

/** An associative array (AMF0 section 2.10). Its count is only a hint, so it is neither kept nor believed. */
export class AmfEcmaArray {
  readonly entries: AmfObject;

  constructor(entries: AmfObject) {
    this.entries = entries;
  }
}

/** An object of a registered class (AMF0 section 2.18). */
export class AmfTypedObject {
  readonly className: string;
  readonly properties: AmfObject;

  constructor(className: string, properties: AmfObject) {
    this.className = className;
    this.properties = properties;
  }
}

/** An XML document in its source form (AMF0 section 2.17). */
export class AmfXmlDocument {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** Stands for a value that the sender could not serialise (AMF0 section 2.15). */
export class AmfUnsupported {
  readonly unsupported = true;
}

/** Narrows to an anonymous object: not an array, a date or one of the classes above. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The named members of anything that has some: an object, an associative array or a typed object. */
export function amfProperties(value: AmfValue): AmfObject | undefined {
  if (value instanceof AmfEcmaArray) return value.entries;
  if (value instanceof AmfTypedObject) return value.properties;
  return isAmfObject(value) ? value : undefined;
}
