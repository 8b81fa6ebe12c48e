import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { openBrowser, openTab, openTabs, openWebPage, seconds, statusesOf } from '../support/browser.js';
import { useGateway } from '../support/gateway.js';
import { Linphone } from '../support/linphone.js';
import { Scope, test } from '../support/scope.js';
import { speak } from '../support/speech.js';
import { addressOf, callEcho, connected, hangUp, idle, listenFor, ready, understood } from '../support/web-phone.js';

const gateway = useGateway();
const speech = await speak('The quick brown fox jumps over the lazy dog. One, two, three, four.');
const pageUrl = () => `http://localhost:${gateway().httpPort}/`;
const fileScope = new Scope();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser(fileScope, { speech });
}, 30_000);
afterAll(() => fileScope.close());

const visibility = (page: Page) => page.evaluate('document.visibilityState');
const timer = async (page: Page) => (await page.getByRole('timer').textContent()) ?? '';

/** Through the echo number. */
const hearsItself = (page: Page, likeness?: number) =>
  understood(async () => {
    const { said, heard } = await listenFor(page, seconds(speech));
    return [[said, heard, likeness]];
  });

test('a call goes on both ways while another tab is in front of the page', async ({ scope }) => {
  const tabs = await openTabs(scope, { speech });
  const page = await openTab(scope, tabs, pageUrl(), { record: true });
  await ready(page);
  await callEcho(page);
  await connected(page);
  const other = await openTab(scope, tabs, 'about:blank');
  await other.bringToFront();
  await expect.poll(() => visibility(page)).toBe('hidden');
  const before = await timer(page);
  await hearsItself(page);
  expect(await visibility(page)).toBe('hidden');
  expect((await statusesOf(page)).at(-1)).toBe(2);
  expect(await timer(page)).not.toBe(before);
  await page.bringToFront();
  await connected(page);
  await hangUp(page);
  await idle(page);
}, 120_000);

/** How the Speex codec cannot be had. */
const without: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
  ['is not there', (page) => page.route('**/speex.wasm', (route) => route.fulfill({ status: 404 }))],
  [
    'is forbidden by a policy',
    (page) =>
      page.addInitScript(`
        new MutationObserver((_, observer) => {
          if (document.head === null) return;
          observer.disconnect();
          const policy = document.createElement('meta');
          policy.httpEquiv = 'Content-Security-Policy';
          policy.content = "script-src 'self'";
          document.head.append(policy);
        }).observe(document, { childList: true, subtree: true });`),
  ],
  ['cannot run, as there is no WebAssembly', (page) => page.addInitScript('delete globalThis.WebAssembly')],
];

test.for(without)(
  'where the Speex codec %s, it speaks and hears G.711',
  { timeout: 120_000 },
  async ([, prepare], { scope }) => {
    const page = await openWebPage(scope, browser, pageUrl(), { record: true, prepare });
    await ready(page);
    await callEcho(page);
    await connected(page);
    await hearsItself(page, 0.5);
    await hangUp(page);
    await idle(page);
    const { media } = await gateway().callEnded(`sip:echo@localhost:${gateway().sipPort}`);
    expect(media).toMatchObject({ clientCodec: 'pcmu', heard: 'pcmu' });
  },
);

test('without the Speex codec it hears a far end that would rather speak Speex', async ({ scope }) => {
  const linphone = await Linphone.start(scope);
  const prepare = (page: Page) => page.addInitScript('delete globalThis.WebAssembly');
  const page = await openWebPage(scope, browser, pageUrl(), { record: true, prepare });
  await ready(page);
  linphone.call(await addressOf(page));
  await page.getByRole('button', { name: 'Accept' }).click();
  await connected(page);
  await linphone.connected();
  await understood(async () => {
    await linphone.say(speech);
    const { heard } = await listenFor(page, seconds(speech) + 0.3);
    return [[speech, heard, 0.5]];
  });
  const [{ to } = {}] = gateway()
    .log.all.filter(({ msg }) => msg === 'call started')
    .slice(-1);
  await hangUp(page);
  await idle(page);
  const { media } = await gateway().callEnded(to ?? '');
  expect(media).toMatchObject({ codec: 'pcmu/8000', clientCodec: 'pcmu', heard: 'pcmu' });
}, 120_000);

test('another microphone and another speaker are chosen in a call, which goes on; the choice is kept', async ({
  scope,
}) => {
  const page = await openWebPage(scope, browser, pageUrl(), { record: true });
  await ready(page);
  await callEcho(page);
  await connected(page);
  const choose = async (kind: string) => {
    const select = page.getByLabel(kind);
    const names = await select.locator('option').allTextContents();
    expect(names[0]).toBe("The system's choice");
    expect(names.length).toBeGreaterThan(1);
    await select.selectOption({ index: names.length - 1 });
    return names.at(-1);
  };
  const chosen = (kind: string) => page.getByLabel(kind).locator('option:checked').textContent();
  await page.getByRole('button', { name: /^Settings/ }).click();
  const [microphone, speaker] = [await choose('Microphone'), await choose('Speaker')];
  await page.getByRole('button', { name: 'Close' }).click();
  await hearsItself(page);
  await connected(page);
  await hangUp(page);
  await page.reload();
  await ready(page);
  // Browsers tell of devices only once the microphone was allowed.
  await callEcho(page);
  await connected(page);
  await page.getByRole('button', { name: /^Settings/ }).click();
  await expect.poll(() => chosen('Microphone'), { timeout: 10_000 }).toBe(microphone);
  await expect.poll(() => chosen('Speaker')).toBe(speaker);
}, 120_000);
