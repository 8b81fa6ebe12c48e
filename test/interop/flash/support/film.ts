import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { loopback } from '../../../support/ports.js';
import { runProgram } from '../../../support/process.js';
import type { Scope } from '../../../support/scope.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const ruffle = join(root, 'node_modules/@ruffle-rs/ruffle');
const flash = join(root, 'flash_phone/flash');

/** As the film's header says. */
export const size = { width: 320, height: 480 } as const;

/** What the film's callback was told. */
export interface Told {
  readonly name: string;
  /** As it came: JSON, percent-encoded. */
  readonly raw: string;
}

/** Answers what is no film. @returns false when it is not its own */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A page in Chromium without a window. Its sandbox wants more of the kernel than a container gives; the page is ours. */
export async function openPage(scope: Scope, handle?: Handler, path = ''): Promise<Page> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];
  const executablePath = '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error('chromium is not installed; "bash test/support/install-peers.sh" installs it or says how');
  }
  const browser = await chromium.launch({ executablePath, args });
  scope.defer(() => browser.close());
  const page = await browser.newPage({ viewport: size });
  await page.goto((await serveFilms(scope, handle)) + path);
  return page;
}

/** A site with a page that shows films by Ruffle: the phone as it is bundled, and the one of Probe.hx. */
async function serveFilms(scope: Scope, handle: Handler = () => false): Promise<string> {
  const probe = await compileProbe(scope);
  const files: readonly (readonly [RegExp, (path: string) => Promise<Buffer | string>, string])[] = [
    [/^\/$/, async () => html, 'text/html'],
    [/^\/phone\.swf$/, () => readFile(join(flash, 'sono-phone.swf')), 'application/x-shockwave-flash'],
    [/^\/probe\.swf$/, () => readFile(probe), 'application/x-shockwave-flash'],
    [/^\/[\w.]+\.js$/, (path) => readFile(join(ruffle, path)), 'text/javascript'],
    [/^\/\w+\.wasm$/, (path) => readFile(join(ruffle, path)), 'application/wasm'],
  ];
  const server = createServer(async (request, response) => {
    if (handle(request, response)) return;
    const { url = '/' } = request;
    const [, read, type = ''] = files.find(([pattern]) => pattern.test(url)) ?? [];
    const content = await read?.(url).catch(() => undefined);
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': type }).end(content);
  });
  scope.defer(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  return `http://${loopback}:${(server.address() as AddressInfo).port}/`;
}

async function compileProbe(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-'));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const film = join(folder, 'probe.swf');
  const sources = ['-cp', join(flash, 'src'), '-cp', fileURLToPath(new URL('.', import.meta.url))];
  const target = ['-swf', film, '-swf-version', '10.3', '-swf-header', '320:480:20:F4F5F7', '-dce', 'full'];
  await runProgram('haxe', [...sources, '-main', 'Probe', ...target]);
  return film;
}

/** Before Ruffle itself. */
export const ruffleSettings = `<script>
  window.RufflePlayer = { config: {
    autoplay: 'on', unmuteOverlay: 'hidden', letterbox: 'off', preferredRenderer: 'canvas', splashScreen: false,
  } };
</script>`;

/** `load` shows a film as `phone`; `told` has what it told its callback; `called` what anything else called. */
const html = `<!DOCTYPE html>
<style>body { margin: 0 } ruffle-player { width: ${size.width}px; height: ${size.height}px; display: block }</style>
${ruffleSettings}
<script>
  var told = [], called = [];
  var SonoFlash = { event: function (name, raw) { told.push({ name: name, raw: raw }); } };
  async function load(url, parameters) {
    if (window.phone) phone.remove();
    told = [], called = [];
    window.phone = document.body.appendChild(window.RufflePlayer.newest().createPlayer());
    await phone.ruffle().load({ url: url, allowScriptAccess: true, parameters: parameters });
  }
</script>
<script src="ruffle.js"></script>
`;

/** Shows a film in the place of the last one, until its methods can be called. */
export async function showFilm(
  page: Page,
  film: 'phone' | 'probe',
  flashVars: Readonly<Record<string, string>>,
): Promise<void> {
  await page.evaluate(`load('${film}.swf', ${JSON.stringify(new URLSearchParams(flashVars).toString())})`);
  // The methods come one by one: this is the last.
  await page.waitForFunction(`typeof phone.${film === 'probe' ? 'gatewayTells' : 'sendMessage'} === 'function'`);
}

/** Waits until the page was told of an event of that name, and returns its details. */
export async function toldOf(page: Page, name: string): Promise<{ details: unknown; raw: string }> {
  const found = await page.waitForFunction(`told.findLast(({ name }) => name === '${name}')`);
  const { raw } = (await found.jsonValue()) as Told;
  return { details: JSON.parse(decodeURIComponent(raw)), raw };
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is on the screen there: `#rrggbb` for each point, line by line. */
export async function colours(page: Page, area: Area): Promise<string[]> {
  const png = (await page.screenshot({ clip: area })).toString('base64');
  return await page.evaluate(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${png}';
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const hex = (value) => value.toString(16).padStart(2, '0');
    return Array.from({ length: data.length / 4 }, (_, i) => '#' + [0, 1, 2].map((j) => hex(data[i * 4 + j])).join(''));
  })()`);
}
