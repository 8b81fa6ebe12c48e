/** One key of a telephone's keypad. */
export interface Tone {
  /** One of {@link toneDigits}. */
  readonly digit: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** In the order of their event codes (RFC 4733 section 3.2). */
export const toneDigits = '0123456789*#ABCD';
