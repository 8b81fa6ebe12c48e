import type { SipLogger } from '../log.js';
import type { EmbeddedSipLimits } from '../options.js';

/** How many transactions there may be, in number and in bytes of the requests they hold; both sides share it. */
export class TransactionBudget {
  readonly #limits: EmbeddedSipLimits;
  readonly #log: SipLogger;
  #count = 0;
  #bytes = 0;

  constructor(limits: EmbeddedSipLimits, log: SipLogger) {
    this.#limits = limits;
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether there is room for one more of that size; if not, that is logged. */
  admits(bytes: number): boolean {
    const { transactions, transactionBytes } = this.#limits;
    if (this.#count >= transactions) return this.#refuse('transactions', this.#count);
    if (this.#bytes + bytes > transactionBytes) return this.#refuse('transactionBytes', this.#bytes + bytes);
    return true;
  }

  add(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
  }

  #refuse(limit: string, value: number): false {
    this.#log({ event: 'limit-reached', limit, value });
    return false;
  }
}
