import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Scope } from '../../support/scope.js';
import { type Area, colours, openPage, showFilm, size, toldOf } from './support/film.js';
import { RemotingGateway } from './support/remoting.js';

const scope = new Scope();
let page: Page;
const gateway = new RemotingGateway(() => undefined);

beforeAll(async () => {
  page = await openPage(scope, (request, response) => gateway.handle(request, response));
}, 120_000);
afterAll(() => scope.close());

/** Starting a film takes seconds where the machine is busy. */
const timeout = 120_000;
const callback = 'SonoFlash.event';
const keys = '123456789*0#';
/** Where KeyPad.hx puts a key. */
const keyArea = (digit: string): Area => {
  const index = keys.indexOf(digit);
  return { x: 12 + (index % 3) * 100, y: 106 + Math.floor(index / 3) * 36, width: 96, height: 32 };
};
/** Of PhoneView.hx: what is typed in, without the border; the line that says what goes on, and the one below. */
const input: Area = { x: 14, y: 76, width: 290, height: 20 };
const headline: Area = { x: 12, y: 8, width: 250, height: 22 };
const detail: Area = { x: 12, y: 32, width: 296, height: 24 };
/** Style.hx, and the colour of the film's header. */
const [keyColour, paper, background] = ['#e6eaef', '#ffffff', '#f4f5f7'];

const picture = async (area: Area): Promise<string> => (await colours(page, area)).join('');
const pointAt = async (x: number, y: number) => (await colours(page, { x, y, width: 1, height: 1 }))[0];

/** The film draws twenty times a second. */
async function pictureOtherThan(area: Area, before: string): Promise<string> {
  let now = before;
  const looking = async () => {
    now = await picture(area);
    return now;
  };
  await expect.poll(looking, { timeout: 30_000 }).not.toBe(before);
  return now;
}

async function showFace(film: 'phone' | 'probe' = 'phone'): Promise<void> {
  await showFilm(page, film, { callback });
  await expect.poll(() => pointAt(16, 122), { timeout: 30_000 }).toBe(keyColour);
}

async function press(digits: string): Promise<string> {
  let now = await picture(input);
  for (const digit of digits) {
    const { x, y } = keyArea(digit);
    await page.mouse.click(x + 20, y + 10);
    now = await pictureOtherThan(input, now);
  }
  return now;
}

const tell = (info: object) => page.evaluate(`phone.gatewayTells(${JSON.stringify(info)})`);

describe('the face', { timeout }, () => {
  test('shows the key pad, the buttons and the field', async () => {
    await showFace();
    expect(await pointAt(2, 470)).toBe(background);
    for (const digit of keys) {
      const points = await colours(page, keyArea(digit));
      expect(points.filter((colour) => colour === keyColour).length, digit).toBeGreaterThan(2000);
      // The digit itself, in the dark colour of text.
      expect(
        points.some((colour) => colour < '#404040'),
        digit,
      ).toBe(true);
    }
    expect(new Set(await colours(page, input))).toContain(paper);
    // Call and Hang up, which cannot be pressed yet: four tenths of green and of red on the background.
    expect(await pointAt(20, 260)).toMatch(/^#9[d-f]c[5-7]a[9-c]$/);
    expect(await pointAt(170, 260)).toMatch(/^#e[1-3]a[2-5]a[2-5]$/);
  });

  test('puts the digits of the keys that are clicked into the field', async () => {
    await showFace();
    const empty = await picture(input);
    const [first, star] = [await press('15'), await press('*')];
    await showFace();
    const [again, hash] = [await press('15'), await press('#')];
    expect(again).toBe(first);
    expect(new Set([empty, first, star, hash]).size).toBe(4);
  });

  test('opens and closes its settings', async () => {
    await showFace();
    const area = { x: 0, y: 100, width: 320, height: 150 };
    const closed = await picture(area);
    await page.mouse.click(290, 18);
    const open = await pictureOtherThan(area, closed);
    expect(open).not.toContain(keyColour);
    await page.mouse.click(236, 239);
    expect(await pictureOtherThan(area, open)).toBe(closed);
  });

  test('asks the gateway for what its buttons say', async () => {
    const asked = async (name: string, ...args: unknown[]) =>
      await expect.poll(() => gateway.asked.at(-1), { timeout: 30_000 }).toEqual({ name, args });
    const click = (x: number, y: number) => page.mouse.click(x, y);
    const [call, end, hold, transfer] = [
      [60, 270],
      [220, 270],
      [160, 308],
      [260, 308],
    ] as const;
    await showFilm(page, 'probe', { callback, url: new URL('gateway', page.url()).href });
    await expect.poll(() => pointAt(16, 122), { timeout: 30_000 }).toBe(keyColour);
    await tell({ code: 'NetConnection.Connect.Success' });
    await asked('register');
    await press('15');
    await click(...call);
    await asked('dial', '15');
    await tell({ code: 'Sono.Call.Status', status_code: 2 });
    const { x, y } = keyArea('7');
    await click(x + 20, y + 10);
    await asked('sendDTMF', '7');
    await click(...hold);
    await asked('hold', true);
    await click(...transfer);
    await asked('transfer', '15');
    await tell({ code: 'Sono.Call.Waiting', uri: 'me', from: 'sip:a@b' });
    await click(...call);
    await asked('accept');
    await tell({ code: 'Sono.Call.Switched', uri: 'sip:a@b', from: 'sip:a@b' });
    await click(...end);
    await asked('hangup');
    await tell({ code: 'Sono.Call.Status', status_code: 0 });
    await tell({ code: 'Sono.Call.Incoming', uri: 'me', from: 'sip:a@b' });
    await click(...end);
    await asked('reject');
  });

  test('shows the markup in a name as text', async () => {
    await showFace('probe');
    const call = { code: 'Sono.Call.Incoming', uri: 'me', from: 'sip:a@b' };
    const [idle, nobody] = [await picture(headline), await picture(detail)];
    await tell({ ...call, displayName: '<font size="1">Bob</font>' });
    await pictureOtherThan(headline, idle);
    const marked = await pictureOtherThan(detail, nobody);
    await tell({ ...call, displayName: 'Bob' });
    // Without its markup the name is shorter: the markup was there to be read.
    expect(ink(await pictureOtherThan(detail, marked))).toBeLessThan(ink(marked) * 0.7);
  });
});

/** Points that are dark. */
const ink = (points: string): number => points.split('#').filter((colour) => colour !== '' && colour < 'c0').length;

const methods = [
  ...['connect', 'disconnect', 'register', 'unregister', 'dial', 'accept', 'reject', 'hangup', 'sendDTMF', 'hold'],
  ...['callWaiting', 'swap', 'mute', 'transfer', 'sendMessage'],
];

const hostile = `"'\\"\\\\'</script><img src=x onerror=called.push(1)>\${called.push(2)}%22&\u2028\n\u00e4\u{1f4de}`;

const hostileParty = { uri: hostile, from: hostile, displayName: hostile };

/** What the gateway says, the event and the details that the page gets. */
const events: readonly (readonly [object, string, object])[] = [
  [{ code: 'Sono.Call.Incoming', ...hostileParty }, 'incoming', hostileParty],
  [{ code: 'Sono.Message', from: hostile, text: hostile }, 'message', { from: hostile, text: hostile }],
  [{ code: 'Sono.Registration.Lost', reason: hostile }, 'registrationLost', { reason: hostile }],
  [
    { code: 'Sono.Call.Status', status_code: 0, sip_status: 486, reason: hostile },
    'status',
    { status: 0, sipStatus: 486, reason: hostile },
  ],
  [{ code: 'Sono.Call.Status', status_code: 17 }, 'status', { status: 17, sipStatus: null, reason: null }],
  [{ code: 'Sono.Message', from: { is: 'no text' }, text: [1] }, 'message', { from: null, text: null }],
  [
    { code: 'Sono.Call.Hold', held: true, local: false, remote: true },
    'hold',
    { held: true, local: false, remote: true, reason: null },
  ],
  [{ code: 'Sono.Call.Waiting', ...hostileParty }, 'waiting', hostileParty],
  [{ code: 'Sono.Call.Switched', ...hostileParty }, 'switched', hostileParty],
  [
    { code: 'Sono.Call.WaitingEnded', from: hostile, reason: hostile },
    'waitingEnded',
    { from: hostile, reason: hostile },
  ],
  [{ code: 'Sono.Call.TransferFailed', reason: hostile }, 'transferFailed', { reason: hostile }],
  [{ code: 'Sono.Call.DTMF', digit: '#', duration: 160 }, 'dtmf', { digit: '#', duration: 160 }],
  [{ code: 'Sono.Call.Transferred', uri: hostile }, 'transferred', { uri: hostile }],
];

/** Nothing that ends a JavaScript string or means anything in one. */
const harmless = /^[A-Za-z0-9%_.~!*()-]+$/;

describe.each([
  ['with its face', {}],
  ['without one', { ui: 'none' }],
])('the page and the phone %s', { timeout }, (_, mode) => {
  test('the page can call every method and is told what came of it', async () => {
    await showFilm(page, 'phone', { ...mode, callback });
    expect((await toldOf(page, 'ready')).details).toEqual({});
    const missing = `${JSON.stringify(methods)}.filter((name) => typeof phone[name] !== 'function')`;
    expect(await page.evaluate(missing)).toEqual([]);
    await page.evaluate(`phone.dial('sip:echo@localhost')`);
    const { details, raw } = await toldOf(page, 'error');
    expect(details).toEqual({
      ...{ code: 'NotConnected', description: 'no gateway is connected; dial needs one' },
      command: 'dial',
    });
    expect(raw).toMatch(harmless);
  });

  test('what the gateway says reaches the page as it was, and runs nothing', async () => {
    await showFilm(page, 'probe', { ...mode, callback, connect: 'false' });
    for (const [info, event, expected] of events) {
      await page.evaluate('told.length = 0');
      await tell(info);
      const { details, raw } = await toldOf(page, event);
      expect(details).toEqual(expected);
      expect(raw).toMatch(harmless);
    }
    expect(await page.evaluate('called.length + document.images.length')).toBe(0);
  });
});

test('without its face nothing is drawn', { timeout }, async () => {
  await showFilm(page, 'phone', { ui: 'none', callback });
  await toldOf(page, 'ready');
  expect(new Set(await colours(page, { x: 0, y: 0, ...size })).size).toBeLessThanOrEqual(2);
});

test('a callback that is no name is not called', { timeout }, async () => {
  const [call, name] = ['called.push(1)', callback];
  for (const wrong of [
    ...[call, `function(){${call}}`, `(function(){${call}})`, `${name};${call}`, "SonoFlash['event']"],
    ...[`${name}\n`, ` ${name}`, 'SonoFlash..event', '1event', ''],
  ]) {
    await showFilm(page, 'phone', { ui: 'none', callback: wrong });
    await page.evaluate(`phone.dial('sip:echo@localhost')`);
    expect(await page.evaluate('[told, called]'), wrong).toEqual([[], []]);
  }
});
