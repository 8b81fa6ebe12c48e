import type { Page } from 'playwright-core';
import { expect } from 'vitest';
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

/** Speech went through: a codec and a jitter buffer change it a little; a machine that runs other tests takes out pieces. */
export function expectSpeech(original: Int16Array, recording: Int16Array, likeness = 0.6): void {
  const comparison = compareSpeech(original, recording);
  expect(comparison.correlation).toBeGreaterThan(likeness);
  expect(comparison.covered).toBeGreaterThan(0.9);
  expect(comparison.longestGapMs).toBeLessThanOrEqual(400);
}
