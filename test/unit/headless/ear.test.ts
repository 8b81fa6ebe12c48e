import { expect, test } from 'vitest';
import { Ear } from '../../../flash_phone/headless/ear.js';
import { echoDelay } from '../../../flash_phone/headless/round-trip.js';
import { testSound } from '../../../flash_phone/headless/test-sound.js';
import { speak } from '../../support/speech.js';

const frame = (level: number) => new Int16Array(320).fill(level);

function listening() {
  const recorded: number[] = [];
  const ear = new Ear((samples) => recorded.push(...samples));
  return { ear, recorded };
}

test('frames in time are recorded one after the other', () => {
  const { ear, recorded } = listening();
  for (let index = 0; index < 5; index++) ear.hear(1000 + index * 20, 7000 + index * 20, frame(index));
  expect(recorded.filter((_, at) => at % 320 === 0)).toEqual([0, 1, 2, 3, 4]);
  expect(ear).toMatchObject({ received: 5, missing: 0, late: 0, unusable: 0, longestGapMs: 20, startedAt: 1000 });
});

test('what the timestamps leave out is silence, and counted', () => {
  const { ear, recorded } = listening();
  ear.hear(0, 0, frame(500));
  ear.hear(60, 60, frame(500));
  expect(recorded.length).toBe(4 * 320);
  expect(recorded.slice(320, 960).every((sample) => sample === 0)).toBe(true);
  expect(ear).toMatchObject({ missing: 2, longestGapMs: 60, peak: 500, isAudible: true });
});

test('timestamps that wrap at 2^32 go on', () => {
  const { ear, recorded } = listening();
  ear.hear(0, 2 ** 32 - 20, frame(1));
  ear.hear(20, 0, frame(1));
  expect(recorded.length).toBe(640);
  expect(ear.missing).toBe(0);
});

test.each([-100_000, 100_000, 2 ** 31])('a step of %i ms is another timeline, not lost audio', (step) => {
  const { ear, recorded } = listening();
  ear.hear(0, 500_000, frame(1));
  ear.hear(20, (500_020 + step) >>> 0, frame(1));
  ear.hear(40, (500_040 + step) >>> 0, frame(1));
  expect(recorded.length).toBe(3 * 320);
  expect(ear.missing).toBe(0);
});

test('late and unusable messages are counted; silence is not audible', () => {
  const { ear } = listening();
  ear.hear(0, 0, frame(50));
  ear.hear(150, 20, frame(50));
  ear.hear(160, 40, undefined);
  expect(ear).toMatchObject({ received: 3, late: 1, unusable: 1, longestGapMs: 150, isAudible: false });
});

test('the echo of speech is found where it is, and other speech is none', async () => {
  const speech = await speak('The quick brown fox jumps over the lazy dog.');
  const other = await speak('Pack my box with five dozen liquor jugs.');
  const echo = new Int16Array(speech.length + 8000);
  echo.set(
    speech.map((sample) => sample / 3),
    4800,
  );
  expect(echoDelay(speech, echo, 0)).toBeCloseTo(300, 0);
  expect(echoDelay(speech, speech.subarray(1600), 450)).toBeCloseTo(350, 0);
  expect(echoDelay(speech, other, 0)).toBeUndefined();
  expect(echoDelay(speech, new Int16Array(16_000), 0)).toBeUndefined();
  expect(echoDelay(speech, new Int16Array(), 0)).toBeUndefined();
});

test('an echo that a stalled network shifts on its way is measured all the same', () => {
  const sound = testSound();
  const shifted = new Int16Array(sound.length + 16_000);
  shifted.set(sound.subarray(0, 24_000), 1600);
  shifted.set(sound.subarray(24_000), 24_000 + 8000);
  const delay = echoDelay(sound, shifted, 0);
  expect(Math.abs((delay ?? 0) - 500)).toBeLessThan(1);
});

test.each([0.8, 2, 5])('the echo of %d s of the test sound has one place only', (seconds) => {
  const sound = testSound();
  expect(Math.max(...sound)).toBeGreaterThan(5000);
  expect(Math.max(...sound)).toBeLessThan(20_000);
  expect(echoDelay(sound, sound.subarray(0, seconds * 16_000), 120)).toBeCloseTo(120, 0);
});
