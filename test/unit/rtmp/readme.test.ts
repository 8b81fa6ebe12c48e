import { readFileSync } from 'node:fs';
import { DEFAULT_RTMP_CLIENT_LIMITS, DEFAULT_RTMP_LIMITS, RTMP_ERROR_CODES } from 'rtmp-server-ts';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../../../plugin/rtmp-server-ts/README.md', import.meta.url), 'utf8');
/** First cell of each table row, then the others. */
const rows = new Map(
  readme
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name]) => name?.startsWith('`'))
    .map(([, name = '', ...cells]) => [name.replaceAll('`', ''), cells]),
);

it.each([
  { side: 'server', defaults: DEFAULT_RTMP_LIMITS, column: 0 },
  { side: 'client', defaults: DEFAULT_RTMP_CLIENT_LIMITS, column: 1 },
])('documents every limit of the $side with its default', ({ defaults, column }) => {
  const documented = Object.keys(defaults).map((name) => [name, number(rows.get(name)?.[column])]);
  expect(Object.fromEntries(documented)).toEqual(defaults);
});

it('documents every error code and no other', () => {
  const codes = [...rows.keys()].filter((name) =>
    /^(handshake|connect|chunk|message|amf|flv|command|session|call|stream|server|tls|http|websocket|tunnel)\.[a-z-]+$/.test(
      name,
    ),
  );
  expect(codes.sort()).toEqual([...RTMP_ERROR_CODES].sort());
});

/** `4 MiB` and `10 000 ms` alike. */
function number(cell = ''): number {
  const [, digits = '', unit] = /^([\d ]+?) ?(KiB|MiB|ms)?$/.exec(cell) ?? [];
  const factor = unit === 'MiB' ? 1024 * 1024 : unit === 'KiB' ? 1024 : 1;
  return Number(digits.replaceAll(' ', '')) * factor;
}
