/** What a test, or a file of tests, has started: ended in reverse order when it is over, told about when it failed. */
export class Scope {
  readonly #cleanups: (() => unknown)[] = [];
  readonly #reports: (() => string | Promise<string>)[] = [];

  /** Runs when the scope closes, the last deferred first. */
  defer(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** What to print when the test failed. */
  report(report: () => string | Promise<string>): void {
    this.#reports.push(report);
  }

  async describe(): Promise<string> {
    return (await Promise.all(this.#reports.map((report) => report()))).join('\n');
  }

  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (let cleanup = this.#cleanups.pop(); cleanup; cleanup = this.#cleanups.pop()) {
      try {
        await cleanup();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `clean-up failed: ${errors.join('; ')}`);
  }
}
