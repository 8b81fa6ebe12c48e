import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { type Scope, test } from '../../support/scope.js';
import { openPage, ruffleSettings } from './support/film.js';
import { type Answer, RemotingGateway } from './support/remoting.js';

const timeout = 120_000;
const address = 'sip:bob@example.com';

/** A site that uses SonoPhone, and takes the Flash phone where there is a Flash Player. */
const site = (callWaiting: boolean) => `<!doctype html><title>site</title>
  ${ruffleSettings}<script src="ruffle.js"></script><script src="sono-phone.js"></script>
  <script>
    var told = [];
    addEventListener('load', function () {
      window.phone = SonoPhone.create({
        callWaiting: ${callWaiting},
        flash: { movie: 'probe.swf', url: location.origin + '/gateway', prefer: true },
      });
      ['connected', 'disconnected', 'registered', 'registrationLost', 'status', 'incoming', 'waiting', 'switched', 'waitingEnded',
        'hold', 'dtmf', 'transferred', 'transferFailed', 'message', 'level', 'error'].forEach(function (name) {
        phone.on(name, function (details) { told.push([name, details]); });
      });
    });
  </script>`;

const registers: Answer = ({ name }) =>
  name === 'register' ? { result: { level: 'status', uri: address } } : undefined;

/** The page, its gateway, and what that gateway is asked. */
async function openSite(
  scope: Scope,
  { callWaiting = false, answer = registers }: { callWaiting?: boolean; answer?: Answer } = {},
) {
  const api = await bundle;
  const gateway = new RemotingGateway(answer);
  const page = await openPage(
    scope,
    (request, response) => {
      if (request.url === '/site') response.writeHead(200, { 'Content-Type': 'text/html' }).end(site(callWaiting));
      else if (request.url === '/sono-phone.js')
        response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(api);
      else return gateway.handle(request, response);
      return true;
    },
    'site',
  );
  return { page, gateway };
}

const bundle = build({
  entryPoints: [fileURLToPath(new URL('../../../flash_phone/web/src/script-tag.ts', import.meta.url))],
  ...{ bundle: true, write: false, format: 'iife', target: 'es2022', conditions: ['source'] },
}).then(({ outputFiles }) => Buffer.from(outputFiles[0]?.contents ?? []));

const told = (page: Page): Promise<[string, object][]> => page.evaluate('told');
const toldNames = async (page: Page) => (await told(page)).map(([name]) => name);
const tell = (page: Page, info: object) =>
  page.evaluate(`document.getElementById('sonoPhoneEvent1Movie').gatewayTells(${JSON.stringify(info)})`);

/** Until the movie is loaded and would have its answer to connect from a gateway with RTMP. */
async function connect(page: Page): Promise<void> {
  await page.waitForFunction(
    `typeof document.getElementById('sonoPhoneEvent1Movie')?.gatewayTells === 'function'`,
    undefined,
    { timeout: 60_000 },
  );
  await tell(page, { code: 'NetConnection.Connect.Success' });
}

const hostile = `"'\\</script><img src=x onerror=told.push(1)>%22&\u2028\u00e4\u{1f4de}`;

/** A method of the page's phone, and what the gateway is asked. */
const commands: readonly (readonly [string, string, unknown[]])[] = [
  [`dial('sip:ann@example.com')`, 'dial', ['sip:ann@example.com']],
  ['accept()', 'accept', []],
  ['reject()', 'reject', []],
  ['reject(603)', 'reject', [603]],
  ['hangup()', 'hangup', []],
  [`sendDTMF('12#')`, 'sendDTMF', ['12#']],
  [`sendDTMF('1', 200)`, 'sendDTMF', ['1', 200]],
  ['hold(true)', 'hold', [true]],
  ['swap()', 'swap', []],
  ['callWaiting(true)', 'callWaiting', [true]],
  [`transfer('sip:cid@example.com')`, 'transfer', ['sip:cid@example.com']],
  [`sendMessage('sip:ann@example.com', ${JSON.stringify(hostile)})`, 'sendMessage', ['sip:ann@example.com', hostile]],
  [`register('bob', 'example.com', 'secret')`, 'register', ['bob', 'example.com', 'secret']],
  [`register('bob', undefined, {user: 'b', password: 'c'})`, 'register', ['bob', null, { user: 'b', password: 'c' }]],
  ['unregister()', 'unregister', []],
];

const party = { uri: 'sip:bob@example.com', from: 'sip:eve@example.com', displayName: hostile };

/** What the gateway tells, and what the page is told by SonoPhone. */
const events: readonly (readonly [object, string, object])[] = [
  [{ code: 'Sono.Call.Status', status_code: 1 }, 'status', { status: 1 }],
  [{ code: 'Sono.Call.Incoming', ...party }, 'incoming', party],
  [{ code: 'Sono.Call.Waiting', uri: 'a', from: 'b' }, 'waiting', { uri: 'a', from: 'b' }],
  [{ code: 'Sono.Call.Switched', ...party }, 'switched', party],
  [{ code: 'Sono.Call.WaitingEnded', from: 'b', reason: 'gone' }, 'waitingEnded', { from: 'b', reason: 'gone' }],
  [
    { code: 'Sono.Call.Hold', held: true, local: true, remote: false },
    'hold',
    { held: true, local: true, remote: false },
  ],
  [{ code: 'Sono.Call.DTMF', digit: '5', duration: 160 }, 'dtmf', { digit: '5', duration: 160 }],
  [{ code: 'Sono.Call.Transferred', uri: 'sip:x@y' }, 'transferred', { uri: 'sip:x@y' }],
  [{ code: 'Sono.Call.TransferFailed', reason: 'nobody there' }, 'transferFailed', { reason: 'nobody there' }],
  [
    { code: 'Sono.Message', from: 'sip:eve@example.com', text: hostile },
    'message',
    { from: party.from, text: hostile },
  ],
  [{ code: 'Sono.Registration.Lost', reason: 'forgotten' }, 'registrationLost', { reason: 'forgotten' }],
  [
    { code: 'Sono.Call.Status', status_code: 0, sip_status: 486, reason: 'Busy Here' },
    'status',
    { status: 0, sipStatus: 486, reason: 'Busy Here' },
  ],
];

describe('SonoPhone where there is a Flash Player', { timeout }, () => {
  test('what the page asks for before the movie is loaded is done when it is: it registers and calls', async ({
    scope,
  }) => {
    const { page, gateway } = await openSite(scope, { callWaiting: true });
    await page.waitForFunction('window.phone');
    await page.evaluate(`phone.dial('sip:ann@example.com')`);
    await connect(page);
    await expect.poll(() => gateway.asked.map(({ name }) => name)).toEqual(['callWaiting', 'register', 'dial']);
    expect(gateway.asked.map(({ args }) => args)).toEqual([[true], [], ['sip:ann@example.com']]);
    expect(await told(page)).toEqual([
      ['connected', {}],
      ['registered', { uri: address }],
    ]);
    expect(await page.evaluate('phone.address')).toBe(address);
  });

  test('every method reaches the gateway as it was called, and a refusal the page', async ({ scope }) => {
    const refusal = { level: 'error', code: 'Sono.Call.Failed', description: hostile };
    const answer: Answer = (asked) => (asked.name === 'transfer' ? { refusal } : registers(asked));
    const { page, gateway } = await openSite(scope, { answer });
    await page.waitForFunction('window.phone');
    await page.evaluate('phone.connect()');
    await connect(page);
    await expect.poll(() => toldNames(page)).toContain('registered');
    for (const [call, name, args] of commands) {
      const before = gateway.asked.length;
      await page.evaluate(`phone.${call}`);
      await expect.poll(() => gateway.asked.slice(before), { message: call }).toEqual([{ name, args }]);
    }
    await expect
      .poll(() => told(page))
      .toContainEqual(['error', { code: refusal.code, description: hostile, command: 'transfer' }]);
    await page.evaluate('phone.mute(true)');
    expect(await page.evaluate('phone.muted')).toBe(true);
    await page.evaluate('phone.disconnect()');
    await page.evaluate(`phone.hold(true)`);
    await expect
      .poll(() => told(page))
      .toContainEqual([
        'error',
        { code: 'NotConnected', description: 'no gateway is connected; hold needs one', command: 'hold' },
      ]);
  });

  test('whatever the gateway tells reaches the page by the names and details of SonoPhone', async ({ scope }) => {
    const { page } = await openSite(scope);
    await page.waitForFunction('window.phone');
    await page.evaluate('phone.connect()');
    await connect(page);
    await expect.poll(() => toldNames(page)).toContain('registered');
    for (const [info, name, details] of events) {
      await page.evaluate('told.length = 0');
      await tell(page, info);
      await expect.poll(() => told(page), { message: name }).toEqual([[name, details]]);
    }
    expect(await page.evaluate('phone.address')).toBeUndefined();
    await page.evaluate('told.length = 0');
    for (const unknown of [{ code: 'Sono.Call.Status', status_code: 17 }, { code: 'Sono.Else' }])
      await tell(page, unknown);
    await tell(page, { code: 'Sono.Call.Status', status_code: 2 });
    await expect.poll(() => told(page)).toEqual([['status', { status: 2 }]]);
    expect(await page.evaluate('phone.status')).toBe(2);
    expect(await page.evaluate('document.images.length')).toBe(0);
  });
});
