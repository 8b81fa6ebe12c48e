import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { RtmpClient } from 'rtmp-server-ts';
import { afterAll, beforeAll, expect } from 'vitest';
import { Kamailio } from '../interop/phone/support/kamailio.js';
import {
  type BrowserOptions,
  openBrowser,
  openWebPage,
  type Recording,
  seconds,
  statusesOf,
} from '../support/browser.js';
import { compareSpeech } from '../support/compare-speech.js';
import { Gateway, useGateway } from '../support/gateway.js';
import { Linphone } from '../support/linphone.js';
import { Scope, test } from '../support/scope.js';
import { speak } from '../support/speech.js';
import {
  addressOf,
  callEcho,
  connected,
  dial,
  expectSpeech,
  hangUp,
  idle,
  listenFor,
  notice,
  ready,
  understood,
} from '../support/web-phone.js';

const markup = '<img src=x onerror=document.title="run">Mallory';
const gateway = useGateway({ env: { SONO_FROM_NAME: markup } });
const [ours, theirs] = await Promise.all([
  speak('The quick brown fox jumps over the lazy dog. One, two, three, four.'),
  speak('Nothing of all this was ever mentioned by anybody over there.', 'en+f3'),
]);
const pageUrl = (of = gateway()) => `http://localhost:${of.httpPort}/`;

/** The browser of most of the tests; each has a profile of its own in it. */
let browser: Browser;
const fileScope = new Scope();
beforeAll(async () => {
  browser = await openBrowser(fileScope, { speech: ours });
}, 30_000);
afterAll(() => fileScope.close());

/** The web phone, ready to call. */
async function openPhone(scope: Scope, options?: BrowserOptions, url = pageUrl()): Promise<Page> {
  const page = await openWebPage(scope, options ? await openBrowser(scope, options) : browser, url, { record: true });
  await ready(page);
  return page;
}

/** Milliseconds that the jitter buffer holds, as the page tells each second: the median over the time. */
async function bufferedFor(page: Page, duration: number): Promise<number> {
  const told: number[] = [];
  while (told.length < duration) {
    await sleep(1000);
    told.push(Number(/(\d+) ms buffered/.exec((await page.locator('#quality-text').textContent()) ?? '')?.[1]));
  }
  return told.sort((a, b) => a - b)[Math.floor(told.length / 2)] ?? Number.NaN;
}

test('one click calls the echo number, and what is said comes back; it can be held', async ({ scope }) => {
  const page = await openPhone(scope);
  await callEcho(page);
  await connected(page);
  expect((await statusesOf(page)).filter((status, at, all) => status !== all[at - 1])).toEqual([1, 4, 2]);
  await page.getByText('ms to the gateway').waitFor();
  await page.waitForFunction("document.getElementById('said').value > 0 && document.getElementById('heard').value > 0");
  let delay = { lagMs: Number.NaN, bufferMs: Number.NaN };
  await understood(async () => {
    // Twice the words: they begin anywhere, and once they are whole.
    const talking = listenFor(page, seconds(ours) * 2);
    const bufferMs = await bufferedFor(page, seconds(ours) * 2);
    const { said, heard } = await talking;
    delay = { lagMs: compareSpeech(said, heard).lagMs, bufferMs };
    // The browser takes away from the microphone what it takes for echo, and this is one.
    return [
      [said, heard],
      [ours, heard, 0.4],
    ];
  });
  const { lagMs, bufferMs } = delay;
  process.stdout.write(`mouth to ear through the echo number: ${lagMs} ms, ${bufferMs} of them in the jitter buffer\n`);
  expect(lagMs - bufferMs).toBeLessThan(250);
  await page.getByRole('button', { name: 'Hold' }).click();
  await page.getByText('On hold', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Hold' }).click();
  await connected(page);
  await hangUp(page);
  await idle(page);
  // It is remembered, and a click calls again.
  await page.getByRole('button', { name: /^Call echo@localhost.* again/ }).click();
  await connected(page);
  await page.keyboard.press('Escape');
  await idle(page);
}, 120_000);

/** @returns what the page has said meanwhile */
async function hears(page: Page, linphone: Linphone): Promise<Int16Array> {
  let said: Int16Array = new Int16Array();
  await understood(async () => {
    await linphone.say(theirs);
    const recording = await listenFor(page, Math.max(seconds(ours), seconds(theirs)) + 0.3);
    said = recording.said;
    return [[theirs, recording.heard]];
  });
  return said;
}

test('it calls linphone, and both hear each other', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { autoAnswer: true });
  const page = await openPhone(scope);
  await dial(page, linphone.uri);
  await connected(page);
  await linphone.connected();
  const said = await hears(page, linphone);
  linphone.hangUp();
  await idle(page);
  await notice(page).getByText('The other side has ended the call').waitFor();
  expectSpeech(said, await linphone.heard());
}, 120_000);

test('linphone calls it, it rings and is answered by a click, and both hear each other', async ({ scope }) => {
  const page = await openPhone(scope);
  const linphone = await Linphone.start(scope);
  linphone.call(await addressOf(page));
  await page.getByRole('heading', { name: 'linphone' }).waitFor();
  expect(await page.title()).toMatch(/is calling/);
  await page.getByRole('button', { name: 'Accept' }).click();
  await connected(page);
  await linphone.connected();
  const said = await hears(page, linphone);
  await hangUp(page);
  await linphone.ended();
  expectSpeech(said, await linphone.heard());
}, 120_000);

test('two browsers call each other by address; the keyboard answers, and a name is never markup', async ({ scope }) => {
  const [caller, callee] = [await openPhone(scope), await openPhone(scope)];
  await dial(caller, await addressOf(callee));
  await callee.getByRole('heading', { name: markup }).waitFor();
  expect(await callee.locator('h2 img').count()).toBe(0);
  await callee.keyboard.press('Enter');
  await Promise.all([connected(caller), connected(callee)]);
  await understood(async () => {
    const listening = [caller, callee].map((page) => listenFor(page, seconds(ours)));
    const [calling, called] = (await Promise.all(listening)) as [Recording, Recording];
    return [
      [calling.said, called.heard],
      [called.said, calling.heard],
    ];
  });
  await callee.keyboard.press('Escape');
  await Promise.all([idle(caller), idle(callee)]);
  expect(await callee.title()).not.toBe('run');
}, 120_000);

test('two tabs with one registration: the call is answered in one, and the other is free again', async ({ scope }) => {
  const registrar = await Kamailio.start(scope);
  const tabs = [await openPhone(scope), await openPhone(scope)];
  for (const tab of tabs) {
    await tab.getByRole('button', { name: /^Settings/ }).click();
    await tab.getByLabel('User').fill(`bob@${registrar.address}`);
    await tab.getByLabel('Password').fill(registrar.password);
    await tab.getByRole('button', { name: 'Register' }).click();
    await tab.getByText('Ready as bob@').waitFor();
  }
  const other = await RtmpClient.connect(gateway().rtmpUrl());
  scope.defer(() => other.close());
  other.call('dial', registrar.uri('bob')).catch(() => {});
  const [first, second] = tabs as [Page, Page];
  await second.getByRole('button', { name: 'Accept' }).waitFor();
  await first.getByRole('button', { name: 'Accept' }).click();
  await connected(first);
  await idle(second);
});

test('rejected by Escape, an incoming call leaves the phone idle and stands in the log as missed', async ({
  scope,
}) => {
  const page = await openPhone(scope);
  const other = await RtmpClient.connect(gateway().rtmpUrl());
  scope.defer(() => other.close());
  const ended = new Promise((resolve) => {
    other.on('status', ({ status_code: status, sip_status: sipStatus }) => status === 0 && resolve(sipStatus));
  });
  other.call('dial', await addressOf(page)).catch(() => {});
  await page.getByRole('button', { name: 'Reject' }).waitFor();
  await page.keyboard.press('Escape');
  await idle(page);
  expect(await ended).toBe(486);
  await page.getByRole('button', { name: /again. Missed/ }).waitFor();
});

test.for([
  ['sip:busy@localhost', 'The line is busy.'],
  ['sip:nobody@localhost', 'There is nobody at this address.'],
  ['not an address', /address/],
] as const)('a call to %s fails with clear words', async ([uri, words], { scope }) => {
  const page = await openPhone(scope);
  await dial(page, uri.replace('localhost', `localhost:${gateway().sipPort}`));
  await notice(page).getByText(words).waitFor();
  await idle(page);
});

test.for([
  ['a denied microphone', { speech: ours, allow: false }, /may not use the microphone\. Allow it/],
  ['no microphone', {}, /There is no microphone/],
] as const)('%s is told in clear words, and no call is made', async ([, options, words], { scope }) => {
  const page = await openPhone(scope, options);
  await callEcho(page);
  await notice(page).getByText(words).waitFor();
  await idle(page);
  expect(await page.evaluate('document.body.dataset.status')).toBeUndefined();
});

test('the gateway stops in a call and starts again: the page says so, and is ready again by itself', async ({
  scope,
}) => {
  const first = await Gateway.start(scope);
  const page = await openPhone(scope, undefined, pageUrl(first));
  await callEcho(page);
  await connected(page);
  first.signal('SIGKILL');
  await page.getByText('Gateway unreachable').waitFor();
  await notice(page).getByText('The call was lost').waitFor();
  await first.exit();
  await Gateway.start(scope, { ports: first.ports });
  await page.getByText('Ready', { exact: true }).waitFor({ timeout: 30_000 });
  await callEcho(page);
  await connected(page);
}, 60_000);
