import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { RtmpClient } from 'rtmp-server-ts';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openBrowser, openWebPage, type PageOptions } from '../support/browser.js';
import { useGateway } from '../support/gateway.js';
import { Scope, test } from '../support/scope.js';
import { openScripted, status } from '../support/scripted-gateway.js';
import { speak } from '../support/speech.js';
import { addressOf, callEcho, connected, hangUp, idle, notice, ready } from '../support/web-phone.js';

const gateway = useGateway();
const pageUrl = (host = 'localhost') => `http://${host}:${gateway().httpPort}/`;
const fileScope = new Scope();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser(fileScope, {
    speech: await speak('One, two, three, four.'),
    hosts: { 'phone.example.com': '127.0.0.1' },
  });
}, 30_000);
afterAll(() => fileScope.close());

async function openPhone(scope: Scope, options?: PageOptions): Promise<Page> {
  const page = await openWebPage(scope, browser, pageUrl(), options);
  await ready(page);
  return page;
}

describe('messages', () => {
  test('go from one browser to another and back, and markup in them is text', async ({ scope }) => {
    const [ann, bob] = [await openPhone(scope), await openPhone(scope)];
    await ann.getByLabel('To', { exact: true }).fill(await addressOf(bob));
    await ann.getByLabel('Message', { exact: true }).fill('<b>Hello</b> Bob');
    await ann.keyboard.press('Enter');
    await ann.getByRole('listitem').filter({ hasText: '<b>Hello</b> Bob' }).waitFor();
    await bob.getByRole('listitem').filter({ hasText: '<b>Hello</b> Bob' }).waitFor();
    await notice(bob).getByText('<b>Hello</b> Bob').waitFor();
    // Whom to answer is filled in.
    await bob.getByLabel('Message', { exact: true }).fill('Hello yourself');
    await bob.getByRole('button', { name: 'Send' }).click();
    await ann.getByRole('listitem').filter({ hasText: 'Hello yourself' }).waitFor();
    expect(await ann.getByLabel('Message', { exact: true }).inputValue()).toBe('');
  });

  test('that cannot be delivered are told of, with the reason', async ({ scope }) => {
    const page = await openPhone(scope);
    await page.getByLabel('To', { exact: true }).fill(gateway().sipUri('nobody'));
    await page.getByLabel('Message', { exact: true }).fill('Is anybody there?');
    await page.keyboard.press('Enter');
    await notice(page).getByText('The message was not delivered').waitFor();
  });
});

test('the call log outlives the page, until it is cleared', async ({ scope }) => {
  const page = await openPhone(scope);
  await callEcho(page);
  await connected(page);
  await hangUp(page);
  await idle(page);
  await page.reload();
  const entry = page.getByRole('button', { name: /^Call echo@localhost.* again\. Outgoing, 00:/ });
  await entry.waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.reload();
  await page.getByText('Calls that you make and take are listed here').waitFor();
  expect(await entry.count()).toBe(0);
});

describe('a page that cannot call says why', () => {
  test('where it came neither by https nor from localhost', async ({ scope }) => {
    const page = await openWebPage(scope, browser, pageUrl('phone.example.com'));
    await ready(page);
    await callEcho(page);
    await notice(page).getByText('only to pages that come by https, or from localhost').waitFor();
    await idle(page);
  });

  test('where the microphone is denied, and then a call goes on ringing', async ({ scope }) => {
    const speech = await speak('One.');
    const page = await openWebPage(scope, await openBrowser(scope, { speech, allow: false }), pageUrl());
    await ready(page);
    const other = await RtmpClient.connect(gateway().rtmpUrl());
    scope.defer(() => other.close());
    other.call('dial', await addressOf(page)).catch(() => {});
    await page.getByRole('button', { name: 'Accept' }).click();
    await notice(page).getByText('This page may not use the microphone').waitFor();
    await page.getByRole('button', { name: 'Accept' }).waitFor();
    await page.getByRole('button', { name: 'Reject' }).click();
    await idle(page);
  });

  test('where it was opened from a file', async ({ scope }) => {
    const file = pathToFileURL(fileURLToPath(new URL('../../dist/web/index.html', import.meta.url)));
    const page = await openWebPage(scope, browser, file.href);
    await notice(page).getByText('This page was opened from a file. Open it from the gateway').waitFor();
    await page.getByText('Gateway unreachable').waitFor();
  });
});

/** The states that the page can be in, each from the one before. */
const states: readonly (readonly [string, (page: Page, tell: (info: object) => void) => Promise<unknown>])[] = [
  ['idle', idle],
  [
    'with a notice and a message',
    async (page, tell) => {
      tell({ code: 'Sono.Message', from: 'sip:eve@example.com', text: 'W'.repeat(300) });
      await notice(page).getByText('WWW').waitFor();
    },
  ],
  [
    'ringing',
    async (page, tell) => {
      tell({ code: 'Sono.Call.Incoming', uri: 'bob', from: `sip:${'a'.repeat(200)}@example.com` });
      await page.getByRole('button', { name: 'Accept' }).waitFor();
    },
  ],
  [
    'in a call',
    async (page, tell) => {
      for (const code of [4, 2]) tell(status(code));
      await connected(page);
      await page.getByRole('button', { name: 'Transfer' }).click();
    },
  ],
  [
    'with a second caller',
    async (page, tell) => {
      tell({ code: 'Sono.Call.Waiting', uri: 'bob', from: `sip:${'c'.repeat(200)}@example.com` });
      await page.getByRole('button', { name: 'Decline' }).waitFor();
    },
  ],
  ['with its settings open', (page) => page.getByRole('button', { name: /^Settings/ }).click()],
];

test.for(['light', 'dark'] as const)(
  'on a narrow %s screen nothing is cut off and all text can be read',
  async (colorScheme, { scope }) => {
    const context = { colorScheme, viewport: { width: 320, height: 568 }, reducedMotion: 'reduce' } as const;
    const { page, session } = await openScripted(scope, browser, { context });
    for (const [name, enter] of states) {
      await enter(page, (info) => session.status({ level: 'status', ...info }));
      expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(320);
      expect(await page.evaluate(faint), name).toEqual([]);
    }
  },
);

/** Texts whose contrast with what is behind them is less than WCAG 2.2 asks for (success criterion 1.4.3). */
const faint = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = rgba(colour).map((value) => value / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const { top, left } = element.getBoundingClientRect();
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      // A label may lie below its button.
      const box = at.getBoundingClientRect();
      const covers = box.top <= top && top < box.bottom && box.left <= left && left < box.right;
      if (covers && rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    element.checkVisibility() && !element.closest('[disabled], option') &&
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ''));
  return texts.flatMap((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return contrast < 4.5 ? [element.textContent.trim().slice(0, 40) + ' ' + contrast.toFixed(2)] : [];
  });
})()`;

test('every control has a name for who hears the page, and every field a label', async ({ scope }) => {
  const { page, session } = await openScripted(scope, browser);
  const client = await page.context().newCDPSession(page);
  const roles = [
    'button',
    'textbox',
    'searchbox',
    'combobox',
    'checkbox',
    'meter',
    'region',
    'dialog',
    'group',
    'timer',
  ];
  for (const [name, enter] of states) {
    await enter(page, (info) => session.status({ level: 'status', ...info }));
    const { nodes } = await client.send('Accessibility.getFullAXTree');
    const controls = nodes.filter(({ ignored, role }) => !ignored && roles.includes(String(role?.value)));
    expect(controls.length, name).toBeGreaterThan(5);
    const nameless = controls.filter(({ name: told, role }) => !told?.value && role?.value !== 'timer');
    expect(
      nameless.map(({ role, backendDOMNodeId }) => `${role?.value} ${backendDOMNodeId}`),
      name,
    ).toEqual([]);
  }
});

test('a whole call is made by keyboard alone', async ({ scope }) => {
  const page = await openPhone(scope);
  const focused = () => page.evaluate('document.activeElement.id');
  const tabTo = async (id: string) => {
    for (let steps = 0; steps < 40 && (await focused()) !== id; steps++) await page.keyboard.press('Tab');
    expect(await focused()).toBe(id);
  };
  await tabTo('destination');
  await page.keyboard.type(gateway().sipUri('echo'));
  await page.keyboard.press('Enter');
  await connected(page);
  expect(await focused()).toBe('hangup');
  await tabTo('mute');
  await page.keyboard.press('Space');
  expect(await page.locator('#mute').getAttribute('aria-pressed')).toBe('true');
  await tabTo('hold');
  await page.keyboard.press('Space');
  await page.getByText('On hold', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await idle(page);
  expect(await focused()).toBe('destination');
});

test('nobody who calls is answered by the Enter that was meant for something else', async ({ scope }) => {
  const page = await openPhone(scope);
  await page.getByLabel('Number or SIP address').focus();
  await page.keyboard.type('sip:');
  const other = await RtmpClient.connect(gateway().rtmpUrl());
  scope.defer(() => other.close());
  other.call('dial', await addressOf(page)).catch(() => {});
  await page.getByRole('button', { name: 'Accept' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Accept' }).waitFor();
  expect(await page.evaluate('document.body.dataset.state')).toBe('incoming');
});
