import { headerKey } from './header-name.js';

export interface Header {
  /** Name as received or as it is to be written. */
  readonly name: string;
  /** Lower-case full name. */
  readonly key: string;
  /** Value with folding undone and surrounding white space removed. */
  readonly value: string;
}

/** An ordered header list with an index, so that a look-up never scans the message again. */
export class Headers implements Iterable<Header> {
  readonly #entries: Header[] = [];
  readonly #index = new Map<string, number[]>();

  constructor(entries: Iterable<readonly [string, string]> = []) {
    for (const [name, value] of entries) this.add(name, value);
  }

  get length(): number {
    return this.#entries.length;
  }

  add(name: string, value: string): void {
    const key = headerKey(name);
    const positions = this.#index.get(key);
    if (positions) positions.push(this.#entries.length);
    else this.#index.set(key, [this.#entries.length]);
    this.#entries.push({ name, key, value });
  }

  has(key: string): boolean {
    return this.#index.has(key);
  }

  /** The first value of a header, by its lower-case full name. */
  get(key: string): string | undefined {
    const first = this.#index.get(key)?.[0];
    return first === undefined ? undefined : this.#entries[first]?.value;
  }

  /** Every header line of that name, in order. */
  all(key: string): string[] {
    const values: string[] = [];
    for (const position of this.#index.get(key) ?? []) {
      const entry = this.#entries[position];
      if (entry) values.push(entry.value);
    }
    return values;
  }

  /** Every element of a comma-separated header (Via, Route, Contact, Require, ...), across its lines. */
  list(key: string): string[] {
    return this.all(key).flatMap(splitList);
  }

  /** Replaces the first value of a header that is present. */
  replaceFirst(key: string, value: string): void {
    const first = this.#index.get(key)?.[0];
    const entry = first === undefined ? undefined : this.#entries[first];
    if (first !== undefined && entry) this.#entries[first] = { ...entry, value };
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.#entries[Symbol.iterator]();
  }
}

/** Splits at the commas that are outside quoted strings and angle brackets (RFC 3261 section 7.3.1). */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return value === '' ? [] : [value];
  const elements: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') bracketed = true;
    else if (c === '>') bracketed = false;
    else if (c === ',' && !bracketed) {
      elements.push(value.slice(start, i).trim());
      start = i + 1;
    }
  }
  elements.push(value.slice(start).trim());
  return elements.filter((element) => element !== '');
}
