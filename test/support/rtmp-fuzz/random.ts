/** A whole number from 0 to below `below`. */
export type Random = (below: number) => number;

/** xorshift32: the same numbers in every run. */
export function randomNumbers(seed: number): Random {
  // Neighbouring seeds must not begin alike, and 0 would stay 0.
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
