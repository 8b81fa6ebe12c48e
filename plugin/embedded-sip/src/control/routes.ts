import type { TransactionUser } from '../transaction-user.js';

/**
 * Which clients want which requests. A client that asks n times for a method has n turns in the round robin, as at the
 * drachtio server.
 */
export class RouteTable {
  readonly #byMethod = new Map<string, { users: TransactionUser[]; next: number }>();

  /** Adds a turn; false when the user has used up its slots. */
  add(method: string, user: TransactionUser, maxSlots: number): boolean {
    if (this.#slots(user) >= maxSlots) return false;
    const route = this.#byMethod.get(method);
    if (route) route.users.push(user);
    else this.#byMethod.set(method, { users: [user], next: 0 });
    return true;
  }

  /** Takes all routes of a user away, whatever their method. */
  removeAll(user: TransactionUser): void {
    for (const [method, route] of this.#byMethod) {
      route.users = route.users.filter((other) => other !== user);
      if (route.users.length === 0) this.#byMethod.delete(method);
    }
  }

  /** The user whose turn it is, by the lower-case method. */
  select(method: string): TransactionUser | undefined {
    const route = this.#byMethod.get(method.toLowerCase());
    if (!route) return undefined;
    const user = route.users[route.next % route.users.length];
    route.next = (route.next + 1) % route.users.length;
    return user;
  }

  #slots(user: TransactionUser): number {
    let slots = 0;
    for (const { users } of this.#byMethod.values()) slots += users.filter((other) => other === user).length;
    return slots;
  }
}
