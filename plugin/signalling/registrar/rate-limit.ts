export interface RateLimitOptions {
  /** Requests that an address may send at once. */
  readonly burst: number;
  /** Requests that it may send in each second after that. */
  readonly perSecond: number;
  /** Addresses that are kept apart. */
  readonly addresses: number;
}

/** Limits how often each address may ask for something: a token bucket each. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(options: RateLimitOptions, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
  }

  /** Whether this request is within the limit. */
  allows(address: string): boolean {
    const { burst, perSecond, addresses } = this.#options;
    const at = this.#now();
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at };
    bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * perSecond);
    bucket.at = at;
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > addresses) this.#dropOldest();
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #dropOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
