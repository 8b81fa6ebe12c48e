/**
 * The `count` bits (1-8) that start at bit `at`, most significant bit first. Bits behind the end read as 0, so a walk
 * may look before it checks.
 */
export function readBits(bytes: Uint8Array, at: number, count: number): number {
  const index = at >> 3;
  const pair = ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  return (pair >> (16 - (at & 7) - count)) & ((1 << count) - 1);
}

/** Copies `count` bits from bit `from` of `source` to bit `at` of `target`, whose bits from there on must be 0. */
export function copyBits(source: Uint8Array, from: number, count: number, target: Uint8Array, at: number): void {
  for (let done = 0; done < count; done += 8) {
    const size = Math.min(8, count - done);
    const aligned = readBits(source, from + done, size) << (8 - size);
    const index = (at + done) >> 3;
    const shift = (at + done) & 7;
    orByte(target, index, aligned >> shift);
    if (shift + size > 8) orByte(target, index + 1, (aligned << (8 - shift)) & 0xff);
  }
}

/**
 * Fills the last octet from bit `at` on with the padding of RFC 5574 section 3.3: one 0, then 1s. A decoder that still
 * finds five bits there reads the terminator, mode 15.
 */
export function padLastOctet(bytes: Uint8Array, at: number): void {
  const used = at & 7;
  if (used !== 0) orByte(bytes, at >> 3, (1 << (7 - used)) - 1);
}

function orByte(bytes: Uint8Array, index: number, bits: number): void {
  bytes[index] = (bytes[index] ?? 0) | bits;
}
