import { describe, expect, it } from 'vitest';
import { importRules } from './import-rules.js';
import { importsOf, sourceTree } from './source-tree.js';

const plugin = sourceTree('plugin');
const sources = new Map([...plugin, ...sourceTree('flash_phone')]);

it('sees the sources', () => {
  expect(plugin.size).toBeGreaterThan(50);
  expect(importsOf('plugin/app.ts', plugin.get('plugin/app.ts') ?? '').map(({ to }) => to)).toEqual(
    expect.arrayContaining(['plugin/client/client.ts', 'rtmp-server-ts']),
  );
});

it.each([
  ["import { a } from './a.js';", 'plugin/x/a.ts'],
  ['import a, { type B,\n  c } from "../y/a.js";', 'plugin/y/a.ts'],
  ["import type * as a from 'pkg/sub';", 'pkg/sub'],
  ["import 'node:net';", 'node:net'],
  ["export * from './a.js';", 'plugin/x/a.ts'],
  ["export type { A } from '../../test/a.js';", 'test/a.ts'],
  ["const a = await import('./a.mjs');", 'plugin/x/a.mts'],
  ["let a: import('./a.js').A;", 'plugin/x/a.ts'],
  ["const a = require('a');", 'a'],
  ['await import(name);', 'computed'],
  ["await import('./' + name);", 'computed'],
  ["const url = 'http://example.com'; import { a } from 'b';", 'b'],
])('finds the import in %j', (source, to) => {
  expect(importsOf('plugin/x/x.ts', source)).toEqual([{ from: 'plugin/x/x.ts', to }]);
});

it.each([
  "// import { a } from './a.js';",
  "/* import './a.js';\n export * from 'b' */",
  "export const from = 'a';",
  "const important = 'import';",
])('finds no import in %j', (source) => {
  expect(importsOf('plugin/x/x.ts', source)).toEqual([]);
});

describe.each(importRules)('rule $name', ({ offenders, examples }) => {
  it('holds', () => {
    expect(offenders(sources)).toEqual([]);
  });

  it.each(Object.keys(examples.broken))('would be broken by the like of %s', (path) => {
    expect(offenders(new Map(Object.entries(examples.broken))).join('\n')).toContain(path);
  });

  it('lets through what only looks alike', () => {
    expect(offenders(new Map(Object.entries(examples.kept)))).toEqual([]);
  });
});
