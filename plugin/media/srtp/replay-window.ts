/** Packets behind the newest whose repetition is recognised; older ones are refused. Retransmissions come this late. */
const size = 512;
const wordBits = 32;
const words = size / wordBits;

/** The packets of one source that were taken, by index (RFC 3711 section 3.3.2): a ring of bits, as in RFC 6479. */
export class ReplayWindow {
  /** The newest index taken. */
  highest: number;
  readonly #bits = new Uint32Array(words);

  /** @param first the index of the first packet */
  constructor(first: number) {
    this.highest = first;
    this.#set(first);
  }

  /** Whether a packet was taken already, or is too old to tell. */
  has(index: number): boolean {
    if (index > this.highest) return false;
    // The word that the newest index is in is shared with the oldest ones, which are forgotten.
    if (index <= this.highest - (size - wordBits)) return true;
    return ((this.#word(index) >>> (index % wordBits)) & 1) === 1;
  }

  add(index: number): void {
    const word = Math.floor(index / wordBits);
    const newest = Math.floor(this.highest / wordBits);
    if (word - newest >= words) this.#bits.fill(0);
    else for (let next = newest + 1; next <= word; next++) this.#bits[next % words] = 0;
    this.highest = Math.max(this.highest, index);
    this.#set(index);
  }

  #word(index: number): number {
    return this.#bits[Math.floor(index / wordBits) % words] ?? 0;
  }

  #set(index: number): void {
    this.#bits[Math.floor(index / wordBits) % words] = this.#word(index) | (1 << (index % wordBits));
  }
}
