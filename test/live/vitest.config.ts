import { defineConfig } from 'vitest/config';

/** The tests that need a real drachtio server; `npm run test:live` runs them. See settings.ts for what they are told. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/live/**/*.test.ts'],
    globalSetup: ['./test/live/check-settings.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // One server for all files, and some of them stop it.
    fileParallelism: false,
    testTimeout: 30_000,
  },
});
