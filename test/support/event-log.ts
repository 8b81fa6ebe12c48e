/** Generous, because the machine may be busy; a wait ends as soon as the event is there. */
export const defaultWaitMs = 15_000;

interface Wait<T> {
  readonly accept: (event: T) => boolean;
  readonly resolve: (event: T) => void;
  readonly reject: (error: Error) => void;
}

/** What a peer reported, in order, with waiting for what is still to come. */
export class EventLog<T> {
  readonly all: T[] = [];
  readonly #name: string;
  readonly #show: (event: T) => string;
  readonly #waits = new Set<Wait<T>>();
  readonly #followers: ((event: T) => void)[] = [];
  #ended: string | undefined;

  constructor(name: string, show: (event: T) => string = (event) => JSON.stringify(event)) {
    this.#name = name;
    this.#show = show;
  }

  push(event: T): void {
    this.all.push(event);
    for (const follower of this.#followers) follower(event);
    for (const wait of [...this.#waits]) if (wait.accept(event)) wait.resolve(event);
  }

  /** Calls `follower` with each event, those that there are already first. */
  follow(follower: (event: T) => void): void {
    this.#followers.push(follower);
    this.all.forEach(follower);
  }

  /** No more events: what is still waited for will not come. */
  end(reason: string): void {
    this.#ended ??= reason;
    for (const wait of [...this.#waits]) wait.reject(new Error(this.#ended));
  }

  /** The first event, of those there are and those to come, that `accept` takes. Rejects after `timeoutMs`. */
  async find(what: string, accept: (event: T) => boolean, { from = 0, timeoutMs = defaultWaitMs } = {}): Promise<T> {
    for (const event of this.all.slice(from)) if (accept(event)) return event;
    try {
      if (this.#ended !== undefined) throw new Error(this.#ended);
      return await this.#wait(accept, timeoutMs);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${this.#name}: waited for ${what}: ${reason}. Seen before:\n${this.tail()}`, { cause: error });
    }
  }

  tail(count = 40): string {
    return this.all
      .slice(-count)
      .map((event) => `  ${this.#show(event)}`)
      .join('\n');
  }

  #wait(accept: (event: T) => boolean, timeoutMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => wait.reject(new Error(`nothing within ${timeoutMs} ms`)), timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#waits.delete(wait);
      };
      const wait: Wait<T> = {
        accept,
        resolve: (event) => {
          settle();
          resolve(event);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#waits.add(wait);
    });
  }
}
