import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openBrowser, openWebPage, seconds, statusesOf } from '../support/browser.js';
import { useGateway } from '../support/gateway.js';
import { Linphone } from '../support/linphone.js';
import { Scope, test } from '../support/scope.js';
import { openScripted, type Scripted, status } from '../support/scripted-gateway.js';
import { speak } from '../support/speech.js';
import { addressOf, dial, expectSpeech, hangUp, idle, listenFor, ready, understood } from '../support/web-phone.js';

const gateway = useGateway();
const [annsWords, cidsWords] = await Promise.all([
  speak('The quick brown fox jumps over the lazy dog.'),
  speak('Nothing of all this was ever mentioned by anybody.', 'en+f3'),
]);
const fileScope = new Scope();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser(fileScope, { speech: await speak('One, two, three, four.') });
}, 30_000);
afterAll(() => fileScope.close());

const notice = (page: Page) => page.getByRole('alert');
const active = (page: Page, name: string) => page.getByRole('heading', { level: 2, name, exact: true }).waitFor();
const other = (page: Page) => page.locator('#other');
const logged = (page: Page, how: string | RegExp) => page.getByRole('button', { name: how }).first().waitFor();

/** In a call with ann, and cid calls. */
async function inCallAndCalled(scope: Scope, refused: readonly string[] = []): Promise<Scripted> {
  const scripted = await openScripted(scope, browser, { refused });
  const { page, session, tell } = scripted;
  await page.getByLabel('Number or SIP address').fill('sip:ann@example.com');
  await page.keyboard.press('Enter');
  await expect.poll(() => scripted.commands).toContain('dial("sip:ann@example.com")');
  for (const code of [1, 4, 2]) session.status(status(code));
  await page.getByText('Connected', { exact: true }).waitFor();
  await page.evaluate(listener);
  tell('Sono.Call.Waiting', { uri: 'bob', from: 'sip:cid@example.com' });
  await other(page).getByText('Call waiting', { exact: true }).waitFor();
  return scripted;
}

/** Keeps what sounds in a loop: the tones of a telephone, until they are stopped. */
const listener = `
  globalThis.loops = new Set();
  const { start, stop } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (...args) { if (this.loop) loops.add(this); return start.apply(this, args); };
  AudioBufferSourceNode.prototype.stop = function (...args) { loops.delete(this); return stop.apply(this, args); };
`;
const sounding = (page: Page) => page.evaluate('loops.size');

describe('a second caller', () => {
  test('is shown and heard, is accepted while the first is held, and both can be swapped', async ({ scope }) => {
    const { page, session, commands, tell } = await inCallAndCalled(scope);
    expect(await page.title()).toBe('☎ cid is calling');
    expect(await sounding(page)).toBe(1);
    await notice(page).getByText('Call waiting from cid').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Hold and accept' }).click();
    await expect.poll(() => commands).toContain('accept()');
    tell('Sono.Call.Switched', { uri: 'sip:cid@example.com', from: 'sip:cid@example.com' });
    await active(page, 'cid');
    expect(await sounding(page)).toBe(0);
    expect(await page.title()).toBe('Sono web phone');
    const held = page.locator('#other').filter({ hasText: 'ann' });
    await held.getByText('On hold').waitFor();
    await page.getByRole('button', { name: 'Swap' }).click();
    await expect.poll(() => commands).toContain('swap()');
    tell('Sono.Call.Switched', { uri: 'sip:ann@example.com', from: 'sip:ann@example.com' });
    await active(page, 'ann');
    await other(page).getByText('On hold').waitFor();
    // The far end of the held call hangs up.
    tell('Sono.Call.WaitingEnded', { from: 'sip:cid@example.com', reason: 'ended by the far end' });
    await notice(page).getByText('The held call with cid is over').waitFor();
    await other(page).waitFor({ state: 'hidden' });
    await logged(page, /^Call cid@example\.com again\. Incoming, 00:0/);
    session.status(status(0));
    await logged(page, /^Call ann@example\.com again\. Outgoing, 00:0/);
  });

  test('is declined by a click or by Escape, and the call goes on', async ({ scope }) => {
    const { page, commands, tell } = await inCallAndCalled(scope);
    await page.getByRole('button', { name: 'Decline' }).click();
    await expect.poll(() => commands).toContain('reject()');
    tell('Sono.Call.WaitingEnded', { from: 'sip:cid@example.com', reason: 'Busy Here' });
    await other(page).waitFor({ state: 'hidden' });
    expect(await notice(page).allTextContents()).not.toContain('Missed');
    tell('Sono.Call.Waiting', { uri: 'bob', from: 'sip:cid@example.com' });
    await other(page).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => commands.filter((command) => command === 'reject()').length).toBe(2);
    expect(commands).not.toContain('hangup()');
    await page.getByText('Connected', { exact: true }).waitFor();
  });

  test('who gives up is a missed call', async ({ scope }) => {
    const { page, tell } = await inCallAndCalled(scope);
    tell('Sono.Call.WaitingEnded', { from: 'sip:cid@example.com', reason: 'cancelled' });
    await notice(page).getByText('Missed call from cid').waitFor();
    await logged(page, /^Call cid@example\.com again\. Missed/);
    expect(await sounding(page)).toBe(0);
  });

  test('rings when the call before is over, and is answered as any other', async ({ scope }) => {
    const { page, session, commands, tell } = await inCallAndCalled(scope);
    for (const code of [3, 0]) session.status(status(code));
    tell('Sono.Call.Incoming', { uri: 'bob', from: 'sip:cid@example.com' });
    await page.getByRole('button', { name: 'Accept', exact: true }).waitFor();
    expect(await sounding(page)).toBe(1);
    await page.getByRole('button', { name: 'Accept', exact: true }).click();
    await expect.poll(() => commands).toContain('accept()');
    expect(await sounding(page)).toBe(0);
    for (const code of [4, 2]) session.status(status(code));
    await active(page, 'cid');
    await other(page).waitFor({ state: 'hidden' });
  });

  test('who was accepted just as the call before ended is answered with a microphone', async ({ scope }) => {
    const { page, session, tell } = await inCallAndCalled(scope);
    session.status(status(0));
    tell('Sono.Call.Incoming', { uri: 'bob', from: 'sip:cid@example.com' });
    const spoken = new Promise((resolve) => {
      session.on('stream', (stream) => {
        stream.on('publish', (request) => request.accept());
        stream.on('play', (request) => request.accept());
        stream.on('audio', resolve);
      });
    });
    for (const code of [4, 2]) session.status(status(code));
    await active(page, 'cid');
    await spoken;
  });

  test('of two calls, one ended leaves the other', async ({ scope }) => {
    const { page, commands, tell } = await inCallAndCalled(scope);
    await page.getByRole('button', { name: 'Hold and accept' }).click();
    tell('Sono.Call.Switched', { uri: 'sip:cid@example.com', from: 'sip:cid@example.com' });
    await active(page, 'cid');
    await page.getByRole('button', { name: 'Hang up' }).click();
    await expect.poll(() => commands).toContain('hangup()');
    tell('Sono.Call.Switched', { uri: 'sip:ann@example.com', from: 'sip:ann@example.com' });
    await active(page, 'ann');
    expect(await page.getByRole('button', { name: 'Swap' }).count()).toBe(0);
    await logged(page, /^Call cid@example\.com again\. Incoming, 00:0/);
    await page.getByText('Connected', { exact: true }).waitFor();
  });

  test('a swap that comes too late leaves one call', async ({ scope }) => {
    const { page, tell } = await inCallAndCalled(scope, ['swap']);
    await page.getByRole('button', { name: 'Hold and accept' }).click();
    tell('Sono.Call.Switched', { uri: 'sip:cid@example.com', from: 'sip:cid@example.com' });
    await page.getByRole('button', { name: 'Swap' }).click();
    await notice(page).getByText('no way').waitFor({ state: 'attached' });
    expect(await page.getByRole('button', { name: 'Swap' }).count()).toBe(0);
  });

  test('is turned away by the gateway where the setting says so, and that is remembered', async ({ scope }) => {
    const { page, commands } = await openScripted(scope, browser);
    expect(commands).toContain('callWaiting(true)');
    await page.getByRole('button', { name: /^Settings/ }).click();
    await page.getByLabel('Call waiting').uncheck();
    await expect.poll(() => commands).toContain('callWaiting(false)');
    commands.length = 0;
    await page.reload();
    await page.getByText('Ready as bob@example.com').waitFor();
    expect(commands).toEqual(['register()']);
    await page.getByRole('button', { name: /^Settings/ }).click();
    expect(await page.getByLabel('Call waiting').isChecked()).toBe(false);
  });
});

test('with two linphones: each is heard while the call is with them, and an end leaves the other', async ({
  scope,
}) => {
  const page = await openWebPage(scope, browser, `http://localhost:${gateway().httpPort}/`, { record: true });
  await ready(page);
  const [ann, cid] = [
    await Linphone.start(scope, { user: 'ann', autoAnswer: true }),
    await Linphone.start(scope, { user: 'cid' }),
  ];
  await dial(page, ann.uri);
  await ann.connected();
  // It calls itself linphone.
  cid.call(await addressOf(page));
  await other(page).getByText('Call waiting', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Hold and accept' }).click();
  await active(page, 'linphone');
  await cid.connected();
  await other(page).filter({ hasText: 'ann@' }).getByText('On hold').waitFor();
  await hears(page, cid, cidsWords);
  await page.getByRole('button', { name: 'Swap' }).click();
  await active(page, 'ann');
  await other(page).filter({ hasText: 'cid@' }).getByText('On hold').waitFor();
  await hears(page, ann, annsWords);
  ann.hangUp();
  await active(page, 'linphone');
  await notice(page).getByText('ann has ended the call').waitFor();
  await other(page).waitFor({ state: 'hidden' });
  const said = await hears(page, cid, cidsWords);
  // All that time it was one call of the page's, with one pair of streams.
  expect((await statusesOf(page)).filter((code, at, all) => code !== all[at - 1])).toEqual([1, 4, 2]);
  await hangUp(page);
  await idle(page);
  await cid.ended();
  expectSpeech(said, await cid.heard());
}, 120_000);

/** @returns what the page has said meanwhile */
async function hears(page: Page, linphone: Linphone, words: Int16Array): Promise<Int16Array> {
  let said: Int16Array = new Int16Array();
  await understood(async () => {
    await linphone.say(words);
    const recording = await listenFor(page, seconds(words) + 0.3);
    said = recording.said;
    return [[words, recording.heard]];
  });
  return said;
}
