import { distance16 } from './serial.js';

export interface ReorderLimits {
  /** Packets kept while one before them is missing. Default 8. */
  readonly packets: number;
  /** Milliseconds that the first packet behind a gap waits for the missing one, to begin with. Default 40. */
  readonly wait: number;
  /** Bounds between which the wait follows what the network does. Without them it stays. Default 10 and 80. */
  readonly adapts?: { readonly least: number; readonly most: number };
}

export const defaultReorderLimits: ReorderLimits = { packets: 8, wait: 40, adapts: { least: 10, most: 80 } };

/** Milliseconds by which a loss shortens the wait: where nothing comes late, nothing needs to wait for long. */
const shortening = 2;

/** Milliseconds by which the wait outlasts the packet that came too late for it. */
const margin = 5;

/** Gaps given up of which it is remembered since when they had been waited for. */
const rememberedGaps = 8;

/** A distance beyond these is no loss or delay but a source that counts anew (RFC 3550 appendix A.1). */
const maxDropout = 3000;
const maxMisorder = 100;

/** Delivered packets that can be told from late ones: as many as a 32 bit mask remembers. */
const history = 32;

/** Takes what is in order. */
export interface OrderedSink<T> {
  inOrder(item: T): void;
}

interface Gap {
  /** First of the missing numbers, counted like those delivered, and how many. */
  readonly first: number;
  readonly size: number;
  /** Arrival of the first packet behind it. */
  readonly since: number;
}

interface Held<T> {
  readonly sequence: number;
  readonly item: T;
  readonly arrival: number;
}

const none: readonly never[] = [];

/**
 * Puts the packets of one source into the order of their sequence numbers. Packets in order pass at once; behind a gap
 * they wait, bounded by number and time, then the gap is given up. The time follows the network: it grows when packets
 * come too late and shrinks when they do not come at all. Deterministic: time enters only as an argument.
 */
export class ReorderWindow<T> {
  /** Packets that arrived twice; dropped. */
  duplicates = 0;
  /** Packets that arrived when their gap had been given up; dropped. */
  late = 0;
  /** Packets that came after one with a higher number, and still in time. */
  reordered = 0;
  /** Packets whose number is out of all range; dropped. */
  outOfRange = 0;
  /** Numbers given up; those of {@link late} packets are among them. */
  skipped = 0;
  readonly #sink: OrderedSink<T>;
  readonly #limits: ReorderLimits;
  #wait: number;
  readonly #gaps: Gap[] = [];
  /** In order; as a rule nothing. Replaced, never changed. */
  #held: readonly Held<T>[] = none;
  /** The number that is due, counted on where 16 bits wrap; undefined before the first packet. */
  #due: number | undefined;
  /** Bit i: the packet `#due - 1 - i` was delivered. */
  #delivered = 0;
  /** What follows the last packet that was out of all range: two in a row start anew. */
  #restart: number | undefined;

  constructor(sink: OrderedSink<T>, limits: ReorderLimits = defaultReorderLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#wait = limits.wait;
  }

  /** Milliseconds that packets wait behind a gap now. */
  get wait(): number {
    return this.#wait;
  }

  /** Whether packets wait behind a gap. */
  get holds(): boolean {
    return this.#held !== none;
  }

  /** Highest number delivered, extended by the wraps so far (RFC 3550 section 6.4.1); undefined before the first packet. */
  get highest(): number | undefined {
    return this.#due === undefined ? undefined : this.#due - 1;
  }

  /** Takes a packet and releases what is in order now. */
  push(sequence: number, item: T, arrival: number): void {
    this.#due ??= sequence;
    const ahead = distance16(sequence, this.#due);
    if (ahead > maxDropout || ahead < -maxMisorder) {
      if (sequence !== this.#restart) {
        this.#restart = (sequence + 1) & 0xffff;
        this.outOfRange++;
        return;
      }
      this.reset();
      this.#due = sequence;
      this.#deliver(item, 0);
    } else if (ahead < 0) {
      this.#countOld(ahead, arrival);
    } else if (ahead === 0) {
      if (this.holds) this.reordered++;
      this.#deliver(item, 0);
      this.#drain();
    } else {
      this.#hold(sequence, item, arrival);
    }
    this.expire(arrival);
  }

  /** Gives up gaps that packets have waited behind for too long. */
  expire(now: number): void {
    while (this.holds) {
      let oldest = now;
      for (const held of this.#held) oldest = Math.min(oldest, held.arrival);
      if (now - oldest < this.#wait) return;
      this.#skipGap();
    }
  }

  /** Forgets the source: the next packet, whatever its number, is the first. What is held is released. */
  reset(): void {
    while (this.holds) this.#skipGap();
    this.#due = undefined;
    this.#delivered = 0;
    this.#restart = undefined;
    this.#gaps.length = 0;
  }

  #countOld(ahead: number, arrival: number): void {
    const bit = -ahead - 1;
    if (bit < history && ((this.#delivered >>> bit) & 1) === 1) {
      this.duplicates++;
      return;
    }
    this.late++;
    const number = (this.#due ?? 0) + ahead;
    const gap = this.#gaps.find(({ first, size }) => number >= first && number < first + size);
    if (gap !== undefined) this.#adapt(arrival - gap.since + margin);
  }

  /** The wait is to be so long, at least. */
  #adapt(wait: number): void {
    const { adapts } = this.#limits;
    if (adapts !== undefined) this.#wait = Math.min(adapts.most, Math.max(adapts.least, this.#wait, wait));
  }

  #giveUp(gap: Gap): void {
    this.#gaps.push(gap);
    if (this.#gaps.length > rememberedGaps) this.#gaps.shift();
    const { adapts } = this.#limits;
    if (adapts !== undefined) this.#wait = Math.max(adapts.least, this.#wait - shortening);
  }

  #hold(sequence: number, item: T, arrival: number): void {
    let at = this.#held.length;
    for (; at > 0; at--) {
      const before = this.#held[at - 1];
      if (before === undefined) break;
      const ahead = distance16(sequence, before.sequence);
      if (ahead === 0) {
        this.duplicates++;
        return;
      }
      if (ahead > 0) break;
    }
    if (at < this.#held.length) this.reordered++;
    this.#held = this.#held.toSpliced(at, 0, { sequence, item, arrival });
    if (this.#held.length > this.#limits.packets) this.#skipGap();
  }

  #skipGap(): void {
    const first = this.#held[0];
    if (first === undefined) return;
    const size = distance16(first.sequence, this.#due ?? first.sequence);
    this.#giveUp({ first: this.#due ?? 0, size, since: first.arrival });
    this.#deliverHeld(first, size);
    this.#drain();
  }

  #drain(): void {
    while (this.holds) {
      const first = this.#held[0];
      if (first === undefined || first.sequence !== (this.#due ?? 0) % 65536) return;
      this.#deliverHeld(first, 0);
    }
  }

  /** Releases the first that is held. */
  #deliverHeld({ item }: Held<T>, skipped: number): void {
    this.#held = this.#held.length > 1 ? this.#held.slice(1) : none;
    this.#deliver(item, skipped);
  }

  /** Releases a packet that lies `skipped` numbers behind the one that is due. */
  #deliver(item: T, skipped: number): void {
    const shift = skipped + 1;
    this.#delivered = (shift >= history ? 0 : this.#delivered << shift) | 1;
    this.#due = (this.#due ?? 0) + shift;
    this.skipped += skipped;
    this.#restart = undefined;
    this.#sink.inOrder(item);
  }
}
