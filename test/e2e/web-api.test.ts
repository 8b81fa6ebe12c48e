import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { RtmpClient } from 'rtmp-server-ts';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openBrowser, openWebPage } from '../support/browser.js';
import { Gateway } from '../support/gateway.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { Scope, test } from '../support/scope.js';
import { openScripted, status } from '../support/scripted-gateway.js';
import { speak } from '../support/speech.js';

const speech = await speak('One, two, three, four.');
const fileScope = new Scope();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser(fileScope, { speech });
}, 30_000);
afterAll(() => fileScope.close());

/** A page that writes every event into its list. */
const fiveLines = (gateway: string) => `<!doctype html><meta charset="utf-8"><title>shop</title>
  <script src="${gateway}/sono-phone.js"></script>
  <button id="call">Call</button><ol id="events"></ol>
  <script>
    const phone = new SonoPhone();
    for (const name of ['connected', 'disconnected', 'registered', 'status', 'incoming', 'hold', 'dtmf', 'transferred', 'message', 'error', 'quality'])
      phone.on(name, (details) => {
        const line = document.createElement('li');
        line.textContent = name + ' ' + JSON.stringify(details);
        document.getElementById('events').append(line);
      });
    document.getElementById('call').onclick = () => phone.dial(location.hash.slice(1));
  </script>`;

async function serveSite(scope: Scope, port: number, html: () => string): Promise<void> {
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(html()));
  scope.defer(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

const event = (page: Page, text: string | RegExp) => page.locator('#events > *').filter({ hasText: text }).first();

describe('on the page of another site', () => {
  test('it calls where the gateway allows the origin', async ({ scope }) => {
    const port = await freePort();
    const gateway = await Gateway.start(scope, { env: { SONO_ORIGINS: `http://127.0.0.1:${port}` } });
    await serveSite(scope, port, () => fiveLines(`http://localhost:${gateway.httpPort}`));
    const uri = `sip:echo@localhost:${gateway.sipPort}`;
    const page = await openWebPage(scope, browser, `http://127.0.0.1:${port}/#${uri}`);
    await page.getByRole('button', { name: 'Call' }).click();
    await event(page, 'status {"status":2}').waitFor();
    await event(page, /quality .*"roundTripMs"/).waitFor();
    const statuses = (await page.locator('#events li').allTextContents()).filter((line) => line.startsWith('status'));
    expect([...new Set(statuses)]).toEqual(['status {"status":1}', 'status {"status":4}', 'status {"status":2}']);
  });

  test('it is refused where the gateway does not, and so is a page from a file', async ({ scope }) => {
    const gateway = await Gateway.start(scope);
    const port = await freePort();
    const html = fiveLines(`http://localhost:${gateway.httpPort}`);
    await serveSite(scope, port, () => html);
    const folder = mkdtempSync(join(tmpdir(), 'page-'));
    scope.defer(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'page.html'), html);
    for (const url of [`http://127.0.0.1:${port}/`, pathToFileURL(join(folder, 'page.html')).href]) {
      const page = await openWebPage(scope, browser, url);
      await page.evaluate('phone.connect()');
      await event(
        page,
        /disconnected .*"no gateway answers at ws:\/\/localhost.*SONO_ORIGINS.*"retryMs":1000/,
      ).waitFor();
      expect(await event(page, 'registered').count()).toBe(0);
    }
  });
});

describe('whatever the gateway says', () => {
  test('keys, hold, mute, transfer and messages in a call, by mouse and by keyboard', async ({ scope }) => {
    const { page, session, commands } = await openScripted(scope, browser);
    await page.getByLabel('Number or SIP address').focus();
    await page.keyboard.type('sip:ann@example.com');
    await page.keyboard.press('Enter');
    await expect.poll(() => commands).toContain('dial("sip:ann@example.com")');
    for (const code of [1, 4, 2]) session.status(status(code));
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('button', { name: '5', exact: true }).click();
    await page.keyboard.press('#');
    await expect.poll(() => commands).toEqual(expect.arrayContaining(['sendDTMF("5")', 'sendDTMF("#")']));
    await page.getByRole('button', { name: 'Hold' }).click();
    await expect.poll(() => commands).toContain('hold(true)');
    session.status({ level: 'status', code: 'Sono.Call.Hold', held: true, local: true, remote: false });
    await page.getByText('On hold', { exact: true }).waitFor();
    session.status({ level: 'status', code: 'Sono.Call.Hold', held: true, local: false, remote: true });
    await page.getByText('The other side holds the call', { exact: true }).waitFor();
    session.status({ level: 'status', code: 'Sono.Call.TransferFailed', reason: 'nobody there' });
    await page.getByRole('alert').getByText('The transfer did not work: nobody there').waitFor();
    await page.getByRole('button', { name: 'Mute' }).click();
    expect(await page.getByRole('button', { name: 'Mute' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'Transfer' }).click();
    await page.keyboard.type('sip:cid@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('no way').waitFor();
    expect(commands).toContain('transfer("sip:cid@example.com")');
    session.status({ level: 'status', code: 'Sono.Message', from: 'sip:eve@example.com', text: '<b>hi</b>' });
    await page.getByRole('alert').getByText('eve@example.com: <b>hi</b>').waitFor();
    session.close('over');
    await page.getByRole('alert').getByText('The call was lost').waitFor();
  });

  test('what was refused besides does not end the attempt at a call', async ({ scope }) => {
    const { page, session, commands } = await openScripted(scope, browser, { refused: ['sendMessage'] });
    await page.evaluate(`{
      const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const allowed = new Promise((resolve) => { globalThis.allow = resolve; });
      navigator.mediaDevices.getUserMedia = async (wish) => { await allowed; return await getUserMedia(wish); };
    }`);
    await page.getByLabel('Number or SIP address').fill('sip:ann@example.com');
    await page.keyboard.press('Enter');
    // While the person is asked for the microphone, a text turns out not to be delivered.
    await page.getByLabel('To', { exact: true }).fill('sip:eve@example.com');
    await page.getByLabel('Message', { exact: true }).fill('Hello');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The message was not delivered: no way.').waitFor();
    await page.evaluate('allow()');
    await expect.poll(() => commands).toContain('dial("sip:ann@example.com")');
    for (const code of [1, 4, 2]) session.status(status(code));
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('heading', { name: 'ann' }).waitFor();
  });

  test('a registration that is lost is made again', async ({ scope }) => {
    const { page, session, commands } = await openScripted(scope, browser);
    session.status({ level: 'status', code: 'Sono.Registration.Lost', reason: 'the registrar forgot' });
    await page.getByText('Registration lost; trying again').waitFor();
    await page.getByRole('alert').getByText('the registrar forgot').waitFor();
    await page.getByText('Ready as bob@example.com').waitFor();
    expect(commands).toEqual(['callWaiting(true)', 'register()', 'register()']);
  });

  test('statuses and pushes that are unknown, or make no sense, do no harm', async ({ scope }) => {
    const { page, session } = await openScripted(scope, browser);
    for (const info of [
      status(7),
      status(-1),
      { ...status(0), status_code: 'two' },
      { level: 'status', code: 'Sono.Call.Status' },
      { level: 'status', code: 'Sono.Else' },
      { level: 'status', code: 'Sono.Call.Incoming', from: 5 },
      status(0),
      { level: 'status', code: 'Sono.Call.Incoming', uri: 'bob', from: 'sip:x@y', displayName: 'A'.repeat(5_000) },
    ]) {
      session.status(info);
    }
    const name = page.locator('#incoming-name');
    await name.getByText(/^A{120}…$/).waitFor();
    expect((await name.boundingBox())?.height).toBeLessThan(120);
    session.status(status(0));
    await page.getByRole('alert').getByText('Missed call from').waitFor();
  });
});

test('the examples work', async ({ scope }) => {
  const gateway = await Gateway.start(scope);
  const examples = `http://localhost:${gateway.httpPort}/examples`;
  const echo = `sip:echo@localhost:${gateway.sipPort}`;
  const shop = await openWebPage(scope, browser, `${examples}/click-to-call.html?dial=${echo}`);
  await shop.getByRole('button', { name: 'Call us' }).click();
  await shop.getByText('You are connected.').waitFor();
  await shop.getByRole('button', { name: 'Hang up' }).click();
  const panel = await openWebPage(scope, browser, `${examples}/agent-panel.html`);
  await event(panel, /^registered /).waitFor();
  await panel.getByLabel('Number').fill(echo);
  await panel.getByRole('button', { name: 'Dial' }).click();
  await event(panel, 'status {"status":2}').waitFor();
  // A second caller, who takes the place of the first.
  const other = await RtmpClient.connect(gateway.rtmpUrl());
  scope.defer(() => other.close());
  other
    .call(
      'dial',
      await panel
        .getByText(/^Address: sip:/)
        .locator('output')
        .innerText(),
    )
    .catch(() => {});
  await event(panel, /^waiting /).waitFor();
  await panel.getByRole('button', { name: 'Accept' }).click();
  await event(panel, /^switched /).waitFor();
  await panel.getByRole('button', { name: 'Swap' }).click();
  await event(panel, /^switched .*echo@/).waitFor();
  await panel.getByRole('button', { name: 'Hang up' }).click();
  await panel.getByRole('button', { name: 'Hang up' }).click();
  await event(panel, 'status {"status":0').waitFor();
});

/** What a site in TypeScript may write. */
const typescript = (module: string) => `
  import { CallStatus, SonoPhone, type Party, type Phone } from '${module}';
  const phone = new SonoPhone({ url: 'wss://gateway.example.com/rtmp', callWaiting: true });
  phone.on('status', ({ status, sipStatus = 0 }) => status === CallStatus.connected && sipStatus.toFixed());
  phone.on('waiting', ({ from, displayName = from }: Party) => displayName.length);
  phone.on('error', ({ code, command }) => (command ?? code).length);
  phone.devices.list().then(({ microphones }) => phone.devices.useMicrophone(microphones[0]?.id));
  const either: Phone = SonoPhone.create({ flash: { movie: 'phone.swf', url: 'rtmp://gateway.example.com/sono' } });
  either.dial('sip:sales@example.com');
  // @ts-expect-error There is no such event.
  phone.on('else', () => {});
`;

test('the types beside the module are all that a site in TypeScript needs', async ({ scope }) => {
  const folder = mkdtempSync(join(tmpdir(), 'types-'));
  scope.defer(() => rmSync(folder, { recursive: true }));
  // Away from this repository's packages, as it is on a site.
  cpSync(fileURLToPath(new URL('../../dist/web', import.meta.url)), join(folder, 'web'), { recursive: true });
  writeFileSync(join(folder, 'site.mts'), typescript('./web/sono-phone.mjs'));
  const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', lib: ['es2022', 'dom'], types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['site.mts'] }));
  await runProgram(tsc, ['-p', folder]);
});
