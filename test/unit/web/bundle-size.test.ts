import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const entry = (name: string) => fileURLToPath(new URL(`../../../flash_phone/web/${name}`, import.meta.url));

it('the JavaScript API takes less than 40 kB gzipped, the codec aside', async () => {
  const { outputFiles } = await build({
    entryPoints: [entry('src/script-tag.ts'), entry('worklet/worklet.ts')],
    ...{
      bundle: true,
      minify: true,
      write: false,
      outdir: 'out',
      format: 'iife',
      target: 'es2022',
      conditions: ['source'],
    },
  });
  const sizes = outputFiles.map(({ contents }) => gzipSync(contents).length);
  process.stdout.write(
    `sono-phone.js and its worklet, gzipped: ${sizes.map((size) => `${size} bytes`).join(' and ')}\n`,
  );
  expect(outputFiles.length).toBe(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(40_000);
});
