import { expect, test } from 'vitest';
import { jsonReporter, textReporter } from '../../../flash_phone/headless/report.js';

test('what a caller calls himself does not control the terminal', () => {
  const lines: string[] = [];
  const reporter = textReporter((text) => lines.push(text));
  const displayName = '\u001b[2JBob\r\n\u202e<b>';
  reporter.tell({ event: 'incoming', displayName, from: 'sip:bob\u0007@example.com', uri: undefined });
  expect(lines.join('')).toMatch(
    /call from \\u\{1b\}\[2JBob\\u\{d\}\\u\{a\}\\u\{202e\}<b> <sip:bob\\u\{7\}@example\.com>\n$/,
  );
});

test('a status that nobody knows is told as it is', () => {
  const [text, json]: [string[], string[]] = [[], []];
  const status = { event: 'status', code: 17, sipStatus: undefined, reason: 'why not' } as const;
  textReporter((line) => text.push(line)).tell(status);
  jsonReporter((line) => json.push(line)).tell(status);
  expect(text[0]).toMatch(/status 17 unknown \(why not\)\n$/);
  expect(JSON.parse(json[0] ?? '')).toMatchObject({ event: 'status', code: 17, reason: 'why not' });
});
