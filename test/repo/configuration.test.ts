import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOf } from '../../plugin/config/describe.js';
import { type Setting, settings } from '../../plugin/config/schema.js';
import { readText, root } from './source-tree.js';

const all: readonly Setting[] = settings;
const plain = (markdown: string): string => markdown.replaceAll('`', '').trim();

interface Row {
  /** Only where files are spoken of. */
  readonly key?: string;
  readonly env: string;
  readonly value: string;
  readonly doc: string;
}

const documented: readonly Row[] = all.map((setting) => ({
  env: setting.env,
  value: plain(defaultOf(setting)),
  doc: plain(setting.doc),
}));

/** The README's table: one row for each setting, `| key | environment | default | meaning |`. */
const tableRows = (markdown: string): Row[] =>
  markdown.split('\n').flatMap((line) => {
    const cells = /^\|\s*`(\w+)`\s*\|\s*`(SONO_\w+)`\s*\|(.*)\|(.*)\|\s*$/.exec(line);
    const [, key = '', env = '', value = '', doc = ''] = cells ?? [];
    return cells ? [{ key, env, value: plain(value), doc: plain(doc) }] : [];
  });

/** `  NAME  meaning [default]` */
const helpRows = (help: string): Row[] =>
  help.split('\n').flatMap((line) => {
    const parts = /^ {2}(SONO_\w+) +(.*) \[(.*)\]$/.exec(line);
    return parts ? [{ env: parts[1] ?? '', doc: parts[2] ?? '', value: parts[3] ?? '' }] : [];
  });

it('has settings, each with one name in files and one in the environment', () => {
  expect(all.length).toBeGreaterThan(10);
  expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
  for (const { key, env } of all) {
    expect(env).toBe(`SONO_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`);
  }
});

it('has them all in the README, with default and meaning', () => {
  expect(tableRows(readText('README.md'))).toEqual(documented.map((row, index) => ({ key: all[index]?.key, ...row })));
});

it('has them all in --help, with default and meaning', () => {
  const help = execFileSync(process.execPath, [join(root, 'dist/main.js'), '--help'], { encoding: 'utf8' });
  expect(helpRows(help)).toEqual(documented);
});

it('names no setting that does not exist', () => {
  const known = new Set(all.map(({ env }) => env));
  for (const file of ['README.md', 'CHANGELOG.md']) {
    const named = readText(file).match(/\bSONO_[A-Z0-9_]*[A-Z0-9]\b/g) ?? [];
    // Those of the live tests are no settings of the gateway.
    expect(named.filter((name) => !known.has(name) && !name.startsWith('SONO_LIVE_'))).toEqual([]);
  }
});

describe('the readers of this test', () => {
  it('read a table and a help text', () => {
    const row = { env: 'SONO_HOST', value: '127.0.0.1', doc: 'Where /rtmp is.' };
    expect(tableRows('| Name | x |\n| `host` | `SONO_HOST` | `127.0.0.1` | Where `/rtmp` is. |\n')).toEqual([
      { key: 'host', ...row },
    ]);
    expect(helpRows('Usage:\n  SONO_HOST  Where /rtmp is. [127.0.0.1]\n')).toEqual([row]);
  });
});
