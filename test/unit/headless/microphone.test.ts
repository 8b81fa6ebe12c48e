import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Microphone } from '../../../flash_phone/headless/microphone.js';

let now = 0;
beforeEach(() => {
  now = 1000;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Each frame's first sample stands for the frame. */
const encode = (frame: Int16Array) => Uint8Array.of(frame[0] ?? 0);

function speaking(sound: Int16Array) {
  const sent: { timestamp: number; first: number | undefined }[] = [];
  const microphone = new Microphone(sound, encode, (timestamp, body) => {
    sent.push({ timestamp, first: body[0] });
    return true;
  });
  return { microphone, sent };
}

/** The clock goes on, and the timer that is due fires, so much later than it should. */
function goOn(milliseconds: number): void {
  now += milliseconds;
  vi.advanceTimersToNextTimer();
}

test('timers that are always late do not make it slower', () => {
  const { microphone, sent } = speaking(new Int16Array(320));
  for (let at = 0; at < 2000; at++) goOn(23.75);
  // 2000 times 23.75 ms are 2375 frames of 20 ms; the first was sent at once.
  expect(microphone).toMatchObject({ sent: 2376, dropped: 0 });
  expect(sent.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 2376 }, (_, index) => index * 20));
});

test('after the sound it says silence, and the last frame is filled up', async () => {
  const { microphone, sent } = speaking(new Int16Array(500).fill(7));
  goOn(20);
  await microphone.said;
  goOn(20);
  expect(sent.map(({ first }) => first)).toEqual([7, 7, 0]);
});

test('what a computer that slept has missed is not said in one go', () => {
  const { microphone, sent } = speaking(new Int16Array(320));
  goOn(60_000);
  expect(sent.length).toBe(26);
  expect(microphone).toMatchObject({ sent: 26, dropped: 2975 });
  expect(sent.at(-1)?.timestamp).toBe(60_000);
});

test('frames that the connection does not take are counted', () => {
  const microphone = new Microphone(new Int16Array(320), encode, () => false);
  goOn(20);
  expect(microphone).toMatchObject({ sent: 0, dropped: 2 });
});
