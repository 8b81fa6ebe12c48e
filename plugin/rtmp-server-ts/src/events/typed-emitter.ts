/** Event names with the tuple of their arguments. */
export type EventMap<Events> = { [Event in keyof Events]: readonly unknown[] };

export type Listener<Args extends readonly unknown[]> = (...args: Args) => unknown;

interface Entry {
  readonly listener: Listener<never>;
  readonly once: boolean;
}

/** One that listens alone, as most do, stands for itself. */
type Entries = Entry | readonly Entry[];

/**
 * Typed events. Listeners run synchronously in the order in which they were added; one that throws (or returns a promise that rejects)
 * neither stops the others nor reaches the code that emits: its error goes to {@link listenerFailed}.
 */
export class TypedEmitter<Events extends EventMap<Events>> {
  /** Lists are replaced, never changed, so that a listener may add or remove listeners while an event is on its way. */
  readonly #entries: { [Event in keyof Events]?: Entries } = {};

  on<Event extends keyof Events>(event: Event, listener: Listener<Events[Event]>): this {
    return this.#add(event, listener, false);
  }

  once<Event extends keyof Events>(event: Event, listener: Listener<Events[Event]>): this {
    return this.#add(event, listener, true);
  }

  off<Event extends keyof Events>(event: Event, listener: Listener<Events[Event]>): this {
    const entry = this.#list(event).findLast((candidate) => candidate.listener === listener);
    if (entry !== undefined) this.#remove(event, entry);
    return this;
  }

  listenerCount(event: keyof Events): number {
    return this.#list(event).length;
  }

  /** @returns whether anybody listens. */
  emit<Event extends keyof Events>(event: Event, ...args: Events[Event]): boolean {
    const entries: Entries | undefined = this.#entries[event];
    if (entries === undefined) return false;
    if ('listener' in entries) this.#call(entries, event, args);
    else for (const entry of entries) this.#call(entry, event, args);
    return true;
  }

  /** Unless a subclass knows better, the error surfaces as an uncaught exception: an error of the program itself. */
  protected listenerFailed(error: unknown, _event: string, _args: readonly unknown[]): void {
    queueMicrotask(() => {
      throw error;
    });
  }

  #call<Event extends keyof Events>(entry: Entry, event: Event, args: Events[Event]): void {
    if (entry.once) this.#remove(event, entry);
    try {
      const result = (entry.listener as Listener<Events[Event]>)(...args);
      if (result instanceof Promise) result.catch((error) => this.listenerFailed(error, String(event), args));
    } catch (error) {
      this.listenerFailed(error, String(event), args);
    }
  }

  #add<Event extends keyof Events>(event: Event, listener: Listener<Events[Event]>, once: boolean): this {
    this.#replace(event, [...this.#list(event), { listener, once }]);
    return this;
  }

  #remove(event: keyof Events, entry: Entry): void {
    this.#replace(
      event,
      this.#list(event).filter((candidate) => candidate !== entry),
    );
  }

  #list(event: keyof Events): readonly Entry[] {
    const entries = this.#entries[event];
    if (entries === undefined) return [];
    return 'listener' in entries ? [entries] : entries;
  }

  #replace(event: keyof Events, list: readonly Entry[]): void {
    this.#entries[event] = list.length < 2 ? list[0] : list;
  }
}
