import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer } from 'node:net';
import { RtmpClient, RtmpServer } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../../support/certificate.js';
import { freePort } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from './fake-clock.js';
import { listen, serve } from './serve.js';

describe('fallback', () => {
  test('tries the other ways in their order, and stays with the first that leads to the server', async ({ scope }) => {
    const tls = await makeCertificate(scope);
    const { server, port, sessions } = await serve(scope);
    const secure = await server.listen({ host: '127.0.0.1', port: 0, tls });
    const url = `rtmp://127.0.0.1:${await freePort()}/live`;
    const ca = { ca: readFileSync(tls.cert) };
    const overTls = await RtmpClient.connect(url, {
      tls: ca,
      fallback: [
        { protocol: 'rtmps', port: secure.port },
        { protocol: 'rtmpt', port },
      ],
    });
    expect(overTls).toMatchObject({ protocol: 'rtmps', url: `rtmps://127.0.0.1:${secure.port}/live` });
    const tunnelled = await RtmpClient.connect(url, {
      fallback: [
        // Nobody signed this certificate, so it is not taken.
        { protocol: 'rtmps', port: secure.port },
        { protocol: 'rtmpt', port },
      ],
    });
    expect(tunnelled.protocol).toBe('rtmpt');
    expect(sessions.map(({ protocol }) => protocol)).toEqual(['rtmps', 'rtmpt']);
    overTls.close();
    tunnelled.close();
  });

  test('takes what something in between that speaks no RTMP says for no', async ({ scope }) => {
    const { port } = await serve(scope);
    const url = `rtmp://127.0.0.1:${await portal(scope)}/live`;
    const connection = await RtmpClient.connect(url, { fallback: [{ protocol: 'rtmpt', port }] });
    expect(connection.protocol).toBe('rtmpt');
    connection.close();
  });

  test('takes a refusal of the server itself for final', async ({ scope }) => {
    const { server, port } = await listen(scope);
    let asked = 0;
    server.on('connection', (session) => {
      session.on('connect', (request) => {
        asked += 1;
        request.reject('no');
      });
    });
    const refused = RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`, { fallback: [{ protocol: 'rtmpt', port }] });
    await expect(refused).rejects.toMatchObject({ code: 'connect.rejected' });
    expect(asked).toBe(1);
  });

  test('tells why each way failed', async () => {
    const port = await freePort();
    const error = await RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`, {
      fallback: [{ protocol: 'rtmpt', port }],
    }).catch((reason) => reason);
    expect(error).toMatchObject({
      code: 'connect.failed',
      message: `none of rtmp://127.0.0.1:${port}/live, rtmpt://127.0.0.1:${port}/live can be reached`,
    });
    expect(error.cause.errors.map(({ code, cause }: { code: string; cause: Error }) => [code, cause.message])).toEqual([
      ['connect.failed', expect.stringContaining('ECONNREFUSED')],
      ['connect.failed', expect.stringContaining('ECONNREFUSED')],
    ]);
  });
});

describe.each(['rtmps', 'rtmpt', 'ws'])('%s', (protocol) => {
  test('to a server that says nothing is given up', async ({ scope }) => {
    const clock = new FakeClock();
    const port = await silentServer(scope);
    const connecting = expect(RtmpClient.connect(`${protocol}://127.0.0.1:${port}/x`, { clock })).rejects.toMatchObject(
      {
        code: 'connect.failed',
        message: expect.stringContaining('no answer in 10000 ms'),
      },
    );
    await expect.poll(() => clock.timers).toBe(1);
    clock.advance(10_000);
    await connecting;
    expect(clock.timers).toBe(0);
  });

  test('to a server of something else fails', async ({ scope }) => {
    const port = await portal(scope);
    await expect(RtmpClient.connect(`${protocol}://127.0.0.1:${port}/x`)).rejects.toMatchObject({
      code: 'connect.failed',
    });
  });
});

test('a tunnel outlives a connection that breaks, and nothing is done twice', async ({ scope }) => {
  const { server, port } = await serve(scope);
  const calls: string[] = [];
  server.on('connection', (session) =>
    session.on('call', (call) => {
      calls.push(String(call.args[0]));
      call.result(call.args[0]);
    }),
  );
  const connection = await RtmpClient.connect(`rtmpt://127.0.0.1:${await breakingProxy(scope, port)}/x`);
  for (const name of ['a', 'b', 'c', 'd']) expect(await connection.call('say', name)).toEqual([name]);
  expect(calls).toEqual(['a', 'b', 'c', 'd']);
  connection.close();
});

test('a tunnel ends with a server that is gone, and with one that answers too much', async ({ scope }) => {
  const { server, port } = await serve(scope);
  const connect = () => RtmpClient.connect(`rtmpt://127.0.0.1:${port}/x`, { limits: { tunnelAnswerSize: 5_000 } });
  const flooded = await connect();
  const reason = new Promise((resolve) => flooded.on('close', resolve));
  for (const session of server.sessions) session.push('big', 'x'.repeat(10_000));
  expect(await reason).toMatchObject({ code: 'tunnel.answer' });
  const left = await connect();
  const gone = new Promise((resolve) => left.on('close', resolve));
  for (const session of server.sessions) session.close();
  await server.close();
  expect(await gone).toMatchObject({ code: expect.stringMatching(/^(server|transport)$/) });
});

test.for([
  '',
  'rtmp:/x',
  'http://a/b',
  'rtmp://',
  'rtmp://a:0/b',
  'rtmp://a:65536/b',
  'rtmp://u:p@a/b',
  'rtmp://a b/c',
  'rtmpfp://a/b',
  'constructor://a/b',
])('%j is no URL to connect to', async (url) => {
  await expect(RtmpClient.connect(url)).rejects.toMatchObject({ name: 'RtmpError', code: 'connect.url' });
});

test('IPv6 addresses and names are connected to', async ({ scope }) => {
  const server = new RtmpServer();
  scope.defer(() => server.close());
  server.on('connection', (session) => session.on('connect', (request) => request.accept()));
  const { port } = await server.listen({ host: '::1', port: 0 });
  for (const scheme of ['rtmp', 'rtmpt', 'ws']) {
    const connection = await RtmpClient.connect(`${scheme}://[::1]:${port}/x`);
    expect(connection.protocol).toBe(scheme);
    connection.close();
  }
});

test('limits that there are not, or that limit nothing, are refused at once', async () => {
  const connect = (limits: object) => RtmpClient.connect('rtmp://127.0.0.1/x', { limits });
  await expect(connect({ openTimeout: 0 })).rejects.toThrow(RangeError);
  await expect(connect({ commandsPerSecond: 1 })).rejects.toThrow(RangeError);
});

/** Forwards HTTP; every third answer is lost with its connection. */
function breakingProxy(scope: Scope, port: number): Promise<number> {
  let count = 0;
  const proxy = createHttpServer((incoming, response) => {
    const { method = 'POST', url: path = '/', headers } = incoming;
    count += 1;
    const lost = count % 3 === 0;
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      if (lost) response.destroy();
      else answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
    });
    forwarded.on('error', () => response.destroy());
    incoming.pipe(forwarded);
  });
  scope.defer(() => proxy.close().closeAllConnections());
  return new Promise((resolve) =>
    proxy.listen(0, '127.0.0.1', () => resolve((proxy.address() as { port: number }).port)),
  );
}

/** Answers anything with a web page, as captive portals do. */
function portal(scope: Scope): Promise<number> {
  return tcpServer(scope, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n<p>');
}

function silentServer(scope: Scope): Promise<number> {
  return tcpServer(scope);
}

function tcpServer(scope: Scope, answer?: string): Promise<number> {
  const server = createServer((socket) => {
    scope.defer(() => socket.destroy());
    socket.on('error', () => {});
    socket.on('data', () => answer !== undefined && socket.end(answer));
  });
  scope.defer(() => server.close());
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
}
