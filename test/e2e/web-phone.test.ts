import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { openBrowser, openWebPage, recordingOf } from '../support/browser.js';
import { compareSpeech } from '../support/compare-speech.js';
import { useGateway } from '../support/gateway.js';
import { test } from '../support/scope.js';
import { speak } from '../support/speech.js';

const gateway = useGateway();
const speech = await speak();
const pageUrl = () => `http://localhost:${gateway().httpPort}/`;

test('one click calls the echo number, and what is said comes back', async ({ scope }) => {
  const browser = await openBrowser(scope, { speech });
  const page = await openWebPage(scope, browser, pageUrl(), { record: true });
  await page.getByText('Ready').waitFor();
  await page.getByRole('button', { name: 'Call the echo number' }).click();
  await page.getByText('Connected', { exact: true }).waitFor();
  await sleep(8000);
  const { said, heard } = await recordingOf(page);
  console.log(await page.locator('#quality').innerText(), await page.locator('#timer').innerText());
  console.log(compareSpeech(speech, said), compareSpeech(speech, heard), compareSpeech(said, heard));
  await page.screenshot({ path: '/tmp/web-incall.png' });
  await page.getByRole('button', { name: 'Hang up' }).click();
  await page.getByText('Hear yourself').waitFor();
  expect(1).toBe(1);
}, 60_000);
