import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect } from 'vitest';
import { HttpServer } from '../../../plugin/ops/http.js';
import { WebFiles } from '../../../plugin/ops/web-files.js';
import { type Scope, test } from '../../support/scope.js';

async function listeningServer(scope: Scope): Promise<number> {
  const server = new HttpServer({
    notReady: () => undefined,
    upgrade: (_request, socket) => socket.destroy(),
    webFiles: new WebFiles('/nowhere'),
    phoneSettings: () => ({}),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  scope.defer(() => server.close());
  return port;
}

async function connected(scope: Scope, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  scope.defer(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const closed = (socket: Socket) => new Promise((resolve) => socket.on('close', resolve));

const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: gateway.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

describe('HTTP', () => {
  test('WebSocket elsewhere than at /rtmp is answered 404, and closed though the peer does not', async ({ scope }) => {
    const socket = await connected(scope, await listeningServer(scope));
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.write(upgrade('/elsewhere'));
    await once(socket, 'end');
    expect(Buffer.concat(parts).toString()).toMatch(/^HTTP\/1\.1 404 /);
    // What is still said to a socket that is gone is answered by a reset.
    const saying = setInterval(() => socket.write('more'), 5);
    await closed(socket);
    clearInterval(saying);
  });

  test('a peer that resets its connection instead of reading the 404 costs nobody else theirs', async ({ scope }) => {
    const port = await listeningServer(scope);
    const turns = [...Array(60).keys()];
    for (const turn of turns) {
      const socket = await connected(scope, port);
      socket.write(upgrade('/elsewhere'));
      // At once, or when the request may be there.
      for (let wait = 0; wait < turn % 6; wait++) await new Promise(setImmediate);
      socket.resetAndDestroy();
      await closed(socket);
    }
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  test('what asks for anything but GET and HEAD is told so', async ({ scope }) => {
    const response = await fetch(`http://127.0.0.1:${await listeningServer(scope)}/healthz`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
