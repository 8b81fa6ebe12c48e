import { buildAvcConfig, parseAvcConfig } from './avc-config.js';
import { parseAvcMessage } from './flv-avc.js';
import { nalType, typeOf } from './nal.js';
import { parsePps, parseSps, type SpsInfo } from './sps.js';

/** Sets of one kind kept. A stream uses one or two; the numbers allow 32 and 256. */
const maxSets = 16;

/** The parameter sets of one stream, from its sequence header, its description or in band, the last of each number. */
export class ParameterSets {
  /** Sets that could not be read, or one too many. */
  refused = 0;
  /** Counts up with each set that differs from what was known. */
  version = 0;
  readonly #sps = new Map<number, Uint8Array>();
  readonly #pps = new Map<number, Uint8Array>();
  #latest: SpsInfo | undefined;

  /** Whether pictures can be decoded with what is known. */
  get complete(): boolean {
    return this.#sps.size > 0 && this.#pps.size > 0;
  }

  /** What the sequence parameter set that came last says. */
  get info(): SpsInfo | undefined {
    return this.#latest;
  }

  get all(): readonly Uint8Array[] {
    return [...this.#sps.values(), ...this.#pps.values()];
  }

  /** Takes a NAL unit of type 7 or 8. Copies it. */
  add(nal: Uint8Array): void {
    if (typeOf(nal) === nalType.sps) {
      const info = parseSps(nal);
      if (this.#keep(this.#sps, info?.id, nal)) this.#latest = info;
    } else {
      this.#keep(this.#pps, parsePps(nal)?.id, nal);
    }
  }

  /** Takes these in place of all others, as a sequence header says everything; unless it says nothing readable. */
  replace(nals: readonly Uint8Array[]): void {
    const readable = new ParameterSets();
    for (const nal of nals) readable.add(nal);
    this.refused += readable.refused;
    if (!readable.complete || Buffer.concat(readable.all).equals(Buffer.concat(this.all))) return;
    this.#sps.clear();
    this.#pps.clear();
    for (const nal of readable.all) this.add(nal);
  }

  /** The record for FLV. Only when {@link complete}. */
  config(): Uint8Array {
    return buildAvcConfig([...this.#sps.values()], [...this.#pps.values()]);
  }

  /** @returns whether it is a readable set */
  #keep(sets: Map<number, Uint8Array>, id: number | undefined, nal: Uint8Array): boolean {
    const known = id === undefined ? undefined : sets.get(id);
    if (id === undefined || (known === undefined && sets.size === maxSets)) {
      this.refused++;
      return false;
    }
    if (known !== undefined && Buffer.compare(known, nal) === 0) return true;
    sets.set(id, Uint8Array.from(nal));
    this.version++;
    return true;
  }
}

/** The NAL units of `sprop-parameter-sets` (RFC 6184 section 8.1): base64, separated by commas. */
export function readSprop(text: string): Uint8Array[] {
  return text
    .split(',')
    .slice(0, maxSets)
    .map((part) => new Uint8Array(Buffer.from(part, 'base64')))
    .filter((nal) => nal.length > 0 && (typeOf(nal) === nalType.sps || typeOf(nal) === nalType.pps));
}

export function writeSprop(nals: readonly Uint8Array[]): string {
  return nals.map((nal) => Buffer.from(nal).toString('base64')).join(',');
}

/** The sets in a message that is an FLV sequence header; none in any other. */
export function parameterSetsOf(body: Uint8Array | undefined): readonly Uint8Array[] {
  const message = body && parseAvcMessage(body);
  const config = message?.kind === 'config' ? parseAvcConfig(message.record) : undefined;
  return config === undefined ? [] : [...config.sps, ...config.pps];
}
