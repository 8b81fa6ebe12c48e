import type { RequestSource } from '../drachtio/received-request.js';

/** Where an address can be reached, for a while. */
export interface Binding {
  /** The Contact's SIP URI. */
  readonly uri: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly callId: string;
  readonly sequence: number;
  /** Where the REGISTER came from. */
  readonly source: RequestSource;
}

export interface BindingLimits {
  /** Contacts of one user at once. Default 10. */
  readonly contactsPerUser: number;
  /** Users that are registered at once. Default 10,000. */
  readonly users: number;
}

/** Who is registered where (RFC 3261 section 10.3): Contacts by user, each until it expires. */
export class Bindings {
  readonly #byUser = new Map<string, readonly Binding[]>();
  readonly #limits: BindingLimits;
  readonly #now: () => number;

  constructor(now: () => number = Date.now, limits: BindingLimits = { contactsPerUser: 10, users: 10_000 }) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Users with at least one Contact, expired ones that nobody has asked for included. */
  get size(): number {
    return this.#byUser.size;
  }

  /** The valid Contacts of a user, those registered last first. */
  of(user: string): readonly Binding[] {
    const valid = (this.#byUser.get(user) ?? []).filter(({ until }) => until > this.#now());
    if (valid.length === 0) this.#byUser.delete(user);
    return valid;
  }

  /** Replaces the Contacts of a user; false when they are too many, and nothing was changed. */
  replace(user: string, bindings: readonly Binding[]): boolean {
    if (bindings.length > this.#limits.contactsPerUser) return false;
    if (!this.#byUser.has(user) && bindings.length > 0 && !this.#hasRoom()) return false;
    if (bindings.length === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, bindings);
    return true;
  }

  /** Looks at every user only when there are too many. */
  #hasRoom(): boolean {
    if (this.#byUser.size < this.#limits.users) return true;
    for (const user of [...this.#byUser.keys()]) this.of(user);
    return this.#byUser.size < this.#limits.users;
  }
}
