import type { Clock } from '../clock.js';

/** First CSeq number of a dialog: grows with time, so that a restart never goes back, and stays below 2^31. */
export function initialSequence(clock: Clock): number {
  return Math.floor(clock.now() / 1000) % 0x7000_0000;
}
