import { expect, it } from 'vitest';
import { listFiles, readText } from './source-tree.js';

const files = listFiles();

/** The folders and files directly in `folder`. */
function entriesOf(folder: string): string[] {
  const inside = files.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
  return [...new Set(inside.map((path) => (path.includes('/') ? `${path.split('/', 1)[0]}/` : path)))];
}

const ownTopLevel = [
  'plugin/',
  'flash_phone/',
  'test/',
  'package.json',
  'tsconfig.json',
  'drachtio.conf.xml',
  'README.md',
];
/** What the ecosystem puts at a root. */
const customaryTopLevel = [
  ...[
    'package-lock.json',
    'LICENSE',
    'CHANGELOG.md',
    'compose.yaml',
    'Dockerfile',
    '.dockerignore',
    '.ci/',
    '.github/',
  ],
  ...['.gitignore', '.gitattributes', '.editorconfig', '.npmrc', 'biome.json', 'vitest.config.ts'],
];

it('has the top level of the design and nothing else', () => {
  expect(entriesOf('').filter((entry) => ![...ownTopLevel, ...customaryTopLevel].includes(entry))).toEqual([]);
});

it('has the rooms of plugin/ and no others', () => {
  const rooms = ['config/', 'client/', 'call/', 'signalling/', 'media/', 'ops/'];
  const packages = ['rtmp-server-ts/', 'embedded-sip/', 'speex-wasm/'];
  expect(entriesOf('plugin/').sort()).toEqual([...rooms, ...packages, 'app.ts', 'main.ts', 'tsconfig.json'].sort());
});

it('keeps dialects together', () => {
  expect(entriesOf('plugin/client/')).toContain('dialects/');
});

it('has only the kinds of tests that the runner knows', () => {
  const kinds = ['unit/', 'wire/', 'call/', 'interop/', 'e2e/', 'live/', 'load/', 'repo/', 'support/'];
  expect(entriesOf('test/').filter((entry) => ![...kinds, 'tsconfig.json', 'README.md'].includes(entry))).toEqual([]);
});

it('keeps tests out of plugin/ and plugin/ free of built files', () => {
  expect(
    files.filter((path) => path.startsWith('plugin/') && /\.(?:test|spec)\.|\.(?:js|map|d\.ts)$/.test(path)),
  ).toEqual([]);
});

it('names files in kebab-case', () => {
  const sources = files.filter((path) => /^(?:plugin|test)\/.*\.(?:ts|py|sh)$/.test(path));
  const name = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|d|config|bench))*\.(?:ts|py|sh)$/;
  expect(sources.filter((path) => !name.test(path.split('/').at(-1) ?? ''))).toEqual([]);
});

it('keeps every file of plugin/ below 400 lines', () => {
  const long = files.filter((path) => path.startsWith('plugin/') && readText(path).split('\n').length > 400);
  expect(long).toEqual([]);
});
