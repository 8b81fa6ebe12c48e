import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints how the run went as its very last line: `N passed, N failed`, and `, N skipped` where there are any. What
 * failed outside of a test counts as one failed each: a file that could not be loaded, a hook, a stray rejection.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count.failed += module.errors().length > 0 ? 1 : 0;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length > 0 ? 1 : 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that is still pending when the run ends was never executed.
        count[state === 'pending' ? 'failed' : state]++;
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`);
  }
}
