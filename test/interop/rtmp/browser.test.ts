import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect } from 'vitest';
import { openPage } from '../../support/chromium.js';
import { type Scope, test } from '../../support/scope.js';
import { relaying } from '../../unit/rtmp/relay.js';

const PAGE = fileURLToPath(new URL('browser-page.ts', import.meta.url));
const ENTRY = fileURLToPath(new URL('../../../plugin/rtmp-server-ts/src/browser.ts', import.meta.url));

test('the browser entry needs nothing of Node, and is small', async () => {
  const script = await bundle(ENTRY);
  expect(script).not.toMatch(/node:|\bBuffer\b|\bprocess\.|\brequire\(/);
  expect(gzipSync(script).length).toBeLessThan(24 * 1024);
});

test('in Chromium it calls, publishes and plays, by WebSocket and by an HTTP tunnel', async ({ scope }) => {
  const { server, port } = await relaying(scope, { origins: ['*'] });
  server.on('connection', (session) => {
    session.on('call', async (call) => {
      if (call.name === 'add') call.result(Number(call.args[0]) + Number(call.args[1]));
      else if (call.name === 'askBack') call.result(...(await session.call('question')));
      else call.error({ code: 'No' });
    });
  });
  const { url, reported } = await servePage(scope, port, await bundle(PAGE));
  await openPage(scope, `${url}/?rtmp=${port}`);
  const exercised = (protocol: string) => [
    `connected by ${protocol}, NetConnection.Connect.Success`,
    'sum 3',
    'fault call.failed',
    'asked back: question answered',
    'audio 20 178 1 2 3',
    'closed client',
  ];
  expect(await reported).toEqual([
    ...exercised('ws'),
    ...exercised('rtmpt'),
    ...exercised('rtmpt'),
    'connect.url',
    'connect.failed',
  ]);
}, 60_000);

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, minify: true, write: false },
    ...{ format: 'esm', platform: 'browser', target: 'es2022', conditions: ['source'] },
  });
  return outputFiles[0]?.text ?? '';
}

/** The page, and on the same origin the RTMP server's tunnels. */
async function servePage(scope: Scope, rtmpPort: number, script: string) {
  let report: (lines: unknown) => void = () => {};
  const reported = new Promise((resolve) => {
    report = resolve;
  });
  const server = createServer(async (incoming, response) => {
    const { method, url } = incoming;
    if (url === '/report') {
      report(JSON.parse(String(Buffer.concat(await incoming.toArray()))));
      response.end();
    } else if (method === 'POST') forward(incoming, response, rtmpPort);
    else if (url === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(script);
    else response.setHeader('Content-Type', 'text/html').end('<script type="module" src="/page.js"></script>');
  });
  scope.defer(() => server.close().closeAllConnections());
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  return { url: `http://127.0.0.1:${port}`, reported };
}

function forward(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method = 'POST', url: path = '/', headers } = incoming;
  const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.destroy());
  incoming.pipe(forwarded);
}
