import {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  type AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  type DataMessage,
} from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import type { Scope } from '../../support/scope.js';
import { test } from '../../support/scope.js';
import { bytes, text } from '../../wire/rtmp/bytes.js';
import { command, TestClient } from './client.js';
import { listen, serve } from './serve.js';

/** One of each type that AMF0 does not have, and what it has another form of. */
const VALUES: AmfValue[] = [
  { level: 'status', list: [1, 'two', { three: 3 }] },
  new AmfEcmaArray({ name: 'x' }, ['y']),
  new AmfTypedObject('org.Point', { x: 1, y: -1 }, { sealed: ['x', 'y'], dynamic: false }),
  new AmfExternalizable('flex.messaging.io.ArrayCollection', ['a', 'a']),
  new AmfVector(Int32Array.of(1, -1), { fixed: true }),
  new AmfDictionary(new Map<AmfValue, AmfValue>([['k', 1]])),
  new AmfXml('<a/>'),
  bytes('00 ff'),
  new Date(0),
];

describe('a session with object encoding 3', () => {
  test('has its connect answered in AMF0, and everything after in the AMF3 form', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.status({ code: 'Sono.Call.Status' });
    session.push('callState', 'id', VALUES[0]);
    await client.createStream();
    session.close('maintenance');
    await client.closed();
    expect(client.commands.map(({ name, encoding }) => [name, encoding])).toEqual([
      ['_result', 0],
      ['onStatus', 3],
      ['callState', 3],
      ['_result', 3],
      ['onStatus', 3],
    ]);
    expect(client.commands[0]?.args).toMatchObject([{ objectEncoding: 3 }]);
  });

  test('brings AMF3 values of every type to the program, and its answers back', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const calls: AmfValue[][] = [];
    session.on('call', ({ args, result }) => {
      calls.push([...args]);
      result(...args);
    });
    client.send({ ...command('echo', 5, VALUES), encoding: 3 });
    expect(await client.answer(5)).toMatchObject({ name: '_result', encoding: 3, commandObject: null });
    expect(calls).toEqual([VALUES]);
    expect((await client.answer(5)).args).toEqual(VALUES);
  });

  test('takes AMF0 from the client as before', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.on('call', ({ args, result }) => result(...args));
    expect(await client.call('echo', { a: 1 })).toMatchObject({ encoding: 3, args: [{ a: 1 }] });
  });

  test('lets the program call the client, which answers in AMF3', async ({ scope }) => {
    const { session, client } = await connected(scope);
    const answer = session.call('ask', { question: true });
    const { transactionId, args, encoding } = await client.command('ask', ({ name }) => name === 'ask');
    expect({ args, encoding }).toEqual({ args: [{ question: true }], encoding: 3 });
    client.send({ ...command('_result', transactionId, [VALUES[2]]), encoding: 3 });
    expect(await answer).toEqual([VALUES[2]]);
  });

  test('carries data of the AMF3 form both ways, and the statuses of streams', async ({ scope }) => {
    const { session, client, events, streams } = await connected(scope);
    const [publisher, player] = [await client.createStream(), await client.createStream()];
    const data: DataMessage[] = [];
    streams[0]?.on('data', (message) => data.push(message));
    session.on('data', (message) => data.push(message));
    client.tell(publisher, 'publish', 'cam');
    client.tell(player, 'play', 'cam');
    await events.find('the play', (event) => event.startsWith('play'));
    const message = {
      type: 'data',
      encoding: 3,
      timestamp: 0,
      name: 'onEvent',
      values: [VALUES[0], VALUES[7]],
    } as const;
    client.send({ ...message, streamId: publisher });
    client.send({ ...message, streamId: 0 });
    await client.settled();
    expect(data).toMatchObject([{ values: message.values }, { values: message.values, streamId: 0 }]);
    streams[1]?.sendData('onMetaData', new AmfEcmaArray({ width: 320 }));
    expect(await client.message('data')).toMatchObject({
      encoding: 3,
      streamId: player,
      values: [new AmfEcmaArray({ width: 320 })],
    });
    expect(await client.status('NetStream.Publish.Start')).toMatchObject({ encoding: 3, streamId: publisher });
    expect(await client.status('NetStream.Play.Start')).toMatchObject({ encoding: 3, streamId: player });
  });

  test('is not ended by a reference loop, there and back', async ({ scope }) => {
    const { session, client } = await connected(scope);
    session.on('call', ({ args, result }) => result(...args));
    const loop: Record<string, AmfValue> = { name: 'x' };
    loop.self = loop;
    client.send({ ...command('echo', 5, [loop]), encoding: 3 });
    const [echoed] = (await client.answer(5)).args as [AmfObject];
    expect(echoed.self).toBe(echoed);
  });

  test('refuses a command with a class that writes itself and is not known, and goes on', async ({ scope }) => {
    const { server, client } = await connected(scope);
    const payload = bytes('00 02 0004', text('echo'), '00 4018000000000000 05 11 0a 07 07', text('DSA'));
    client.send({ type: 'unknown', typeId: 0x11, streamId: 0, timestamp: 0, payload });
    expect(await client.answer(6)).toMatchObject({
      name: '_error',
      encoding: 3,
      args: [{ code: 'NetConnection.Call.Failed', description: expect.stringContaining('class DSA') }],
    });
    const data = bytes('00 02 0001 78 11 0a 07 07', text('DSA'));
    client.send({ type: 'unknown', typeId: 0x0f, streamId: 0, timestamp: 0, payload: data });
    await client.settled();
    expect(server.counters['amf.unsupported']).toBe(2);
  });

  test.for([
    { name: 'a reference to nothing', hex: '11 0a 02', code: 'amf.reference' },
    { name: 'a marker that is not defined', hex: '11 12', code: 'amf.marker' },
    { name: 'an array that is not there', hex: '11 09 ffffffff 01', code: 'amf.truncated' },
  ])('is ended by $name', async ({ hex, code }, { scope }) => {
    const { client, events } = await connected(scope);
    const payload = bytes('00 02 0004', text('echo'), '00 0000000000000000 05', hex);
    client.send({ type: 'unknown', typeId: 0x11, streamId: 0, timestamp: 0, payload });
    await client.closed();
    await events.find('the end', (event) => event === `closed ${code}`);
  });

  test('keeps to AMF0 when the program says so', async ({ scope }) => {
    const { server, port } = await listen(scope);
    server.on('connection', (session) => {
      session.on('connect', (request) => request.accept({ information: { objectEncoding: 0 } }));
      session.on('call', ({ result }) => result({ a: 1 }));
    });
    const client = await TestClient.connect(scope, port, { app: 'a', objectEncoding: 3 });
    expect(client.commands[0]?.args).toMatchObject([{ objectEncoding: 0 }]);
    expect(await client.call('x')).toMatchObject({ encoding: 0, args: [{ a: 1 }] });
  });
});

test('a session with object encoding 0 understands the AMF3 form and answers in AMF0', async ({ scope }) => {
  const { port, sessions } = await serve(scope);
  const client = await TestClient.connect(scope, port);
  sessions[0]?.on('call', ({ args, result }) => result(...args));
  client.send({ ...command('echo', 5, [{ a: 1 }, bytes('ff')]), encoding: 3 });
  expect(await client.answer(5)).toMatchObject({ encoding: 0, args: [{ a: 1 }, bytes('ff')] });
});

async function connected(scope: Scope) {
  const served = await serve(scope);
  const client = await TestClient.connect(scope, served.port, { app: 'a', objectEncoding: 3 });
  const [session] = served.sessions;
  if (session === undefined) throw new Error('no session');
  return { ...served, session, client };
}
