import { expect, it } from 'vitest';
import { dtmfRelay, readDtmfInfo, writeDtmfRelay } from '../../../plugin/signalling/in-call/dtmf-info.js';

it.each([
  [dtmfRelay, 'Signal=5\r\nDuration=240\r\n', { digit: '5', duration: 240 }],
  [dtmfRelay, 'Signal= 5\nDuration= 240', { digit: '5', duration: 240 }],
  [dtmfRelay, 'signal=a', { digit: 'A', duration: 160 }],
  // Some send the event's number.
  [dtmfRelay, 'Signal=10\r\nDuration=100', { digit: '*', duration: 100 }],
  [dtmfRelay, 'Signal=11', { digit: '#', duration: 160 }],
  ['Application/DTMF-Relay; charset=utf-8', 'Signal=1', { digit: '1', duration: 160 }],
  ['application/dtmf', '9\r\n', { digit: '9', duration: 160 }],
  ['application/dtmf', ' # ', { digit: '#', duration: 160 }],
] as const)('%s %j is %j', (type, body, tone) => expect(readDtmfInfo(type, body)).toEqual(tone));

it.each([
  [dtmfRelay, ''],
  [dtmfRelay, 'Signal=16'],
  [dtmfRelay, 'Signal=hf'],
  [dtmfRelay, 'Duration=100'],
  ['application/dtmf', ''],
  ['application/dtmf', '!'],
  [dtmfRelay, `${'\n'.repeat(600)}Signal=5`],
  ['text/plain', '5'],
  ['', 'Signal=5'],
])('%s %j is no key', (type, body) => expect(readDtmfInfo(type, body)).toBeUndefined());

it('reads what it writes', () => {
  for (const digit of '0123456789*#ABCD') {
    expect(readDtmfInfo(dtmfRelay, writeDtmfRelay({ digit, duration: 100 }))).toEqual({ digit, duration: 100 });
  }
});
