import type { AmfObject, ConnectRequest, RpcCall, RtmpSession } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { test } from '../../support/scope.js';
import { command, handshake, TestClient } from './client.js';
import { FakeClock } from './fake-clock.js';
import { listen, serve } from './serve.js';

describe('connect', () => {
  test('is answered with window, bandwidth, chunk size and _result, in this order', async ({ scope }) => {
    const { port } = await serve(scope);
    const client = await TestClient.connect(scope, port, { app: 'phone', objectEncoding: 3 });
    expect(client.received.all).toEqual([
      { type: 'windowAcknowledgementSize', size: 2_500_000, chunkStreamId: 2 },
      { type: 'setPeerBandwidth', size: 2_500_000, limitType: 2, chunkStreamId: 2 },
      { type: 'setChunkSize', chunkSize: 4096, chunkStreamId: 2 },
      {
        ...command('_result', 1),
        chunkStreamId: 3,
        commandObject: { fmsVer: 'FMS/3,5,1,525', capabilities: 31, mode: 1 },
        args: [
          {
            level: 'status',
            code: 'NetConnection.Connect.Success',
            description: 'Connection succeeded.',
            objectEncoding: 3,
          },
        ],
      },
    ]);
  });

  test('tells the program what the client said', async ({ scope }) => {
    const request = await connectRequest(
      scope,
      { app: 'a', tcUrl: 'rtmp://h/a', flashVer: 'LNX 9', audioCodecs: 3191, videoCodecs: 252 },
      ['user', null],
    );
    expect(request).toMatchObject({
      app: 'a',
      tcUrl: 'rtmp://h/a',
      flashVer: 'LNX 9',
      objectEncoding: 0,
      audioCodecs: 3191,
      videoCodecs: 252,
      args: ['user', null],
    });
    expect(request.commandObject).toMatchObject({ audioCodecs: 3191 });
  });

  test('takes a connect without an object, and fields of wrong types, as not said', async ({ scope }) => {
    expect(await connectRequest(scope, null)).toMatchObject({ app: '', tcUrl: '', flashVer: '', objectEncoding: 0 });
    const request = await connectRequest(scope, { app: 7, objectEncoding: '3', audioCodecs: 'all' });
    expect(request).toMatchObject({ app: '', objectEncoding: 0 });
    expect(request).not.toHaveProperty('audioCodecs');
  });

  test('can be accepted with other properties and information, once', async ({ scope }) => {
    const { server, port } = await listen(scope, { fmsVersion: 'Sono/1' });
    server.on('connection', (session) => {
      session.on('connect', (request) => {
        request.accept({ properties: { mode: 2, data: 'x' }, information: { clientId: 'c', description: 'Welcome.' } });
        request.accept();
        request.reject('too late');
      });
    });
    const client = await TestClient.connect(scope, port);
    await client.settled();
    const [result] = client.commands;
    expect(result?.commandObject).toEqual({ fmsVer: 'Sono/1', capabilities: 31, mode: 2, data: 'x' });
    expect(result?.args[0]).toMatchObject({ clientId: 'c', description: 'Welcome.', objectEncoding: 0 });
    expect(client.commands.map(({ name }) => name)).toEqual(['_result', '_result']);
  });

  test('can be rejected, which ends the connection', async ({ scope }) => {
    const { server, port, events } = await listen(scope);
    server.on('connection', (session) => {
      session.on('connect', (request) => request.reject('407 wrong password', { ex: 1 }));
      session.on('close', ({ code, message }) => events.push(`${code}: ${message}`));
    });
    const client = await TestClient.open(scope, port);
    client.send(command('connect', 1));
    await client.closed();
    expect(client.commands).toMatchObject([
      {
        name: '_error',
        transactionId: 1,
        commandObject: null,
        args: [{ level: 'error', code: 'NetConnection.Connect.Rejected', description: '407 wrong password', ex: 1 }],
      },
    ]);
    await events.find('the end', (event) => event === 'connect.rejected: 407 wrong password');
  });

  test('is rejected when no program listens', async ({ scope }) => {
    const { port } = await listen(scope);
    const client = await TestClient.open(scope, port);
    client.send(command('connect', 1));
    await client.closed();
    expect(client.commands).toMatchObject([{ name: '_error', args: [{ code: 'NetConnection.Connect.Rejected' }] }]);
  });

  test('holds back what the client sends until it is accepted', async ({ scope }) => {
    const { server, port, events } = await listen(scope);
    const requests: ConnectRequest[] = [];
    server.on('connection', (session) => {
      session.on('connect', (request) => requests.push(request));
      session.on('call', ({ name, result }) => {
        events.push(name);
        result();
      });
      session.on('stream', () => events.push('stream'));
    });
    const client = await TestClient.open(scope, port);
    client.send(command('connect', 1));
    client.send(command('early', 2));
    client.send(command('createStream', 3));
    client.send({ type: 'userControl', event: 'pingRequest', pingTimestamp: 5 });
    await client.received.find('the pong', (message) => message.type === 'userControl');
    expect(events.all).toEqual([]);
    requests[0]?.accept();
    await client.answer(3);
    expect(events.all).toEqual(['early', 'stream']);
    expect(client.commands.map(({ transactionId }) => transactionId)).toEqual([1, 2, 3]);
  });

  test('may come only once', async ({ scope }) => {
    const { port, events, sessions } = await serve(scope);
    const client = await TestClient.connect(scope, port);
    sessions[0]?.on('call', ({ result }) => result());
    expect(await client.call('connect')).toMatchObject({
      name: '_error',
      args: [{ code: 'NetConnection.Call.Failed' }],
    });
    expect(events.all).toEqual(['connect test']);
  });
});

describe('remote procedure calls', () => {
  test('reach the program with their arguments and are answered once', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const calls: RpcCall[] = [];
    session.on('call', (call) => {
      calls.push(call);
      call.result('sip:1@h', { ok: true });
      call.result('again');
      call.error({ code: 'again' });
    });
    const answer = await client.call('register', 'user', { password: 'p' });
    expect(calls).toMatchObject([{ name: 'register', commandObject: null, args: ['user', { password: 'p' }] }]);
    expect(answer).toMatchObject({ name: '_result', commandObject: null, args: ['sip:1@h', { ok: true }] });
    await client.settled();
    expect(client.commands.filter(({ transactionId }) => transactionId === answer.transactionId)).toHaveLength(1);
  });

  test('can fail', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.on('call', (call) => call.error({ level: 'error', code: 'Sono.Call.NoUri' }));
    expect(await client.call('dial')).toMatchObject({
      name: '_error',
      args: [{ level: 'error', code: 'Sono.Call.NoUri' }],
    });
  });

  test('may stay without an answer', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const names: string[] = [];
    session.on('call', ({ name }) => names.push(name));
    client.send(command('dial', 9, ['sip:echo@localhost']));
    await client.settled();
    expect(names).toEqual(['dial']);
    expect(client.commands.some(({ transactionId }) => transactionId === 9)).toBe(false);
  });

  test('with transaction id 0 get no answer', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.on('call', (call) => call.result('unwanted'));
    client.tell(0, 'log', 'text');
    await client.settled();
    expect(client.commands.map(({ name }) => name)).toEqual(['_result', '_result']);
  });

  test('fail when nobody listens, and the connection stays', async ({ scope }) => {
    const { client } = await connected(scope);
    expect(await client.call('nonsense', 1)).toMatchObject({
      name: '_error',
      commandObject: null,
      args: [{ level: 'error', code: 'NetConnection.Call.Failed', description: 'Method nonsense is not known.' }],
    });
    client.tell(0, 'nonsense');
    await client.settled();
  });
});

describe('forms that encoders and players go through', () => {
  test.for(['_checkbw', 'releaseStream', 'FCPublish', 'FCUnpublish'])('%s has a result', async (name, { scope }) => {
    const { client } = await connected(scope);
    expect(await client.call(name, 'cam')).toMatchObject({ name: '_result', commandObject: null, args: [] });
  });

  test('getStreamLength is 0: everything is live', async ({ scope }) => {
    const { client } = await connected(scope);
    expect(await client.call('getStreamLength', 'cam')).toMatchObject({ name: '_result', args: [0] });
  });

  test('FCPublish and FCUnpublish are echoed as callbacks', async ({ scope }) => {
    const { client } = await connected(scope);
    client.tell(0, 'FCPublish', 'cam');
    client.tell(0, 'FCUnpublish', 'cam');
    const published = await client.command('onFCPublish', ({ name }) => name === 'onFCPublish');
    expect(published).toMatchObject({
      transactionId: 0,
      args: [{ code: 'NetStream.Publish.Start', description: 'cam' }],
    });
    const unpublished = await client.command('onFCUnpublish', ({ name }) => name === 'onFCUnpublish');
    expect(unpublished).toMatchObject({ args: [{ code: 'NetStream.Unpublish.Success', description: 'cam' }] });
  });

  test('a ping is answered with its own timestamp', async ({ scope }) => {
    const { client } = await connected(scope);
    client.send({ type: 'userControl', event: 'pingRequest', pingTimestamp: 0xfffffffe }, 2);
    expect(await client.message('userControl')).toMatchObject({ event: 'pingResponse', pingTimestamp: 0xfffffffe });
  });

  test('a peer bandwidth other than the window announced is answered with that window', async ({ scope }) => {
    const { client } = await connected(scope);
    client.send({ type: 'setPeerBandwidth', size: 2_500_000, limitType: 2 }, 2);
    client.send({ type: 'setPeerBandwidth', size: 100_000, limitType: 0 }, 2);
    await client.settled();
    const sizes = client.received.all.filter((message) => message.type === 'windowAcknowledgementSize');
    expect(sizes).toMatchObject([{ size: 2_500_000 }, { size: 100_000 }]);
  });

  test('shared objects are ignored', async ({ scope }) => {
    const { session, client } = await connected(scope);
    client.send({ type: 'unknown', typeId: 0x13, streamId: 0, timestamp: 0, payload: new Uint8Array(8) });
    await client.settled();
    expect(session.counters.messagesIgnored).toBe(1);
  });
});

describe('the server', () => {
  test('pushes commands and statuses on message stream 0', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.push('callState', 'id', null, 7);
    session.status({ level: 'status', code: 'Sono.Call.Status', status_code: 1 });
    const push = await client.command('callState', ({ name }) => name === 'callState');
    expect(push).toEqual({ ...command('callState', 0, ['id', null, 7]), chunkStreamId: 3 });
    const status = await client.status('Sono.Call.Status');
    expect(status).toMatchObject({ streamId: 0, transactionId: 0, commandObject: null, args: [{ status_code: 1 }] });
  });

  test('calls the client and gets its result, its error, or the end', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const ids = async (name: string) => (await client.command(name, (message) => message.name === name)).transactionId;
    const good = session.call('good', 1);
    client.send(command('_result', await ids('good'), ['yes', 2]));
    expect(await good).toEqual(['yes', 2]);

    const bad = session.call('bad');
    client.send(command('_error', await ids('bad'), [{ code: 'No' }]));
    await expect(bad).rejects.toMatchObject({ code: 'call.failed', info: [{ code: 'No' }] });

    const lost = session.call('lost');
    const ignored = session.call('ignored');
    expect(await ids('ignored')).not.toBe(await ids('lost'));
    client.socket.destroy();
    await expect(lost).rejects.toMatchObject({ code: 'call.closed' });
    await expect(ignored).rejects.toMatchObject({ code: 'call.closed' });
    await expect(session.call('late')).rejects.toMatchObject({ code: 'call.closed' });
  });

  test('ignores answers to calls that it did not make', async ({ scope }) => {
    const { session, client } = await connected(scope);
    client.send(command('_result', 77, ['?']));
    client.send(command('_error', 78, ['?']));
    await client.settled();
    expect(session.counters.messagesIgnored).toBe(2);
  });

  test('closes with a word to the client, once', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const reasons: unknown[] = [];
    session.on('close', (reason) => reasons.push(reason));
    session.push('last');
    session.close('maintenance');
    session.close('again');
    session.push('unheard');
    await client.closed();
    expect(client.commands.slice(1)).toMatchObject([
      { name: 'last' },
      { name: 'onStatus', args: [{ code: 'NetConnection.Connect.Closed', description: 'maintenance' }] },
    ]);
    await expect.poll(() => reasons).toEqual([{ code: 'server', message: 'maintenance' }]);
  });

  test('tells all sessions apart and forgets them when they end', async ({ scope }) => {
    const { server, port, events, sessions } = await serve(scope);
    const clients = [await TestClient.connect(scope, port), await TestClient.connect(scope, port)];
    expect(server.sessions).toEqual(new Set(sessions));
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(2);
    expect(sessions[0]).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: clients[0]?.socket.localPort });
    clients[0]?.socket.end();
    await events.find('the end', (event) => event === 'closed client');
    expect([...server.sessions]).toEqual([sessions[1]]);
    expect(server.counters).toMatchObject({ 'sessions.accepted': 2, 'sessions.closed': 1, 'sessions.refused': 0 });
  });

  test('ends every session, and resolves, when it closes', async ({ scope }) => {
    const { server, port, events } = await serve(scope);
    const client = await TestClient.connect(scope, port);
    const stranger = new TestClient(scope, port);
    stranger.write(Uint8Array.of(3));
    await expect.poll(() => server.sessions.size).toBe(2);
    await server.close();
    await client.closed();
    await stranger.closed();
    expect(server.sessions.size).toBe(0);
    expect(events.all).toEqual(['connect test', 'closed server']);
    const late = new TestClient(scope, port);
    await late.closed();
  });

  test('says with its error why it cannot listen', async ({ scope }) => {
    const { port } = await listen(scope);
    const second = await import('rtmp-server-ts').then(({ RtmpServer }) => new RtmpServer());
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.close();
  });

  test('gives a client that does not close its side 2 s', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port, events, sessions } = await serve(scope, { clock });
    const client = await TestClient.connect(scope, port);
    client.socket.allowHalfOpen = true;
    sessions[0]?.close();
    await client.status('NetConnection.Connect.Closed');
    clock.advance(1_999);
    expect(server.sessions.size).toBe(1);
    clock.advance(1);
    await events.find('the end', (event) => event === 'closed server');
  });

  test('leaves no timer behind', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, port } = await serve(scope, { clock });
    await TestClient.connect(scope, port);
    expect(clock.timers).toBe(1);
    await server.close();
    expect(clock.timers).toBe(0);
  });
});

describe('acknowledgements', () => {
  test('are sent each time the window that the client set is full', async ({ scope }) => {
    const { session, client } = await connected(scope);
    client.send({ type: 'windowAcknowledgementSize', size: 1_000 }, 2);
    await client.settled();
    client.send({ type: 'unknown', typeId: 99, streamId: 0, timestamp: 0, payload: new Uint8Array(2_000) });
    const first = await client.message('acknowledgement');
    expect(first.sequenceNumber).toBeGreaterThan(1_000);
    expect(first.sequenceNumber).toBeLessThanOrEqual(session.counters.bytesIn);
    await client.settled();
    const { bytesIn } = session.counters;
    expect(bytesIn).toBeGreaterThan(handshake().length + 2_000);
  });

  test('are not sent before the default window of 2.5 MB', async ({ scope }) => {
    const { client } = await connected(scope);
    client.send({ type: 'unknown', typeId: 99, streamId: 0, timestamp: 0, payload: new Uint8Array(2_400_000) });
    await client.settled();
    expect(client.received.all.some(({ type }) => type === 'acknowledgement')).toBe(false);
    client.send({ type: 'unknown', typeId: 99, streamId: 0, timestamp: 0, payload: new Uint8Array(200_000) });
    expect((await client.message('acknowledgement')).sequenceNumber).toBeGreaterThanOrEqual(2_500_000);
  });
});

type TestScope = Parameters<typeof serve>[0];

async function connected(scope: TestScope, properties?: AmfObject) {
  const served = await serve(scope);
  const client = await TestClient.connect(scope, served.port, properties);
  const [session] = served.sessions;
  if (session === undefined) throw new Error('no session');
  return { ...served, client, session: session satisfies RtmpSession };
}

async function connectRequest(scope: TestScope, commandObject: AmfObject | null, args: (string | null)[] = []) {
  const { server, port } = await listen(scope);
  const requested = new Promise<ConnectRequest>((resolve) => {
    server.on('connection', (session) => session.on('connect', resolve));
  });
  const client = await TestClient.open(scope, port);
  client.send(command('connect', 1, args, 0, commandObject));
  return await requested;
}
