import type { SpeexModule } from 'speex-wasm';

/** Name of the processor. */
export const processorName = 'sono-phone';

export interface ProcessorOptions {
  /** Absent: G.711. */
  readonly speex?: SpeexModule;
}

/** From the page: an FLV audio message to be played, or the end. */
export type ToWorklet =
  | { readonly kind: 'audio'; readonly timestamp: number; readonly message: Uint8Array }
  | { readonly kind: 'close' };

/** To the page. */
export type FromWorklet =
  /** An FLV audio message of 20 ms from the microphone. */
  | { readonly kind: 'audio'; readonly message: Uint8Array }
  /** Ten times a second: loudest sample of either direction, 0-1. */
  | { readonly kind: 'level'; readonly microphone: number; readonly speaker: number }
  /** Once a second: counts since the call began. */
  | {
      readonly kind: 'statistics';
      readonly played: number;
      readonly lost: number;
      readonly late: number;
      readonly jitterMs: number;
      readonly bufferMs: number;
      readonly unsupported: number;
    };
