import { copyFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type RtmpLogEvent, RtmpServer } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../../support/certificate.js';
import { type Scope, test } from '../../support/scope.js';
import { bytes, repeat, text } from '../../wire/rtmp/bytes.js';
import { TestClient } from './client.js';
import { FakeClock } from './fake-clock.js';
import { listen, serve } from './serve.js';

const POLICY_REQUEST = text('<policy-file-request/>\0');
const GET = (path: string) => text(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

describe.each(['plain', 'TLS'] as const)('one port, %s', (kind) => {
  test('serves RTMP, HTTP and policy requests, whatever way their first bytes are split', async ({ scope }) => {
    const tls = kind === 'TLS' ? await makeCertificate(scope) : undefined;
    const { port, sessions } = await serve(scope, { origins: ['https://a.example:8443'], ...(tls && { tls }) });
    const open = () =>
      tls === undefined ? connect(port, '127.0.0.1') : connectTls({ port, rejectUnauthorized: false });
    await TestClient.connect(scope, port, { app: 'test' }, open());
    expect(sessions[0]?.protocol).toBe(tls === undefined ? 'rtmp' : 'rtmps');
    expect(sessions[0]?.remoteAddress).toBe('127.0.0.1');
    for (const split of [1, 3, 22, 1000]) {
      expect(await exchange(scope, open(), POLICY_REQUEST, split)).toBe(
        '<?xml version="1.0"?>\n<cross-domain-policy>' +
          `<allow-access-from domain="a.example" to-ports="${port}"/></cross-domain-policy>\n\0`,
      );
      expect(await exchange(scope, open(), GET('/crossdomain.xml'), split)).toMatch(
        /^HTTP\/1.1 200 OK\r\n[\s\S]*<allow-access-from domain="a.example"\/><\/cross-domain-policy>\n$/,
      );
      expect(await exchange(scope, open(), GET('/'), split)).toMatch(/^HTTP\/1.1 404 /);
    }
  });

  test.for([
    { name: 'a TLS hello', data: bytes('16 03 01'), code: 'handshake.tls' },
    { name: 'zeroes', data: repeat(0, 5_000), code: 'handshake.version' },
    { name: 'small letters', data: text('get / http/1.1\r\n\r\n'), code: 'handshake.version' },
    { name: 'something that only begins like a policy request', data: text('<policy?'), code: 'handshake.version' },
    { name: 'something that only begins like HTTP', data: text('HELP\0\r\n\r\n'), code: 'http.request' },
    {
      name: 'headers that never end',
      data: text(`GET / HTTP/1.1\r\n${`a: ${'b'.repeat(100)}\r\n`.repeat(200)}`),
      code: 'http.request',
    },
  ])('refuses $name with a code and closes', async ({ data, code }, { scope }) => {
    const tls = kind === 'TLS' ? await makeCertificate(scope) : undefined;
    const log: RtmpLogEvent[] = [];
    const logger = (event: RtmpLogEvent) => log.push(event);
    const { server, port } = await serve(scope, { clock: new FakeClock(), logger, ...(tls && { tls }) });
    const socket = tls ? connectTls({ port, rejectUnauthorized: false }) : connect(port, '127.0.0.1');
    await exchange(scope, socket, data);
    expect(server.counters[code]).toBe(1);
    expect(log).toEqual([expect.objectContaining({ event: 'refused', code, remoteAddress: '127.0.0.1' })]);
    expect(server.sessions.size).toBe(0);
  });
});

test('nobody is allowed in policy files unless origins are given', async ({ scope }) => {
  const { port } = await serve(scope);
  expect(await exchange(scope, connect(port, '127.0.0.1'), POLICY_REQUEST)).toContain(
    '<cross-domain-policy></cross-domain-policy>',
  );
});

test.for(['example.com', 'https://example.com/', 'https://example.com/x', '', 'null'])(
  'an origin that is none is refused at once: %s',
  (origin) => {
    expect(() => new RtmpServer({ origins: [origin] })).toThrow(RangeError);
  },
);

test.for([
  { origins: ['https://a.example'], origin: 'https://a.example', allowed: true },
  { origins: ['*'], origin: 'https://b.example', allowed: true },
  { origins: ['https://a.example'], origin: 'https://b.example', allowed: false },
  { origins: undefined, origin: 'https://a.example', allowed: false },
])('pages of $origin may use tunnels when $origins may: $allowed', async ({ origins, origin, allowed }, { scope }) => {
  const { port } = await serve(scope, { ...(origins && { origins }) });
  const lines = [`Host: localhost`, `Origin: ${origin}`, 'Access-Control-Request-Method: POST', 'Connection: close'];
  const ask = async (method: string) =>
    await exchange(
      scope,
      connect(port, '127.0.0.1'),
      text(`${method} /open/1 HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`),
    );
  const [preflight, opened] = [await ask('OPTIONS'), await ask('POST')];
  expect(preflight).toMatch(allowed ? /^HTTP\/1.1 204 / : /^HTTP\/1.1 404 /);
  for (const answer of [preflight, opened]) {
    expect(answer.includes(`Access-Control-Allow-Origin: ${origin}\r\n`)).toBe(allowed);
  }
});

test('what is not served here is answered, and the connection closed', async ({ scope }) => {
  const { port } = await serve(scope);
  const request = text('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await exchange(scope, connect(port, '127.0.0.1'), request)).toMatch(/^HTTP\/1.1 404 [\s\S]*Connection: close/);
});

describe('time', () => {
  test('is given to a connection that says nothing, and with it to the handshake', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    const silent = new TestClient(scope, port);
    const slow = new TestClient(scope, port);
    await expect.poll(() => clock.timers).toBe(2);
    clock.advance(9_000);
    slow.write(bytes('03'));
    await expect.poll(() => server.sessions.size).toBe(1);
    clock.advance(999);
    expect(server.counters['handshake.timeout']).toBe(0);
    clock.advance(1);
    await Promise.all([silent.closed(), slow.closed()]);
    await expect.poll(() => server.counters['handshake.timeout']).toBe(2);
    expect(clock.timers).toBe(0);
  });

  test('is given to an HTTP request to arrive whole, however its bytes drip', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    const client = connect(port, '127.0.0.1');
    const closed = received(scope, client);
    client.write('POST /open/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n');
    await expect.poll(() => clock.timers).toBe(1);
    clock.advance(29_999);
    client.write('\r\n1');
    expect(server.counters['http.timeout']).toBe(0);
    clock.advance(1);
    await closed;
    expect(server.counters['http.timeout']).toBe(1);
  });

  test('a connection that was of use is closed in silence when it is idle', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    const client = connect(port, '127.0.0.1');
    const closed = received(scope, client);
    client.write('GET /crossdomain.xml HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => client.once('data', resolve));
    await expect.poll(() => clock.timers).toBe(1);
    clock.advance(30_000);
    expect(await closed).toMatch(/^HTTP\/1.1 200/);
    expect(server.counters['http.timeout']).toBe(0);
  });
});

test('connections count from the first moment, in all ports', async ({ scope }) => {
  const { server, port } = await serve(scope, { limits: { connectionsPerAddress: 2 } });
  const second = await server.listen({ host: '127.0.0.1', port: 0 });
  const silent = connect(port, '127.0.0.1');
  const http = connect(second.port, '127.0.0.1');
  const closed = [silent, http].map((socket) => received(scope, socket));
  http.write('GET /crossdomain.xml HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => http.once('data', resolve));
  await new TestClient(scope, port).closed();
  expect(server.counters['server.connections-per-address']).toBe(1);
  silent.end();
  http.end();
  await Promise.all(closed);
  await expect
    .poll(async () => {
      const client = new TestClient(scope, second.port);
      client.write(bytes('03'));
      return server.sessions.size > 0;
    })
    .toBe(true);
});

describe('TLS', () => {
  test('garbage on its port is refused, and so is a client without it', async ({ scope }) => {
    const { server, port } = await serve(scope, { tls: await makeCertificate(scope) });
    await exchange(scope, connect(port, '127.0.0.1'), bytes('03', repeat(0, 1536)));
    expect(server.counters['tls.handshake']).toBe(1);
  });

  test('a new certificate is used without dropping connections; one that is broken is told once', async ({ scope }) => {
    const clock = new FakeClock();
    const log: RtmpLogEvent[] = [];
    const [tls, renewed] = [await makeCertificate(scope, 'old'), await makeCertificate(scope, 'new')];
    const limits = { pingInterval: 1_000_000 };
    const { server, port } = await serve(scope, { clock, limits, tls, logger: (event) => log.push(event) });
    const first = connectTls({ port, rejectUnauthorized: false });
    const client = await TestClient.connect(scope, port, { app: 'test' }, first);
    const { timers } = clock;

    copyFileSync(renewed.key, tls.key);
    for (let round = 0; round < 3; round += 1) {
      clock.advance(10_000);
      await expect.poll(() => clock.timers).toBe(timers);
    }
    expect(log.filter(({ event }) => event === 'refused')).toMatchObject([{ code: 'tls.certificate' }]);
    expect(await nameAndVersion(scope, port)).toBe('old TLSv1.2');
    copyFileSync(renewed.cert, tls.cert);
    await expect
      .poll(() => {
        clock.advance(10_000);
        return nameAndVersion(scope, port);
      })
      .toBe('new TLSv1.2');
    await client.settled();
    expect(server.counters['tls.certificate']).toBe(1);
  });

  test('version 1.3 has to be asked for', async ({ scope }) => {
    const { port } = await serve(scope, { tls: { ...(await makeCertificate(scope)), maxVersion: 'TLSv1.3' } });
    expect(await nameAndVersion(scope, port)).toBe('localhost TLSv1.3');
  });

  test('a certificate that cannot be read stops the start', async ({ scope }) => {
    const tls = await makeCertificate(scope);
    writeFileSync(tls.cert, 'nothing');
    await expect(listen(scope, { tls })).rejects.toMatchObject({ code: 'tls.certificate' });
    await expect(listen(scope, { tls: { ...tls, key: '/nowhere.pem' } })).rejects.toMatchObject({
      code: 'tls.certificate',
      message: expect.stringContaining('/nowhere.pem'),
    });
  });
});

test('close() ends connections that are not sessions too', async ({ scope }) => {
  const { server, port } = await serve(scope);
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  const closed = sockets.map((socket) => received(scope, socket));
  sockets[1]?.write('GET /crossdomain.xml HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => sockets[1]?.once('data', resolve));
  await server.close();
  await Promise.all(closed);
});

test('after close() the server can listen again', async ({ scope }) => {
  const { server } = await serve(scope);
  await server.close();
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  await TestClient.connect(scope, port);
});

async function nameAndVersion(scope: Scope, port: number): Promise<string> {
  const socket: TLSSocket = connectTls({ port, rejectUnauthorized: false });
  scope.defer(() => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return `${socket.getPeerCertificate().subject.CN} ${socket.getProtocol()}`;
}

/** Sends in pieces and returns all that comes until the other side closes. */
async function exchange(scope: Scope, socket: Socket, data: Uint8Array, split = data.length): Promise<string> {
  const answer = received(scope, socket);
  socket.setNoDelay(true);
  for (let at = 0; at < data.length; at += split) {
    if (socket.writable) await new Promise((resolve) => socket.write(data.subarray(at, at + split), resolve));
  }
  return await answer;
}

function received(scope: Scope, socket: Socket): Promise<string> {
  scope.defer(() => socket.destroy());
  const parts: Buffer[] = [];
  socket.on('data', (data) => parts.push(data)).on('error', () => {});
  return new Promise((resolve) => socket.on('close', () => resolve(String(Buffer.concat(parts)))));
}
