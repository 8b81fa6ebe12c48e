export interface AmfLimits {
  /** Objects and arrays within one another, by way of references too. */
  readonly depth: number;
  /** Values in one message, nested ones included. The numbers of a Vector are one. */
  readonly elements: number;
  /**
   * Bytes that the references in one message stand for, were what they refer to written again each time. A few kB of references can stand
   * for more than any memory holds; with this limit what walks through the values, a logger for one, has an end.
   */
  readonly referencedBytes: number;
}

export const DEFAULT_AMF_LIMITS: AmfLimits = { depth: 64, elements: 16_384, referencedBytes: 1024 * 1024 };
