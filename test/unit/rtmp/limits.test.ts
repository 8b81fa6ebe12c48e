import { type RtmpLimits, type RtmpLogEvent, RtmpServer } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { test } from '../../support/scope.js';
import { bytes, repeat } from '../../wire/rtmp/bytes.js';
import { command, handshake, statusCode, TestClient } from './client.js';
import { FakeClock } from './fake-clock.js';
import { listen, serve } from './serve.js';

/** Each client breaks one rule after its connect command was accepted; another client must not notice. */
const VIOLATIONS: { name: string; code: string; limits?: Partial<RtmpLimits>; act: (client: TestClient) => void }[] = [
  {
    name: 'a message of 16 MB, at its header',
    code: 'chunk.message-size',
    act: (client) => client.write(bytes('04 000000 ffffff 08 01000000')),
  },
  {
    name: 'chunk size 0',
    code: 'chunk.size',
    act: (client) => client.send({ type: 'setChunkSize', chunkSize: 0 }, 2),
  },
  {
    name: 'a chunk stream that does not begin with a type 0 header',
    code: 'chunk.unknown-stream',
    act: (client) => client.write(bytes('c9')),
  },
  {
    name: 'a message in the middle of another on its chunk stream',
    code: 'chunk.interrupted',
    act: (client) =>
      client.write(bytes('04 000000 000100 08 01000000', repeat(0, 128), '04 000000 000001 08 01000000 00')),
  },
  {
    name: 'more bytes in flight than allowed',
    code: 'chunk.bytes-in-flight',
    limits: { bytesInFlight: 1_000_000, messageSize: 600_000 },
    act: (client) => {
      for (const id of [4, 5]) client.write(bytes(Uint8Array.of(id), '000000 0927c0 08 01000000', repeat(0, 128)));
    },
  },
  {
    name: 'more chunk streams than allowed',
    code: 'chunk.streams',
    limits: { chunkStreams: 8 },
    act: (client) => {
      for (let id = 10; id < 20; id += 1) client.write(bytes(Uint8Array.of(id), '000000 000000 08 01000000'));
    },
  },
  {
    name: 'a control message that is too short',
    code: 'message.truncated',
    act: (client) => client.write(bytes('02 000000 000002 04 00000000 0006')),
  },
  {
    name: 'a command without a name',
    code: 'message.command',
    act: (client) => sendCommand(client, bytes('05')),
  },
  {
    name: 'endless nesting',
    code: 'amf.depth',
    act: (client) => sendCommand(client, bytes('02 0001 61 00 0000000000000000', ...Array(20_000).fill('03 0001 61'))),
  },
  {
    name: 'an array that says it has 4 billion elements',
    code: 'amf.truncated',
    act: (client) => sendCommand(client, bytes('02 0001 61 00 0000000000000000 0a ffffffff')),
  },
  {
    name: 'too many values in a command',
    code: 'amf.elements',
    act: (client) => sendCommand(client, bytes('02 0001 61 00 0000000000000000', repeat(5, 20_000))),
  },
  {
    name: 'a reference to nothing',
    code: 'amf.reference',
    act: (client) => sendCommand(client, bytes('02 0001 61 00 0000000000000000 07 0005')),
  },
  {
    name: 'a few references that stand for gigabytes',
    code: 'amf.referenced-bytes',
    // An array of arrays, each of which holds the one before it twice.
    act: (client) => {
      const doubling = Array.from(
        { length: 40 },
        (_, index) => `09 05 01 09 ${hex(2 * index + 2)} 09 ${hex(2 * index + 2)}`,
      );
      sendCommand(client, bytes('02 0001 61 00 0000000000000000 11 09 53 01 09 01 01', ...doubling));
    },
  },
  {
    name: 'an AMF0 marker that does not exist',
    code: 'amf.marker',
    act: (client) => sendCommand(client, bytes('02 0001 61 00 0000000000000000 99')),
  },
  {
    name: 'data without a name',
    code: 'message.data',
    act: (client) => client.send({ type: 'unknown', typeId: 0x12, streamId: 0, timestamp: 0, payload: bytes('05') }),
  },
  {
    name: 'an aggregate within an aggregate',
    code: 'message.aggregate',
    act: (client) => {
      const payload = bytes('16 000000 000000 00 000000 0000000b');
      client.send({ type: 'unknown', typeId: 0x16, streamId: 1, timestamp: 0, payload });
    },
  },
  {
    name: 'more commands at once than allowed',
    code: 'command.rate',
    limits: { commandsPerSecond: 10, commandBurst: 20 },
    act: (client) => {
      for (let count = 0; count < 25; count += 1) client.tell(0, 'log', 'x');
    },
  },
];

describe('a client that breaks a rule', () => {
  test.for(VIOLATIONS)('is told and closed: $name', async ({ code, limits = {}, act }, { scope }) => {
    const log: RtmpLogEvent[] = [];
    const { server, port, events } = await serve(scope, { limits, logger: (event) => log.push(event) });
    const bystander = await TestClient.connect(scope, port);
    const client = await TestClient.connect(scope, port);
    act(client);
    const farewell = await client.status('NetConnection.Connect.Closed');
    expect(farewell.args).toMatchObject([{ level: 'error', description: expect.any(String) }]);
    await client.closed();
    await events.find('the end', (event) => event === `closed ${code}`);
    expect(server.counters[code]).toBe(1);
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'session.closed', reason: expect.objectContaining({ code }) }),
    );
    await bystander.settled();
    expect(server.sessions.size).toBe(1);
  });
});

describe('before connect', () => {
  test.for([
    { name: 'one byte', data: bytes('03') },
    { name: 'a C1 without its last byte', data: handshake().slice(0, 1536) },
    { name: 'no C2', data: handshake().slice(0, 2000) },
  ])('a handshake that stops is given 10 s: $name', async ({ data }, { scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    const client = new TestClient(scope, port);
    client.write(data);
    await expect.poll(() => [...server.sessions][0]?.counters.bytesIn).toBe(data.length);
    clock.advance(9_999);
    expect(server.counters['handshake.timeout']).toBe(0);
    clock.advance(1);
    await client.closed();
    await expect.poll(() => server.counters['handshake.timeout']).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('a client that does not connect is given 10 s', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    const client = await TestClient.open(scope, port);
    await expect.poll(() => [...server.sessions][0]?.counters.bytesIn).toBe(handshake().length);
    clock.advance(9_999);
    expect(server.counters['connect.timeout']).toBe(0);
    clock.advance(1);
    await client.closed();
    await expect.poll(() => server.counters['connect.timeout']).toBe(1);
  });

  test('no other command may come', async ({ scope }) => {
    const { server, port } = await serve(scope);
    const client = await TestClient.open(scope, port);
    client.send(command('createStream', 1));
    await client.closed();
    await expect.poll(() => server.counters['connect.expected']).toBe(1);
  });

  test.for([
    { name: 'commands', size: 1, count: 70 },
    { name: 'bytes', size: 10_000, count: 8 },
  ])('only so many $name are kept until the answer', async ({ size, count }, { scope }) => {
    const { server, port } = await listen(scope);
    server.on('connection', (session) => session.on('connect', () => {}));
    const client = await TestClient.open(scope, port);
    client.send(command('connect', 1));
    for (let index = 0; index < count; index += 1) client.send(command('dial', 2, ['x'.repeat(size)]));
    await client.closed();
    await expect.poll(() => server.counters['connect.backlog']).toBe(1);
  });
});

test('a thousand createStreams get 32 streams and 968 errors, and the connection stays', async ({ scope }) => {
  const { server, port, streams } = await serve(scope);
  const client = await TestClient.connect(scope, port);
  for (let index = 0; index < 1_000; index += 1) client.send(command('createStream', 100 + index));
  const last = await client.answer(1_099);
  expect(last).toMatchObject({ name: '_error', args: [{ level: 'error', code: 'NetConnection.Call.Failed' }] });
  expect(client.commands.filter(({ name }) => name === '_result')).toHaveLength(1 + 32);
  expect(client.commands.filter(({ name }) => name === '_error')).toHaveLength(968);
  expect(streams).toHaveLength(32);
  expect(server.counters['session.streams']).toBe(968);
  client.tell(0, 'deleteStream', 7);
  expect(await client.createStream()).toBe(7);
});

test('the command rate fills up again with time', async ({ scope }) => {
  const clock = new FakeClock();
  const { port, sessions } = await serve(scope, { clock, limits: { commandsPerSecond: 10, commandBurst: 3 } });
  const client = await TestClient.connect(scope, port);
  await client.settled();
  await client.settled();
  for (let round = 0; round < 5; round += 1) {
    clock.advance(100);
    await client.settled();
  }
  expect(sessions[0]?.counters.messagesIn).toBe(8);
  client.tell(0, 'log', 'one too many');
  await client.closed();
});

test('an abort gives back what it aborts, and of something unknown does nothing', async ({ scope }) => {
  const { port } = await serve(scope, { limits: { bytesInFlight: 1_000, messageSize: 1_000 } });
  const client = await TestClient.connect(scope, port);
  for (let round = 0; round < 5; round += 1) {
    client.write(bytes('04 000000 0003e8 08 01000000', repeat(0, 128)));
    client.send({ type: 'abort', chunkStreamId: 4 }, 2);
    client.send({ type: 'abort', chunkStreamId: 777 }, 2);
  }
  await client.settled();
});

describe('connections', () => {
  test('beyond the limit are refused, and taken again when one has gone', async ({ scope }) => {
    const log: RtmpLogEvent[] = [];
    const { server, port, events } = await serve(scope, {
      limits: { connections: 2 },
      logger: (event) => log.push(event),
    });
    const first = await TestClient.connect(scope, port);
    await TestClient.connect(scope, port);
    await new TestClient(scope, port).closed();
    expect(server.counters).toMatchObject({ 'server.connections': 1, 'sessions.refused': 1, 'sessions.accepted': 2 });
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'refused', code: 'server.connections', remoteAddress: '127.0.0.1' }),
    );
    first.socket.end();
    await events.find('the end', (event) => event === 'closed client');
    await TestClient.connect(scope, port);
  });

  test('from one address are limited by themselves', async ({ scope }) => {
    const { server, port } = await serve(scope, { limits: { connectionsPerAddress: 1 } });
    const first = await TestClient.connect(scope, port);
    await new TestClient(scope, port).closed();
    expect(server.counters['server.connections-per-address']).toBe(1);
    first.socket.end();
    await expect.poll(() => server.sessions.size).toBe(0);
    await TestClient.connect(scope, port);
  });
});

test('calls that wait for an answer are limited', async ({ scope }) => {
  const { port, sessions } = await serve(scope, { limits: { pendingCalls: 2 } });
  const client = await TestClient.connect(scope, port);
  const calls = [1, 2, 3].map((index) => sessions[0]?.call('slow', index));
  await expect(calls[2]).rejects.toMatchObject({ code: 'call.pending' });
  const { transactionId } = await client.command('slow', ({ name }) => name === 'slow');
  client.send(command('_result', transactionId, ['done']));
  expect(await calls[0]).toEqual(['done']);
});

test.for([{ streams: 0 }, { streams: Number.NaN }, { streams: '3' }, { stream: 3 }])(
  'limits that make no sense are refused at once: %o',
  (limits) => {
    expect(() => new RtmpServer({ limits: limits as Partial<RtmpLimits> })).toThrow(RangeError);
  },
);

test('memory for a message is not taken before its bytes arrive', async ({ scope }) => {
  const { port, sessions } = await serve(scope);
  const client = await TestClient.connect(scope, port);
  client.write(bytes('04 000000 ffffff 08 01000000'));
  await client.closed();
  expect(client.commands.filter((message) => statusCode(message) !== undefined)).toHaveLength(1);
  expect(sessions[0]?.counters.bytesIn).toBeLessThan(5_000);
});

function sendCommand(client: TestClient, payload: Uint8Array): void {
  client.send({ type: 'unknown', typeId: 0x14, streamId: 0, timestamp: 0, payload });
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
