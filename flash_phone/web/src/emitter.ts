/** Typed events of one detail each. A listener that fails neither stops the others nor the phone. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(details: never) => unknown>>();

  on<Name extends keyof Events>(event: Name, listener: (details: Events[Name]) => unknown): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return this;
  }

  off<Name extends keyof Events>(event: Name, listener: (details: Events[Name]) => unknown): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  once<Name extends keyof Events>(event: Name, listener: (details: Events[Name]) => unknown): this {
    const first = (details: Events[Name]) => {
      this.off(event, first);
      listener(details);
    };
    return this.on(event, first);
  }

  protected emit<Name extends keyof Events>(event: Name, details: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (details: Events[Name]) => unknown)(details);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
