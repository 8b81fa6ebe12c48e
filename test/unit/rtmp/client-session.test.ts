import { type Clock, RtmpClient, type RtmpClientLimits, type RtmpMessage } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import { bytes, repeat, text } from '../../wire/rtmp/bytes.js';
import { command } from './client.js';
import { FakeClock } from './fake-clock.js';
import { MemoryTransport } from './memory-transport.js';
import { chunked, result, ScriptedServer, serverHandshake, status } from './scripted-server.js';

describe('connect', () => {
  test('sends the arguments, and a command object that a program can add to', async ({ scope }) => {
    const server = await ScriptedServer.start(scope);
    const connecting = RtmpClient.connect(`${server.url}/a?x=1`, {
      args: ['me', { n: 1 }],
      properties: { flashVer: 'ours', pageUrl: 'https://a.example/' },
    });
    await server.accept();
    const { transactionId, streamId, commandObject, args } = await server.command('connect');
    expect({ transactionId, streamId, args }).toEqual({ transactionId: 1, streamId: 0, args: ['me', { n: 1 }] });
    expect(commandObject).toMatchObject({
      app: 'live/a?x=1',
      tcUrl: `${server.url}/a?x=1`,
      flashVer: 'ours',
      pageUrl: 'https://a.example/',
      objectEncoding: 0,
    });
    const connection = await connecting;
    expect(connection.information).toEqual({ level: 'status', code: 'NetConnection.Connect.Success' });
    connection.close();
  });

  test('loses nothing of what the server says together with the answer, or before it', async ({ scope }) => {
    const server = await ScriptedServer.start(scope);
    const wrapped = async () => await RtmpClient.connect(server.url);
    const connecting = wrapped();
    await server.connected();
    server.write(serverHandshake());
    await server.command('connect');
    const early = command('onBWDone', 0, [8192]);
    server.send(early, result(1, { code: 'yes' }), command('connected', 0, ['session']), status(0, 'Hello'));
    const connection = await connecting;
    const seen = new EventLog<string>('client', String);
    connection.on('call', ({ name, args }) => seen.push(`${name} ${args}`));
    connection.on('status', ({ code }) => seen.push(`status ${code}`));
    await seen.find('the status', (event) => event === 'status Hello');
    expect(seen.all).toEqual(['onBWDone 8192', 'connected session', 'status Hello']);
    connection.close();
  });

  test.for([
    { answer: command('_error', 1, [{ level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no' }]) },
    { answer: result(1, { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no' }) },
  ])('a refusal by $answer.name rejects with its information', async ({ answer }, { scope }) => {
    const server = await ScriptedServer.start(scope);
    const connecting = RtmpClient.connect(server.url);
    await server.connected();
    server.write(bytes(serverHandshake(), chunked(answer)));
    await expect(connecting).rejects.toMatchObject({
      name: 'RtmpError',
      code: 'connect.rejected',
      message: expect.stringContaining('NetConnection.Connect.Rejected, no'),
      info: [{ level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no' }],
    });
  });
});

describe('a server that closes', () => {
  test.for([
    { phase: 'at once', before: [] },
    { phase: 'within the handshake', before: [serverHandshake().subarray(0, 2000)] },
    { phase: 'before it answers connect', before: [serverHandshake()] },
    { phase: 'within its answer', before: [serverHandshake(), chunked(result(1, { code: 'yes' })).subarray(0, 20)] },
  ])('$phase rejects connect', async ({ before }, { scope }) => {
    for (const how of ['end', 'reset'] as const) {
      const server = await ScriptedServer.start(scope);
      const connecting = RtmpClient.connect(server.url);
      await server.connected();
      for (const part of before) server.write(part);
      server.end(how);
      await expect(connecting).rejects.toMatchObject({ code: 'connect.failed' });
    }
  });

  test('later ends calls, requests, streams and the connection, each once', async ({ scope }) => {
    const { server, connection, stream } = await streaming(scope);
    const ends = new EventLog<string>('ends', String);
    stream.on('close', () => ends.push('stream'));
    connection.on('close', ({ code }) => ends.push(code));
    const refused = [
      expect(connection.call('never')).rejects.toMatchObject({ code: 'call.closed' }),
      expect(stream.publish('never')).rejects.toMatchObject({ code: 'stream.closed' }),
    ];
    await server.command('publish');
    server.end();
    await Promise.all(refused);
    await ends.find('the end', (event) => event === 'server');
    expect(ends.all).toEqual(['stream', 'server']);
    expect(connection.streams.size).toBe(0);
    expect(stream.sendAudio(0, new Uint8Array(1))).toBe(false);
    await expect(stream.play('x')).rejects.toMatchObject({ code: 'stream.closed' });
    await expect(connection.createStream()).rejects.toMatchObject({ code: 'call.closed' });
    connection.push('nothing');
    connection.close();
  });
});

describe('garbage', () => {
  test.for([
    { name: 'of another protocol', data: text('HTTP/1.1 400 Bad Request\r\n\r\n'), code: 'handshake.version' },
    { name: 'of an encrypted server', data: bytes('06', repeat(0, 3072)), code: 'handshake.version' },
    { name: 'after the handshake', data: bytes(serverHandshake(), repeat(0xff, 50)), code: 'chunk.unknown-stream' },
    {
      name: 'in the answer',
      data: bytes(serverHandshake(), '03 000000 000004 14 00000000', '02 0009 5f'),
      code: 'amf.truncated',
    },
    {
      name: 'of great size',
      data: bytes(serverHandshake(), '03 000000 ffffff 14 00000000'),
      code: 'chunk.message-size',
    },
    {
      name: 'of too many commands before the answer',
      data: bytes(serverHandshake(), ...Array.from({ length: 65 }, () => chunked(command('x', 0)))),
      code: 'connect.backlog',
    },
  ])('$name rejects connect with $code', async ({ data, code }, { scope }) => {
    const server = await ScriptedServer.start(scope);
    const connecting = RtmpClient.connect(server.url);
    await server.connected();
    server.write(data);
    await expect(connecting).rejects.toMatchObject({ name: 'RtmpError', code });
  });

  test('later ends the connection with its code', async ({ scope }) => {
    const { server, connection } = await streaming(scope);
    const closed = new Promise((resolve) => connection.on('close', resolve));
    server.write(repeat(0xff, 50));
    expect(await closed).toMatchObject({ code: 'chunk.unknown-stream' });
  });

  test.for([undefined, 'one', 0, -1, 1.5, 2 ** 32, 1])(
    'createStream answered with %j rejects',
    async (id, { scope }) => {
      const { server, connection } = await streaming(scope);
      const creating = connection.createStream();
      await expect.poll(() => server.received.all.filter(isCall('createStream')).length).toBe(2);
      server.send(result(3, id));
      await expect(creating).rejects.toMatchObject({ code: 'call.answer' });
    },
  );

  test('stream ids of any size are taken', async ({ scope }) => {
    const { server, connection } = await streaming(scope);
    const creating = connection.createStream();
    await expect.poll(() => server.received.all.filter(isCall('createStream')).length).toBe(2);
    server.send(result(3, 0xffffffff));
    const stream = await creating;
    const publishing = stream.publish('big');
    await server.command('publish');
    server.send(status(0xffffffff, 'NetStream.Publish.Start'));
    await publishing;
    stream.sendAudio(7, Uint8Array.of(0xb2));
    expect(await server.received.find('audio', ({ type }) => type === 'audio')).toMatchObject({
      streamId: 0xffffffff,
      timestamp: 7,
    });
  });
});

describe('streams', () => {
  test('publish and play resolve by their status, and reject by one that says no', async ({ scope }) => {
    const { server, stream } = await streaming(scope);
    const statuses: unknown[] = [];
    stream.on('status', ({ code }) => statuses.push(code));
    const refused = stream.publish('taken', 'record');
    expect((await server.command('publish')).args).toEqual(['taken', 'record']);
    server.send(status(1, 'NetStream.Publish.BadName', 'error'));
    await expect(refused).rejects.toMatchObject({
      code: 'stream.refused',
      info: [{ code: 'NetStream.Publish.BadName' }],
    });
    expect(stream.sendAudio(0, new Uint8Array(1))).toBe(false);

    const playing = stream.play('cam', { start: -1, duration: 5, reset: false });
    expect((await server.command('play')).args).toEqual(['cam', -1, 5, false]);
    server.send(status(1, 'NetStream.Play.Reset'), status(1, 'NetStream.Play.Start'));
    expect(await playing).toMatchObject({ code: 'NetStream.Play.Start' });
    expect(stream.playing).toBe('cam');
    const ended = new Promise<void>((resolve) => stream.on('end', resolve));
    server.send({ type: 'userControl', event: 'streamEof', eventStreamId: 1 }, status(1, 'NetStream.Play.Stop'));
    await ended;
    expect(stream.playing).toBe(undefined);
    expect(statuses.slice(0, 3)).toEqual(['NetStream.Publish.BadName', 'NetStream.Play.Reset', 'NetStream.Play.Start']);
  });

  test('a request is overtaken by the next', async ({ scope }) => {
    const { server, stream } = await streaming(scope);
    const [first, second] = [stream.publish('a'), stream.publish('b')];
    await expect(first).rejects.toMatchObject({ code: 'stream.closed' });
    server.send(status(1, 'NetStream.Publish.Start'));
    await second;
    expect(stream.publishing).toBe('b');
    stream.stop();
    await server.command('closeStream');
    stream.close();
    expect((await server.command('deleteStream')).args).toEqual([1]);
  });

  test('media on message stream 0 is what plays, while one stream does: node-media-server sends it there', async ({
    scope,
  }) => {
    const { server, connection, stream } = await streaming(scope);
    const heard: number[] = [];
    stream.on('audio', ({ timestamp }) => heard.push(timestamp));
    const audio = (timestamp: number) =>
      server.send({ type: 'audio', streamId: 0, timestamp, payload: Uint8Array.of(0xb2) });
    audio(1);
    const playing = stream.play('x');
    server.send(status(1, 'NetStream.Play.Start'));
    await playing;
    audio(2);
    const creating = connection.createStream();
    server.send(result(3, 2));
    const playingToo = (await creating).play('y');
    server.send(status(2, 'NetStream.Play.Start'));
    await playingToo;
    audio(3);
    server.send(status(1, 'NetStream.Play.Stop'));
    await expect.poll(() => stream.playing).toBeUndefined();
    expect(heard).toEqual([2]);
  });

  test('are limited in number', async ({ scope }) => {
    const { server, connection } = await streaming(scope, { streams: 2 });
    const second = connection.createStream();
    await expect(connection.createStream()).rejects.toMatchObject({ code: 'session.streams' });
    server.send(result(3, 2));
    (await second).close();
    expect((await server.command('deleteStream')).args).toEqual([2]);
    expect([...connection.streams.keys()]).toEqual([1]);
  });
});

describe('time', () => {
  test('is given to the handshake', async ({ scope }) => {
    const [server, clock] = [await ScriptedServer.start(scope), new FakeClock()];
    const refused = expect(RtmpClient.connect(server.url, { clock })).rejects.toMatchObject({
      code: 'handshake.timeout',
    });
    await server.connected();
    await expect.poll(() => clock.next).toBe(10_000);
    clock.advance(10_000);
    await refused;
    expect(clock.timers).toBe(0);
  });

  test('is given to connect, to calls and to requests of streams', async ({ scope }) => {
    const [server, clock] = [await ScriptedServer.start(scope), new FakeClock()];
    const refused = expect(RtmpClient.connect(server.url, { clock })).rejects.toMatchObject({
      code: 'connect.timeout',
    });
    await server.connected();
    server.write(serverHandshake());
    await server.command('connect');
    clock.advance(40_000);
    await refused;

    const connecting = RtmpClient.connect(server.url, { clock, limits: { pingInterval: 1e6 } });
    await expect.poll(() => server.connections).toBe(2);
    server.write(bytes(serverHandshake(), chunked(result(1, {}))));
    const connection = await connecting;
    const creating = connection.createStream();
    await server.command('createStream');
    server.send(result(2, 1));
    const stream = await creating;
    const late = [connection.call('never'), stream.publish('never')].map((answer) =>
      expect(answer).rejects.toMatchObject({ code: 'call.timeout' }),
    );
    clock.advance(60_000);
    await Promise.all(late);
    // A late answer is no more than a message that nobody wants.
    server.send(result(3, 'late'), status(1, 'NetStream.Publish.Start'), status(0, 'Done'));
    await new Promise((resolve) => connection.on('status', resolve));
    expect(stream.publishing).toBe(undefined);
    connection.close();
  });

  test('pings of the server are answered; a server that has answered one is missed when it falls silent', async ({
    scope,
  }) => {
    const clock = new FakeClock();
    const { server, connection } = await streaming(scope, {}, clock);
    server.send({ type: 'userControl', event: 'pingRequest', pingTimestamp: 77 });
    const ponged = (timestamp: number) => server.received.find('pong', isPing('pingResponse', timestamp));
    await ponged(77);
    clock.advance(30_000);
    const ping = await server.received.find('ping', isPing('pingRequest'));
    clock.advance(5);
    server.send({ ...ping, event: 'pingResponse' } as never, status(0, 'Settled'));
    await new Promise((resolve) => connection.once('status', resolve));
    expect(connection.counters.roundTripTime).toBe(5);
    const closed = new Promise((resolve) => connection.on('close', resolve));
    clock.advance(30_000);
    clock.advance(30_000);
    expect(await closed).toMatchObject({ code: 'session.ping-timeout' });
  });

  test('a server that never answers pings is not missed', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, connection } = await streaming(scope, {}, clock);
    for (let round = 0; round < 5; round += 1) clock.advance(30_000);
    await server.received.find('ping', isPing('pingRequest'));
    server.send(status(0, 'StillHere'));
    await new Promise((resolve) => connection.once('status', resolve));
  });
});

test('bytes are acknowledged by the window that the server names', async ({ scope }) => {
  const { server, connection } = await streaming(scope);
  server.send(
    { type: 'windowAcknowledgementSize', size: 1000 },
    { type: 'setPeerBandwidth', size: 5000, limitType: 2 },
  );
  expect(await server.received.find('window', ({ type }) => type === 'windowAcknowledgementSize')).toMatchObject({
    size: 5000,
  });
  server.send(command('big', 0, ['x'.repeat(2000)]));
  const { sequenceNumber } = (await server.received.find('ack', ({ type }) => type === 'acknowledgement')) as never;
  expect(sequenceNumber).toBeLessThanOrEqual(connection.counters.bytesIn);
  expect(sequenceNumber).toBeGreaterThan(3073 + 1000);
});

test('a call that nobody answers gets _error, one that cannot be read too', async ({ scope }) => {
  const { server, connection } = await streaming(scope);
  server.send(command('what', 9));
  expect(await server.command('_error')).toMatchObject({ transactionId: 9, args: [{ level: 'error' }] });
  connection.close();
});

test('a listener that fails ends the connection, and the program learns why', async ({ scope }) => {
  const { server, connection, stream } = await streaming(scope);
  const fault = new Error('mine');
  stream.on('audio', () => {
    throw fault;
  });
  const closed = new Promise((resolve) => connection.on('close', resolve));
  server.send({ type: 'audio', streamId: 1, timestamp: 0, payload: new Uint8Array(1) });
  expect(await closed).toMatchObject({ code: 'session.listener', cause: fault });
});

test('a transport that fails in writing ends its connection, and no other that writes in the same turn', async () => {
  const transports = [new MemoryTransport(), new MemoryTransport(), new MemoryTransport()];
  const connections = await Promise.all(
    transports.map(async (transport) => {
      const connecting = RtmpClient.connect('rtmp://127.0.0.1/x', { transport: () => transport });
      await new Promise((resolve) => setImmediate(resolve));
      transport.receive(bytes(serverHandshake(), chunked(result(1, { code: 'NetConnection.Connect.Success' }))));
      return await connecting;
    }),
  );
  const reasons = new EventLog<string>('closed', String);
  for (const connection of connections) connection.on('close', ({ code }) => reasons.push(code));
  const [first, failing, last] = transports;
  const sent = [first?.sentBytes ?? 0, last?.sentBytes ?? 0] as const;
  if (failing !== undefined) {
    failing.write = () => {
      throw new Error('no more');
    };
  }
  for (const connection of connections) connection.push('ring');
  await reasons.find('the end', (code) => code === 'session.internal');
  expect(reasons.all).toEqual(['session.internal']);
  expect(first?.sentBytes).toBeGreaterThan(sent[0]);
  expect(last?.sentBytes).toBeGreaterThan(sent[1]);
});

test('every message of a session may be split at every byte', async () => {
  const opening = bytes(
    serverHandshake(),
    chunked(
      { type: 'windowAcknowledgementSize', size: 2_500_000 },
      { type: 'setPeerBandwidth', size: 1, limitType: 1 },
    ),
    chunked(result(1, { code: 'yes', data: 'x'.repeat(200) }), command('ring', 0, ['a']), result(2, 1)),
  );
  const rest = bytes(
    chunked({ type: 'userControl', event: 'streamBegin', eventStreamId: 1 }, status(1, 'NetStream.Play.Start')),
    chunked({ type: 'audio', streamId: 1, timestamp: 0x1000000, payload: repeat(0xb2, 200) }),
    chunked({ type: 'data', encoding: 0, streamId: 1, timestamp: 5, name: 'onMetaData', values: [{ width: 1 }] }),
  );
  const whole = ['ring a', 'status NetStream.Play.Start', 'audio 16777216 200', 'data onMetaData'];
  expect(await replay([opening], [rest])).toEqual(whole);
  expect(await replay(single(opening), single(rest))).toEqual(whole);
  for (const split of [1, 1536, 1537, 1538, ...range(3071, opening.length)]) {
    expect([split, await replay(twoParts(opening, split), [rest])]).toEqual([split, whole]);
  }
  for (const split of range(1, rest.length)) {
    expect([split, await replay([opening], twoParts(rest, split))]).toEqual([split, whole]);
  }
});

/** What a client tells its program when the server's bytes come in these pieces. */
async function replay(opening: readonly Uint8Array[], rest: readonly Uint8Array[]): Promise<string[]> {
  const transport = new MemoryTransport();
  const connecting = RtmpClient.connect('rtmp://127.0.0.1/live', { transport: () => transport });
  const seen: string[] = [];
  const playing = connecting.then(async (connection) => {
    connection.on('call', ({ name, args }) => seen.push(`${name} ${args}`));
    const stream = await connection.createStream();
    stream.on('status', ({ code }) => seen.push(`status ${code}`));
    stream.on('audio', ({ timestamp, payload }) => seen.push(`audio ${timestamp} ${payload.length}`));
    stream.on('data', ({ name }) => seen.push(`data ${name}`));
    void stream.play('x');
  });
  await new Promise((resolve) => setImmediate(resolve));
  for (const piece of opening) transport.receive(piece);
  await playing;
  for (const piece of rest) transport.receive(piece);
  (await connecting).close();
  return seen;
}

function twoParts(data: Uint8Array, split: number): Uint8Array[] {
  return [data.subarray(0, split), data.subarray(split)];
}

function single(data: Uint8Array): Uint8Array[] {
  return [...data].map((byte) => Uint8Array.of(byte));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A connection with a stream of id 1 to a server that accepted both. */
async function streaming(scope: Scope, limits: Partial<RtmpClientLimits> = {}, clock?: Clock) {
  const server = await ScriptedServer.start(scope);
  const connecting = RtmpClient.connect(server.url, { limits, ...(clock && { clock }) });
  await server.accept();
  const connection = await connecting;
  scope.defer(() => connection.close());
  const creating = connection.createStream();
  await server.command('createStream');
  server.send(result(2, 1));
  return { server, connection, stream: await creating };
}

function isCall(name: string) {
  return (message: RtmpMessage): boolean => message.type === 'command' && message.name === name;
}

function isPing(event: 'pingRequest' | 'pingResponse', timestamp?: number) {
  return (message: RtmpMessage): boolean =>
    message.type === 'userControl' &&
    message.event === event &&
    (timestamp === undefined || message.pingTimestamp === timestamp);
}
