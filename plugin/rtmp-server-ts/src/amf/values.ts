/**
 * A value of the Action Message Format. Where it has two types for one JavaScript type, the rarer one is a class of its own. Integer and
 * double are both a number; a ByteArray is a Uint8Array.
 */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | Uint8Array
  | AmfXmlDocument
  | AmfXml
  | AmfUnsupported
  | AmfEcmaArray
  | AmfTypedObject
  | AmfExternalizable
  | AmfVector
  | AmfDictionary
  | AmfObject
  | readonly AmfValue[];

/** An anonymous object. Decoded ones have no prototype, so that a key such as `__proto__` or `toString` is only a key. */
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

/**
 * An array with names for indices (AMF0 section 2.10, AMF3 section 3.11). The count of AMF0 is only a hint, so it is neither kept nor
 * believed.
 */
export class AmfEcmaArray {
  readonly entries: AmfObject;
  /** The part of an array of AMF3 that has indices from 0. AMF0 writes it as entries with numbers for names. */
  readonly dense: readonly AmfValue[];

  constructor(entries: AmfObject, dense: readonly AmfValue[] = []) {
    this.entries = entries;
    this.dense = dense;
  }
}

/** What AMF3 says of a class (section 3.12). */
export interface AmfTraits {
  /** The properties that every object of the class has. */
  readonly sealed: readonly string[];
  /** Whether an object may have others too. */
  readonly dynamic: boolean;
}

/** An object of a registered class (AMF0 section 2.18, AMF3 section 3.12). */
export class AmfTypedObject {
  readonly className: string;
  /** Sealed and dynamic ones. */
  readonly properties: AmfObject;
  /** As AMF3 said it. An object without them is written in AMF3 as one of a class that has just its properties. */
  readonly traits: AmfTraits | undefined;

  constructor(className: string, properties: AmfObject, traits?: AmfTraits) {
    this.className = className;
    this.properties = properties;
    this.traits = traits;
  }
}

/** An object that its class writes by itself, as one value (AMF3 section 3.12): an ArrayCollection, an ArrayList or an ObjectProxy of Flex. */
export class AmfExternalizable {
  /** `flex.messaging.io.ArrayCollection`, `...ArrayList` or `...ObjectProxy`. */
  readonly className: string;
  /** An array, or the object behind the proxy. */
  value: AmfValue;

  constructor(className: string, value: AmfValue) {
    this.className = className;
    this.value = value;
  }
}

/** A Vector (AMF3 section 3.15) of `int`, `uint`, `Number` or, as an array, of objects. */
export class AmfVector {
  readonly values: Int32Array | Uint32Array | Float64Array | readonly AmfValue[];
  /** Whether its length is fixed. */
  readonly fixed: boolean;
  /** The class of the objects; empty when it is not registered. */
  readonly className: string;

  constructor(values: AmfVector['values'], { fixed = false, className = '' } = {}) {
    this.values = values;
    this.fixed = fixed;
    this.className = className;
  }
}

/** A Dictionary (AMF3 section 3.16), whose keys may be objects. */
export class AmfDictionary {
  readonly entries: ReadonlyMap<AmfValue, AmfValue>;
  /** Whether the keys are held only weakly at the side that reads. */
  readonly weakKeys: boolean;

  constructor(entries: ReadonlyMap<AmfValue, AmfValue>, weakKeys = false) {
    this.entries = entries;
    this.weakKeys = weakKeys;
  }
}

/** An XML document in its source form (AMF0 section 2.17, AMF3 section 3.9). */
export class AmfXmlDocument {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** XML of ActionScript 3, E4X (AMF3 section 3.13), in its source form. */
export class AmfXml {
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

/** The named members of anything that has some: an object, an associative array, a typed object, or one of these behind a proxy. */
export function amfProperties(value: AmfValue): AmfObject | undefined {
  // One proxy only: one of a proxy may be one of itself.
  const target = value instanceof AmfExternalizable ? value.value : value;
  if (target instanceof AmfEcmaArray) return target.entries;
  if (target instanceof AmfTypedObject) return target.properties;
  return isAmfObject(target) ? target : undefined;
}

/** Array.isArray does not narrow a readonly array. */
export function isAmfArray(value: AmfValue): value is readonly AmfValue[] {
  return Array.isArray(value);
}
