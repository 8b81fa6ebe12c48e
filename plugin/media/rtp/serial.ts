/** How far `a` is ahead of `b` in a 16 bit counter that wraps: -32768 to 32767 (RFC 1982). */
export function distance16(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** How far `a` is ahead of `b` in a 32 bit counter that wraps: -2^31 to 2^31 - 1. */
export function distance32(a: number, b: number): number {
  return (a - b) | 0;
}
