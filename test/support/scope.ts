import { test as base } from 'vitest';
import { Scope } from './scope-class.js';

export { Scope };

/** Vitest's `test` with a {@link Scope} per test. */
export const test = base.extend<{ scope: Scope }>({
  scope: async ({ task }, use) => {
    const scope = new Scope();
    await use(scope);
    if (task.result?.state === 'fail') process.stderr.write(`--- ${task.name}\n${await scope.describe()}\n`);
    await scope.close();
  },
});
