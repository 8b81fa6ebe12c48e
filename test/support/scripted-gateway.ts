import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type AmfObject, RtmpServer, type RtmpSession } from 'rtmp-server-ts';
import { HttpServer } from '../../plugin/ops/http.js';
import { WebFiles } from '../../plugin/ops/web-files.js';
import { openWebPage, type PageOptions } from './browser.js';
import type { Scope } from './scope.js';

export interface Scripted {
  readonly page: Page;
  readonly session: RtmpSession;
  /** What the page's phone has asked for, as it would be written. */
  readonly commands: string[];
  tell(code: string, fields?: AmfObject): void;
}

/** The web phone of a gateway that says what the test says; it refuses what `refused` names. */
export async function openScripted(
  scope: Scope,
  browser: Browser,
  { refused = ['transfer'], ...options }: PageOptions & { readonly refused?: readonly string[] } = {},
): Promise<Scripted> {
  const rtmp = new RtmpServer({});
  scope.defer(() => rtmp.close());
  const commands: string[] = [];
  const connected = new Promise<RtmpSession>((resolve) => {
    rtmp.on('connection', (session) => {
      session.on('connect', (request) => request.accept());
      session.on('call', (call) => {
        commands.push(`${call.name}(${call.args.map((value) => JSON.stringify(value)).join(', ')})`);
        if (call.name === 'register') call.result({ level: 'status', uri: 'sip:bob@example.com' });
        else if (refused.includes(call.name))
          call.error({ level: 'error', code: 'Sono.Call.Failed', description: 'no way' });
        else call.result();
      });
      resolve(session);
    });
  });
  const server = new HttpServer({
    notReady: () => undefined,
    upgrade: (request, socket, head) => rtmp.handleUpgrade(request, socket, head),
    webFiles: new WebFiles(fileURLToPath(new URL('../../dist/web/', import.meta.url))),
    phoneSettings: () => ({}),
  });
  const { port } = (await server.listen('127.0.0.1', 0)) as AddressInfo;
  scope.defer(() => server.close());
  const page = await openWebPage(scope, browser, `http://localhost:${port}/`, options);
  await page.getByText('Ready as bob@example.com').waitFor();
  const session = await connected;
  return {
    page,
    session,
    commands,
    tell: (code, fields = {}) => session.status({ level: 'status', code, ...fields }),
  };
}

/** A push of where the call stands. */
export const status = (code: number, more: Record<string, string | number> = {}) => ({
  ...{ level: 'status', code: 'Sono.Call.Status', status_code: code },
  ...more,
});
