import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type Recording, recordingOf } from './browser.js';
import { compareSpeech } from './compare-speech.js';

/** What a person sees and does on the page of the web phone. */
export const ready = (page: Page) => page.getByText('Ready', { exact: true }).waitFor();
export const connected = (page: Page) => page.getByText('Connected', { exact: true }).waitFor();
export const idle = (page: Page) => page.getByLabel('Number or SIP address').waitFor();
export const notice = (page: Page) => page.getByRole('alert');
export const addressOf = async (page: Page) => (await page.locator('#own-address').textContent()) ?? '';
export const callEcho = (page: Page) => page.getByRole('button', { name: 'Call the echo number' }).click();
export const hangUp = (page: Page) => page.getByRole('button', { name: 'Hang up' }).click();

export async function dial(page: Page, uri: string): Promise<void> {
  await page.getByLabel('Number or SIP address').fill(uri);
  await page.keyboard.press('Enter');
}

/** What the page has said and heard, from now on and for so long. */
export async function listenFor(page: Page, seconds: number): Promise<Recording> {
  await page.evaluate('recordings.said.length = recordings.heard.length = 0');
  // The recorder keeps blocks of a third of a second.
  await sleep(seconds * 1000 + 700);
  return await recordingOf(page);
}

/** What was said, what was heard of it, and how alike they have to be: 0.6 unless told, 1 for equal. */
export type Talk = readonly [said: Int16Array, heard: Int16Array, likeness?: number | undefined];

const usualLikeness = 0.6;
const attempts = 4;

/**
 * Speech goes through: a codec and a jitter buffer change it a little. A machine that runs other tests takes out pieces: whoever is
 * not understood says it again.
 */
export async function understood(talk: () => Promise<readonly Talk[]>): Promise<void> {
  for (let attempt = 1; attempt < attempts; attempt++) if ((await talk()).every(went)) return;
  for (const [said, heard, likeness] of await talk()) expectSpeech(said, heard, likeness);
}

function went([said, heard, likeness = usualLikeness]: Talk): boolean {
  const { correlation, covered, longestGapMs } = compareSpeech(said, heard);
  return correlation > likeness && covered > leastCovered && longestGapMs <= longestGap;
}

const leastCovered = 0.9;
/** Milliseconds. */
const longestGap = 400;

export function expectSpeech(said: Int16Array, heard: Int16Array, likeness = usualLikeness): void {
  const comparison = compareSpeech(said, heard);
  expect(comparison.correlation).toBeGreaterThan(likeness);
  expect(comparison.covered).toBeGreaterThan(leastCovered);
  expect(comparison.longestGapMs).toBeLessThanOrEqual(longestGap);
}
