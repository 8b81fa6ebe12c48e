export interface AmfLimits {
  /** Objects and arrays within one another. */
  readonly depth: number;
  /** Values in one message, nested ones included. */
  readonly elements: number;
}

export const DEFAULT_AMF_LIMITS: AmfLimits = { depth: 64, elements: 16_384 };
