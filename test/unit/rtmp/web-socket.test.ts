import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { ChunkWriter, encodeMessage, type RtmpMessage } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { makeCertificate } from '../../support/certificate.js';
import { EventLog } from '../../support/event-log.js';
import { MessageReader } from '../../support/message-reader.js';
import { type Scope, test } from '../../support/scope.js';
import { command, handshake } from './client.js';
import { serve } from './serve.js';

describe.each(['ws', 'wss'] as const)('%s', (protocol) => {
  test.for([1, 7, 1536, 1_000_000])('carries RTMP in messages of %i bytes', async (split, { scope }) => {
    const tls = protocol === 'wss' ? await makeCertificate(scope) : undefined;
    const { port, sessions, events } = await serve(scope, { ...(tls && { tls }) });
    const client = await WebSocketClient.open(scope, `${protocol}://127.0.0.1:${port}/anything`, {}, split);
    client.send(command('connect', 1, [], 0, { app: 'test' }));
    await client.result(1);
    client.send(command('createStream', 2));
    await client.result(2);
    client.send(command('publish', 3, ['cam', 'live'], 1));
    client.send({ type: 'audio', streamId: 1, timestamp: 20, payload: Uint8Array.of(0xb2, 1, 2) });
    await events.find('audio', (event) => event === 'audio 20 b20102');
    expect(sessions[0]).toMatchObject({ protocol, remoteAddress: '127.0.0.1' });
    client.webSocket.close();
    await events.find('the end', (event) => event === 'closed client');
  });
});

const ORIGINS: { origin?: string; origins?: string[]; host?: string; allowed: boolean }[] = [
  { allowed: true },
  { origin: 'http://localhost:1234', host: 'localhost:1234', allowed: true },
  { origin: 'https://localhost', host: 'localhost:443', allowed: true },
  { origin: 'http://localhost:1235', host: 'localhost:1234', allowed: false },
  { origin: 'https://evil.example', allowed: false },
  { origin: 'null', allowed: false },
  { origin: 'nonsense', allowed: false },
  { origin: 'https://a.example', origins: ['https://a.example'], allowed: true },
  { origin: 'https://a.example:444', origins: ['https://a.example'], allowed: false },
  { origin: 'http://a.example', origins: ['https://a.example'], allowed: false },
  { origin: 'http://localhost:1234', host: 'localhost:1234', origins: ['https://a.example'], allowed: false },
  { origin: 'https://evil.example', origins: [], allowed: false },
  { origin: 'https://evil.example', origins: ['https://a.example', '*'], allowed: true },
  { origin: 'null', origins: ['*'], allowed: true },
];

test.for(ORIGINS)('origin $origin at host $host with $origins: allowed is $allowed', async (row, { scope }) => {
  const { origin, origins, host, allowed } = row;
  const { server, port } = await serve(scope, { ...(origins && { origins }) });
  const headers = { ...(origin !== undefined && { origin }), ...(host !== undefined && { host }) };
  const opened = WebSocketClient.open(scope, `ws://127.0.0.1:${port}/`, { headers });
  if (allowed) await opened;
  else await expect(opened).rejects.toThrow('403');
  expect(server.counters['websocket.origin']).toBe(allowed ? 0 : 1);
  expect(server.counters['sessions.accepted']).toBe(allowed ? 1 : 0);
});

describe('a client that breaks a rule is closed', () => {
  test.for([
    { name: 'a text message', act: ({ webSocket }: WebSocketClient) => webSocket.send('connect') },
    {
      name: 'a message above the limit',
      act: ({ webSocket }: WebSocketClient) => webSocket.send(new Uint8Array(1024 * 1024 + 1)),
    },
  ])('$name', async ({ act }, { scope }) => {
    const { server, port, events } = await serve(scope);
    const client = await WebSocketClient.open(scope, `ws://127.0.0.1:${port}/`);
    client.send(command('connect', 1, [], 0, { app: 'test' }));
    await client.result(1);
    act(client);
    await events.find('the end', (event) => event === 'closed websocket.message');
    await client.closed;
    expect(server.sessions.size).toBe(0);
    expect(server.counters['websocket.message']).toBe(1);
  });

  test('bytes that are no frame', async ({ scope }) => {
    const { server, port, sessions } = await serve(scope);
    const socket = connect(port, '127.0.0.1');
    scope.defer(() => socket.destroy());
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n\xff\xff\xff\xff`,
    );
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    await expect.poll(() => server.counters['websocket.message']).toBe(1);
    expect(sessions).toEqual([]);
  });

  test('a request to upgrade to something else', async ({ scope }) => {
    const { server, port } = await serve(scope);
    const socket = connect(port, '127.0.0.1');
    scope.defer(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(String(answer)).toMatch(/^HTTP\/1.1 400/);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(server.counters['http.request']).toBe(1);
  });
});

test('close() of a session says farewell and closes the WebSocket', async ({ scope }) => {
  const { port, sessions } = await serve(scope);
  const client = await WebSocketClient.open(scope, `ws://127.0.0.1:${port}/`);
  client.send(command('connect', 1, [], 0, { app: 'test' }));
  await client.result(1);
  sessions[0]?.close('enough');
  expect(await client.closed).toBe(1000);
  await client.received.find('the farewell', (message) => message.type === 'command' && message.name === 'onStatus');
});

describe("on the program's own HTTP server", () => {
  test('takes over its upgrades, and counts them', async ({ scope }) => {
    const { server, sessions } = await serve(scope, { limits: { connections: 1 } });
    const http = createServer((_, response) => response.end('page'));
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    scope.defer(() => http.close());
    const { port } = http.address() as AddressInfo;
    const client = await WebSocketClient.open(scope, `ws://127.0.0.1:${port}/rtmp`);
    client.send(command('connect', 1, [], 0, { app: 'test' }));
    await client.result(1);
    expect(sessions).toHaveLength(1);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');

    await expect(WebSocketClient.open(scope, `ws://127.0.0.1:${port}/rtmp`)).rejects.toThrow('503');
    expect(server.counters['server.connections']).toBe(1);
    const headers = { origin: 'https://evil.example' };
    client.webSocket.close();
    await client.closed;
    await expect.poll(() => server.sessions.size).toBe(0);
    await expect(WebSocketClient.open(scope, `ws://127.0.0.1:${port}/rtmp`, { headers })).rejects.toThrow('403');
    await WebSocketClient.open(scope, `ws://127.0.0.1:${port}/rtmp`);
  });
});

class WebSocketClient {
  readonly webSocket: WebSocket;
  readonly received = new EventLog<RtmpMessage>('WebSocket client');
  readonly closed: Promise<number>;
  readonly #split: number;
  readonly #writer = new ChunkWriter();
  readonly #reader = new MessageReader();

  private constructor(webSocket: WebSocket, split: number) {
    this.webSocket = webSocket;
    this.#split = split;
    this.closed = new Promise((resolve) => webSocket.on('close', resolve));
    webSocket.on('message', (data: Buffer) => {
      for (const message of this.#reader.read(data)) this.received.push(message);
    });
  }

  /** Opens a WebSocket and sends the handshake. @param split bytes of a message */
  static async open(scope: Scope, url: string, options: ClientOptions = {}, split = 4096): Promise<WebSocketClient> {
    const webSocket = new WebSocket(url, { ...options, rejectUnauthorized: false });
    const client = new WebSocketClient(webSocket, split);
    scope.defer(() => webSocket.terminate());
    await new Promise((resolve, reject) => webSocket.on('open', resolve).on('error', reject));
    client.write(handshake());
    return client;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.#split) this.webSocket.send(bytes.subarray(at, at + this.#split));
  }

  send(message: RtmpMessage): void {
    const parts: Uint8Array[] = [];
    this.#writer.write({ ...encodeMessage(message), chunkStreamId: 3 }, parts);
    this.write(Buffer.concat(parts));
  }

  async result(transactionId: number): Promise<void> {
    await this.received.find(
      `the result of ${transactionId}`,
      (message) => message.type === 'command' && message.name === '_result' && message.transactionId === transactionId,
    );
  }
}
