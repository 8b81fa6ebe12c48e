import type { SessionLimits } from './limits.js';

/** Drops audio and video for a peer that reads too slowly: late media is worth nothing, and a queue would make all that follows late. */
export class MediaGate {
  readonly dropped = { audio: 0, video: 0 };
  readonly #output: { readonly pendingBytes: number };
  readonly #heartbeat: { readonly late: boolean };
  readonly #limits: SessionLimits;

  constructor(output: { readonly pendingBytes: number }, heartbeat: { readonly late: boolean }, limits: SessionLimits) {
    this.#output = output;
    this.#heartbeat = heartbeat;
    this.#limits = limits;
  }

  /** @returns false when the message is to be dropped; it is counted. */
  passes(type: 'audio' | 'video', length: number): boolean {
    const { pendingMediaBytes, pendingBytes } = this.#limits;
    const pending = this.#output.pendingBytes;
    const full = pending > pendingMediaBytes || pending + length > pendingBytes;
    if (!full && !this.#heartbeat.late) return true;
    this.dropped[type] += 1;
    return false;
  }
}
