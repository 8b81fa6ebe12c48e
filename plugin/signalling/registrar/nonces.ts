import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a nonce may be used for, in milliseconds. */
const lifetimeMs = 300_000;
/** Nonces whose uses are counted; the one not used for longest is forgotten, and was used for the last time then. */
const maxUsed = 10_000;

/**
 * Makes nonces and takes each use of one once (RFC 7616 section 3.3). A nonce carries its own time and a signature, so
 * that one who asks for many takes no memory.
 */
export class Nonces {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** The highest count that each nonce was used with, least recently used first. */
  readonly #used = new Map<string, number>();
  /** Nonces made before this were forgotten while they were valid. */
  #forgottenUntil = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  make(): string {
    const head = `${this.#now().toString(36)}.${randomBytes(6).toString('hex')}`;
    return `${head}.${this.#sign(head)}`;
  }

  /** Whether a nonce is one of ours, not too old, and not used with this count, or a higher one, before. */
  use(nonce: string, count: number): boolean {
    const [time = '', random = '', signature = ''] = nonce.split('.');
    const expected = Buffer.from(this.#sign(`${time}.${random}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    const madeAt = Number.parseInt(time, 36);
    if (this.#now() - madeAt > lifetimeMs || madeAt <= this.#forgottenUntil) return false;
    if (count <= (this.#used.get(nonce) ?? 0)) return false;
    this.#used.delete(nonce);
    this.#used.set(nonce, count);
    if (this.#used.size > maxUsed) this.#dropOldest();
    return true;
  }

  #dropOldest(): void {
    const [oldest] = this.#used.keys();
    if (oldest === undefined) return;
    this.#used.delete(oldest);
    this.#forgottenUntil = Math.max(this.#forgottenUntil, Number.parseInt(oldest, 36));
  }

  #sign(head: string): string {
    return createHmac('sha256', this.#key).update(head).digest('hex').slice(0, 32);
  }
}
