/** Asked for in Set Peer Bandwidth, and used until the client names a window of its own. */
export const DEFAULT_WINDOW = 2_500_000;

/** When to acknowledge (section 5.4.3): each time the window's number of bytes has arrived since the last time. */
export class ReceiveWindow {
  #size = DEFAULT_WINDOW;
  #received: number;
  #acknowledged: number;

  /** @param received bytes received before, for sessions that did not begin here */
  constructor(received = 0) {
    this.#received = received;
    this.#acknowledged = received;
  }

  get received(): number {
    return this.#received;
  }

  setSize(size: number): void {
    this.#size = size;
  }

  /** @returns the sequence number to acknowledge with, all bytes so far modulo 2^32, when the window is full. */
  add(bytes: number): number | undefined {
    this.#received += bytes;
    if (this.#received - this.#acknowledged < this.#size) return undefined;
    this.#acknowledged = this.#received;
    return this.#received % 2 ** 32;
  }
}
