import { defineConfig } from 'vitest/config';

/** Tests run on the sources: the packages export them under the condition `source`. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/{unit,wire,call,interop,e2e,repo}/**/*.test.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    testTimeout: 20_000,
  },
});
