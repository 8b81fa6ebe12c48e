import { readFileSync } from 'node:fs';

/** The fields of calls that the README explains: those in the first column of the table behind its mark. */
export function documentedFigures(mark: 'figures' | 'figures with FreeSWITCH' | 'figures of video'): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, behind = ''] = readme.split(`<!-- ${mark}:`);
  const [, table = ''] = behind.split('\n\n');
  return table.split('\n').flatMap((line) => {
    const [, first = ''] = line.split('|');
    return [...first.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  });
}
