import { expect, it } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../../support/speech.js';

/** The comparison decides over the calls' audio: it has to see what is wrong with a recording. */
const original = await speak();
const ms = (count: number) => (sampleRate / 1000) * count;

it('finds what was said, later and softer', () => {
  const recording = new Int16Array(original.length + ms(700));
  recording.set(
    original.map((sample) => sample / 3),
    ms(500),
  );
  expect(compareSpeech(original, recording)).toEqual({
    lagMs: 500,
    correlation: expect.closeTo(1, 2),
    longestGapMs: 0,
    covered: 1,
  });
});

it.each([1, 2, 3])('finds it after Speex with %i frames in a message', async (framesPerMessage) => {
  const messages = await encodeSpeex(original, { framesPerMessage });
  expect(messages.length).toBe(Math.floor(original.length / ms(20 * framesPerMessage)));
  expect(messages.every((message) => message[0] === 0xb2)).toBe(true);
  const decoded = await decodeSpeex(messages.map((message) => message.subarray(1)));
  expect(decoded.length).toBe(messages.length * framesPerMessage * ms(20));
  const { correlation, longestGapMs, covered } = compareSpeech(original, decoded);
  expect(correlation).toBeGreaterThan(0.8);
  expect(longestGapMs).toBeLessThan(50);
  expect(covered).toBeGreaterThan(0.98);
});

it('sees a hole', () => {
  const recording = original.slice();
  recording.fill(0, ms(1000), ms(1300));
  const { longestGapMs } = compareSpeech(original, recording);
  expect(longestGapMs).toBeGreaterThanOrEqual(150);
  expect(longestGapMs).toBeLessThanOrEqual(300);
});

it('sees a recording that lacks the second half', () => {
  expect(compareSpeech(original, original.slice(0, original.length / 2)).covered).toBeLessThan(0.7);
});

it('sees other words, noise and silence', async () => {
  const other = await speak('Nothing of all this was ever mentioned by anybody over there.');
  const noise = original.map(() => (Math.random() - 0.5) * 20_000);
  for (const wrong of [other, noise, new Int16Array(original.length)]) {
    expect(compareSpeech(original, wrong).correlation).toBeLessThan(0.5);
  }
});
