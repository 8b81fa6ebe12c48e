import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';
import { readAudio, sampleRate, writeWav } from './speech.js';

export interface BrowserOptions {
  /** What the microphone hears, again and again; absent: there is no microphone. */
  readonly speech?: Int16Array;
  /** Whether the person allows the microphone. Default true. */
  readonly allow?: boolean;
  /** Names of hosts, and where they are. */
  readonly hosts?: Readonly<Record<string, string>>;
}

const executablePath = '/usr/bin/chromium';

function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'browser-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

async function argumentsOf(folder: string, { speech, allow = true, hosts = {} }: BrowserOptions): Promise<string[]> {
  const devices: string[] = [];
  if (speech !== undefined) {
    const wav = join(folder, 'speech.wav');
    writeFileSync(wav, await writeWav(speech));
    devices.push('--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${wav}`);
  }
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  if (rules.length > 0) devices.push(`--host-resolver-rules=${rules.join(',')}`);
  return [...devices, `--use-fake-ui-for-media-stream${allow ? '' : '=deny'}`, '--disable-dev-shm-usage'];
}

/** Chromium without a window, whose microphone is a file. */
export async function openBrowser(scope: Scope, options: BrowserOptions = {}): Promise<Browser> {
  // Its sandbox wants more of the kernel than a container gives; the pages are ours.
  const args = await argumentsOf(temporaryFolder(scope), options);
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false, args });
  scope.defer(() => browser.close());
  return browser;
}

/**
 * Chromium as people have it: one profile, whose tabs hide each other, and a hidden one is slowed down. Playwright's own way to
 * start it has all pages think that they are looked at.
 */
export async function openTabs(scope: Scope, options: BrowserOptions = {}): Promise<BrowserContext> {
  const folder = temporaryFolder(scope);
  const args = await argumentsOf(folder, options);
  const profile = [`--user-data-dir=${join(folder, 'profile')}`, '--no-first-run', '--remote-debugging-port=0'];
  const chromiumProcess = await PeerProcess.start(
    scope,
    executablePath,
    ['--headless=new', '--no-sandbox', ...profile, ...args],
    { report: () => '' },
  );
  const prefix = 'DevTools listening on ';
  const line = await chromiumProcess.stderr.find('its address', (text) => text.startsWith(prefix), {
    timeoutMs: 30_000,
  });
  const browser = await chromium.connectOverCDP(line.slice(prefix.length), { noDefaults: true });
  scope.defer(() => browser.close());
  const [context] = browser.contexts();
  if (context === undefined) throw new Error('Chromium has no profile');
  return context;
}

export interface PageOptions {
  /** Whether what the phone says and plays is recorded. */
  readonly record?: boolean;
  readonly context?: Parameters<Browser['newContext']>[0];
  /** Done before the page is loaded. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** A page of its own profile. What it writes to its console is told when the test failed. */
export async function openWebPage(
  scope: Scope,
  browser: Browser,
  url: string,
  options: PageOptions = {},
): Promise<Page> {
  const context: BrowserContext = await browser.newContext(options.context);
  scope.defer(() => context.close());
  return await openTab(scope, context, url, options);
}

/** A page in a profile that there is already. */
export async function openTab(
  scope: Scope,
  context: BrowserContext,
  url: string,
  options: Omit<PageOptions, 'context'> = {},
): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const told: string[] = [];
  page.on('console', (message) => told.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => told.push(`exception: ${error.stack}`));
  scope.report(
    async () =>
      `${url}\n${told.join('\n')}\n${await page
        .locator('body')
        .innerText()
        .catch(() => '')}`,
  );
  if (options.record) await page.addInitScript(recorder);
  await options.prepare?.(page);
  await page.goto(url);
  return page;
}

/**
 * Runs in the page before its own scripts: listens in where the phone takes from the microphone and gives to the speaker.
 * Text, as the tests' types know no browser.
 */
const recorder = `
  globalThis.statuses = [];
  document.addEventListener('DOMContentLoaded', () => {
    const keep = (records) => {
      for (const { oldValue } of records) if (oldValue !== null) statuses.push(Number(oldValue));
    };
    const observer = new MutationObserver(keep);
    observer.observe(document.body, { attributeFilter: ['data-status'], attributeOldValue: true });
    globalThis.statusesSoFar = () => {
      keep(observer.takeRecords());
      return [...statuses, Number(document.body.dataset.status)];
    };
  });
  const connect = AudioNode.prototype.connect;
  const recordings = { rate: 0, said: [], heard: [] };
  globalThis.recordings = recordings;
  let tap;
  function tapOf(context) {
    if (tap?.context === context) return tap;
    tap = context.createChannelMerger(2);
    recordings.rate = context.sampleRate;
    recordings.said.length = recordings.heard.length = 0;
    const script = context.createScriptProcessor(16384, 2, 1);
    script.onaudioprocess = ({ inputBuffer }) => {
      recordings.said.push(inputBuffer.getChannelData(0).slice());
      recordings.heard.push(inputBuffer.getChannelData(1).slice());
    };
    connect.call(tap, script);
    connect.call(script, context.destination);
    return tap;
  }
  AudioNode.prototype.connect = function (target, ...rest) {
    if (this instanceof MediaStreamAudioSourceNode) connect.call(this, tapOf(this.context), 0, 0);
    if (this instanceof AudioWorkletNode) connect.call(this, tapOf(this.context), 0, 1);
    return connect.call(this, target, ...rest);
  };
`;

export interface Recording {
  readonly said: Int16Array;
  readonly heard: Int16Array;
}

/** What the page's phone has said and heard in its last call. */
export async function recordingOf(page: Page): Promise<Recording> {
  const { rate, said, heard } = (await page.evaluate(`(() => {
    const text = (blocks) => {
      const samples = Int16Array.from(blocks.flatMap((block) => [...block]), (value) => Math.max(-32768, Math.min(32767, value * 32768)));
      let binary = '';
      for (const byte of new Uint8Array(samples.buffer)) binary += String.fromCharCode(byte);
      return btoa(binary);
    };
    const { rate, said, heard } = globalThis.recordings;
    return { rate, said: text(said), heard: text(heard) };
  })()`)) as { rate: number; said: string; heard: string };
  const samples = (text: string) =>
    readAudio(Buffer.from(text, 'base64'), ['-f', 's16le', '-ar', String(rate), '-ac', '1']);
  return { said: await samples(said), heard: await samples(heard) };
}

/** The statuses of the calls that the page has shown. */
export const statusesOf = (page: Page): Promise<number[]> => page.evaluate('statusesSoFar()');

export const seconds = (samples: Int16Array): number => samples.length / sampleRate;
