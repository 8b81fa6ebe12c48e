import type { RtmpStream } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { test } from '../../support/scope.js';
import { bytes, counting } from '../../wire/rtmp/bytes.js';
import { command, statusCode, TestClient } from './client.js';
import { type Served, serve } from './serve.js';

const SPEEX = bytes('b2 36 9d 1b');

describe('createStream', () => {
  test('counts from 1 and uses the ids of deleted streams again', async ({ scope }) => {
    const { client, events } = await connected(scope);
    expect([await client.createStream(), await client.createStream(), await client.createStream()]).toEqual([1, 2, 3]);
    client.tell(0, 'deleteStream', 2);
    expect([await client.createStream(), await client.createStream()]).toEqual([2, 4]);
    expect(events.all).toEqual(['stream 2 closed']);
  });

  test('ignores deleteStream of what is not there', async ({ scope }) => {
    const { client, events } = await connected(scope);
    client.tell(0, 'deleteStream', 9);
    client.tell(0, 'deleteStream', 'x');
    client.tell(0, 'deleteStream');
    await client.settled();
    expect(events.all).toEqual([]);
  });
});

describe('publish', () => {
  test('is confirmed by StreamBegin and a status on the stream', async ({ scope }) => {
    const { client, sessions, streams, events } = await connected(scope);
    const id = await client.createStream();
    client.tell(id, 'publish', 'dummy', 'live');
    const status = await client.status('NetStream.Publish.Start');
    const begin = client.received.all.at(-2);
    expect(begin).toEqual({ type: 'userControl', event: 'streamBegin', eventStreamId: id, chunkStreamId: 2 });
    expect(status).toMatchObject({
      streamId: id,
      transactionId: 0,
      args: [{ level: 'status', details: 'dummy', clientid: sessions[0]?.id }],
    });
    expect(events.all).toEqual(['publish dummy live']);
    expect(streams[0]).toMatchObject({ id, publishing: 'dummy', playing: undefined });
  });

  test('delivers audio, video and data with absolute timestamps', async ({ scope }) => {
    const { client, streams, events } = await published(scope);
    client.send({ type: 'audio', streamId: 1, timestamp: 0xfffffff6, payload: SPEEX }, 6);
    client.send({ type: 'audio', streamId: 1, timestamp: 10, payload: SPEEX }, 6);
    client.send({ type: 'video', streamId: 1, timestamp: 20, payload: bytes('1702') }, 7);
    client.send({
      type: 'data',
      encoding: 0,
      streamId: 1,
      timestamp: 30,
      name: '@setDataFrame',
      values: ['onMetaData', { width: 2 }],
    });
    await client.settled();
    expect(events.all.slice(1)).toEqual([
      'audio 4294967286 b2369d1b',
      'audio 10 b2369d1b',
      'video 20 1702',
      'data 30 @setDataFrame ["onMetaData",{"width":2}]',
    ]);
    expect(streams[0]?.publishing).toBe('dummy');
  });

  test('takes an aggregate apart', async ({ scope }) => {
    const { client, events } = await published(scope);
    const part = { streamId: 9, payload: SPEEX, typeId: 8 };
    const parts = [
      { ...part, timestamp: 1_000 },
      { ...part, timestamp: 1_020 },
    ];
    client.send({ type: 'aggregate', streamId: 1, timestamp: 40, parts });
    await client.settled();
    expect(events.all.slice(1)).toEqual(['audio 40 b2369d1b', 'audio 60 b2369d1b']);
  });

  test('delivers a payload that stays valid', async ({ scope }) => {
    const { client, streams } = await published(scope);
    const payloads: Uint8Array[] = [];
    streams[0]?.on('audio', ({ payload }) => payloads.push(payload));
    for (let index = 0; index < 50; index += 1) {
      client.send({ type: 'audio', streamId: 1, timestamp: index, payload: counting(index * 7) }, 6);
      if (index % 10 === 0) await client.settled();
    }
    await client.settled();
    expect(payloads.map((payload) => [...payload])).toEqual(
      Array.from({ length: 50 }, (_, index) => [...counting(index * 7)]),
    );
  });

  test('drops media before it is accepted, and on streams that do not publish', async ({ scope }) => {
    const { client, sessions, events } = await connected(scope);
    await client.createStream();
    for (const streamId of [0, 1, 2]) client.send({ type: 'audio', streamId, timestamp: 0, payload: SPEEX }, 6);
    await client.settled();
    expect(events.all).toEqual([]);
    expect(sessions[0]?.counters.messagesIgnored).toBe(3);
  });

  test('can be refused', async ({ scope }) => {
    const { client, streams } = await connected(scope, (stream) => {
      stream.on('publish', (request) => {
        request.reject('NetStream.Publish.BadName', 'taken');
        request.accept();
      });
    });
    const id = await client.createStream();
    client.tell(id, 'publish', 'cam');
    const status = await client.status('NetStream.Publish.BadName');
    expect(status).toMatchObject({ streamId: id, args: [{ level: 'error', description: 'taken', details: 'cam' }] });
    await client.settled();
    expect(streams[0]?.publishing).toBeUndefined();
    expect(client.commands.some((message) => statusCode(message) === 'NetStream.Publish.Start')).toBe(false);
  });

  test('is refused when nobody listens, and when the name is not a string', async ({ scope }) => {
    const { client } = await connected(scope, () => {});
    const id = await client.createStream();
    client.tell(id, 'publish', 'cam');
    client.tell(id, 'publish', 7);
    client.tell(id, 'publish');
    await client.settled();
    expect(client.commands.filter((message) => statusCode(message) === 'NetStream.Publish.BadName')).toHaveLength(3);
  });

  test.for([
    { end: 'closeStream', events: ['unpublish'] },
    { end: 'publish(false)', events: ['unpublish'] },
    { end: 'FCUnpublish', events: ['unpublish'] },
    { end: 'deleteStream', events: ['unpublish', 'stream 1 closed'] },
    { end: 'a second publish', events: ['unpublish', 'publish other live'] },
    { end: 'a play', events: ['unpublish', 'play other -2 -1 true'] },
    { end: 'the end of the connection', events: ['unpublish', 'stream 1 closed', 'closed client'] },
  ])('ends once by $end', async ({ end, events: expected }, { scope }) => {
    const { client, streams, events } = await published(scope);
    endBy(end, client);
    const last = expected.at(-1);
    await events.find(`${last}`, (event) => event === last);
    if (end !== 'the end of the connection') {
      if (end !== 'deleteStream') client.tell(1, 'closeStream');
      client.tell(0, 'FCUnpublish', 'dummy');
      await client.settled();
    }
    const restarted = last?.startsWith('publish') ? ['unpublish'] : last?.startsWith('play') ? ['stop'] : [];
    expect(events.all).toEqual(['publish dummy live', ...expected, ...restarted]);
    expect(streams[0]?.publishing).toBeUndefined();
  });

  test('can come again on the same stream after closeStream', async ({ scope }) => {
    const { client, events } = await published(scope);
    client.tell(1, 'closeStream');
    client.tell(1, 'publish', 'again', 'record');
    client.send({ type: 'audio', streamId: 1, timestamp: 5, payload: SPEEX }, 6);
    await client.settled();
    expect(events.all).toEqual(['publish dummy live', 'unpublish', 'publish again record', 'audio 5 b2369d1b']);
  });

  test('on a stream that was deleted and created again reaches the new one alone', async ({ scope }) => {
    const { client, streams, events } = await published(scope);
    const say = (timestamp: number) => client.send({ type: 'audio', streamId: 1, timestamp, payload: SPEEX }, 6);
    say(5);
    client.tell(0, 'deleteStream', 1);
    say(10);
    await client.createStream();
    client.tell(1, 'publish', 'again', 'live');
    say(15);
    await client.settled();
    expect(events.all).toEqual([
      ...['publish dummy live', 'audio 5 b2369d1b', 'unpublish', 'stream 1 closed'],
      ...['publish again live', 'audio 15 b2369d1b'],
    ]);
    expect(streams.map(({ publishing }) => publishing)).toEqual([undefined, 'again']);
  });

  test('accepted too late, after the stream was closed, does nothing', async ({ scope }) => {
    const accepts: (() => void)[] = [];
    const { client, streams } = await connected(scope, (stream) => {
      stream.on('publish', (request) => accepts.push(request.accept));
    });
    const id = await client.createStream();
    client.tell(id, 'publish', 'a');
    client.tell(id, 'publish', 'b');
    await client.settled();
    accepts[0]?.();
    expect(streams[0]?.publishing).toBeUndefined();
    accepts[1]?.();
    expect(streams[0]?.publishing).toBe('b');
    await client.status('NetStream.Publish.Start');
    expect(client.commands.filter((message) => statusCode(message) !== undefined)).toHaveLength(1);
  });
});

describe('play', () => {
  test('is confirmed by StreamBegin and a status on the stream', async ({ scope }) => {
    const { client, sessions, events, streams } = await connected(scope);
    const id = await client.createStream();
    client.tell(id, 'play', 'dummy', -1, 10, false);
    const status = await client.status('NetStream.Play.Start');
    expect(client.received.all.at(-2)).toMatchObject({ event: 'streamBegin', eventStreamId: id });
    expect(status).toMatchObject({
      streamId: id,
      args: [{ level: 'status', details: 'dummy', clientid: sessions[0]?.id, description: 'Started playing dummy.' }],
    });
    expect(events.all).toEqual(['play dummy -1 10 false']);
    expect(streams[0]).toMatchObject({ playing: 'dummy', publishing: undefined });
  });

  test('takes audio, video, data and statuses to the client', async ({ scope }) => {
    const { client, stream } = await playing(scope);
    stream.status({ level: 'status', code: 'NetStream.Play.Reset' });
    stream.sendData('|RtmpSampleAccess', true, true);
    expect(stream.sendAudio(0xfffffffa, SPEEX)).toBe(true);
    expect(stream.sendAudio(14, SPEEX)).toBe(true);
    expect(stream.sendVideo(15, counting(10_000))).toBe(true);
    stream.sendData('onMetaData', { width: 2 });
    await client.settled();
    const sent = client.received.all
      .filter((message) => 'streamId' in message && message.streamId === 1)
      .map(({ chunkStreamId: _, ...message }) => message);
    expect(sent.slice(1, 6)).toEqual([
      { ...command('onStatus', 0, [{ level: 'status', code: 'NetStream.Play.Reset' }]), streamId: 1 },
      { type: 'data', encoding: 0, streamId: 1, timestamp: 0, name: '|RtmpSampleAccess', values: [true, true] },
      { type: 'audio', streamId: 1, timestamp: 0xfffffffa, payload: SPEEX },
      { type: 'audio', streamId: 1, timestamp: 14, payload: SPEEX },
      { type: 'video', streamId: 1, timestamp: 15, payload: counting(10_000) },
    ]);
    const data = await client.received.find(
      'data',
      (message) => message.type === 'data' && message.name === 'onMetaData',
    );
    expect(data).toMatchObject({ timestamp: 15, values: [{ width: 2 }] });
  });

  test('is nothing before it is accepted: media is dropped', async ({ scope }) => {
    const { client, streams } = await connected(scope, () => {});
    await client.createStream();
    expect(streams[0]?.sendAudio(0, SPEEX)).toBe(false);
  });

  test('stops and starts sending by pause, receiveAudio and receiveVideo', async ({ scope }) => {
    const { client, stream, events, sessions } = await playing(scope);
    const sends = async () => {
      await client.settled();
      return [stream.sendAudio(0, SPEEX), stream.sendVideo(0, SPEEX)];
    };
    client.tell(1, 'receiveAudio', false);
    expect(await sends()).toEqual([false, true]);
    client.tell(1, 'receiveVideo', false);
    expect(await sends()).toEqual([false, false]);
    client.tell(1, 'receiveAudio', true);
    client.tell(1, 'receiveVideo', true);
    expect(await sends()).toEqual([true, true]);
    client.tell(1, 'pause', true, 1500);
    expect(await sends()).toEqual([false, false]);
    client.tell(1, 'pauseRaw', false, 1500);
    expect(await sends()).toEqual([true, true]);
    expect(events.all.slice(1)).toEqual([
      'receiveAudio false',
      'receiveVideo false',
      'receiveAudio true',
      'receiveVideo true',
      'pause true 1500',
      'pause false 1500',
    ]);
    await client.status('NetStream.Pause.Notify');
    await client.status('NetStream.Unpause.Notify');
    expect(sessions[0]?.counters).toMatchObject({ audioDropped: 0, videoDropped: 0 });
  });

  test('cannot seek unless the program can', async ({ scope }) => {
    const { client, stream } = await playing(scope);
    client.tell(1, 'seek', 5000);
    await client.status('NetStream.Seek.Failed');
    const positions: number[] = [];
    stream.on('seek', (position) => positions.push(position));
    client.tell(1, 'seek', 7000);
    await client.settled();
    expect(positions).toEqual([7000]);
  });

  test('can be stopped by the server, which says StreamEOF and Play.Stop', async ({ scope }) => {
    const { client, stream, events } = await playing(scope);
    stream.stopPlay({ reason: 'bye' });
    stream.stopPlay();
    const status = await client.status('NetStream.Play.Stop');
    expect(status).toMatchObject({ streamId: 1, args: [{ details: 'dummy', reason: 'bye' }] });
    expect(client.received.all.at(-2)).toMatchObject({ event: 'streamEof', eventStreamId: 1 });
    expect(events.all.slice(1)).toEqual(['stop']);
    expect(stream.sendAudio(0, SPEEX)).toBe(false);
  });

  test.for([
    { end: 'closeStream', events: ['stop'] },
    { end: 'play(false)', events: ['stop'] },
    { end: 'deleteStream', events: ['stop', 'stream 1 closed'] },
    { end: 'a second play', events: ['stop', 'play other -2 -1 true'] },
    { end: 'a publish', events: ['stop', 'publish other live'] },
    { end: 'the end of the connection', events: ['stop', 'stream 1 closed', 'closed client'] },
  ])('ends once by $end', async ({ end, events: expected }, { scope }) => {
    const { client, events } = await playing(scope);
    endBy(end, client);
    const last = expected.at(-1);
    await events.find(`${last}`, (event) => event === last);
    expect(events.all.slice(1)).toEqual(expected);
  });

  test('is refused when nobody listens, and when the name is not a string', async ({ scope }) => {
    const { client } = await connected(scope, () => {});
    const id = await client.createStream();
    client.tell(id, 'play', 'cam');
    await client.status('NetStream.Play.StreamNotFound');
    client.tell(id, 'play', null);
    await client.status('NetStream.Play.Failed');
  });
});

test('a closed stream says and sends nothing more', async ({ scope }) => {
  const { client, stream } = await playing(scope);
  client.tell(0, 'deleteStream', 1);
  await client.settled();
  const before = client.received.all.length;
  expect(stream.sendAudio(0, SPEEX)).toBe(false);
  stream.sendData('x');
  stream.status({ code: 'x' });
  stream.stopPlay();
  await client.settled();
  expect(client.received.all).toHaveLength(before + 1);
});

test('both directions at once, on a stream each, as a phone has them', async ({ scope }) => {
  const { client, streams, events } = await connected(scope);
  await client.createStream();
  await client.createStream();
  client.tell(1, 'publish', 'dummy', 'live');
  client.tell(2, 'play', 'dummy', 'live');
  await client.status('NetStream.Play.Start');
  streams[0]?.on('audio', ({ timestamp, payload }) => streams[1]?.sendAudio(timestamp, payload));
  for (let frame = 0; frame < 50; frame += 1) {
    client.send({ type: 'audio', streamId: 1, timestamp: frame * 20, payload: counting(frame) }, 6);
  }
  await client.settled();
  const echo = client.received.all.filter((message) => message.type === 'audio');
  expect(echo.map(({ streamId, timestamp }) => [streamId, timestamp])).toEqual(
    Array.from({ length: 50 }, (_, frame) => [2, frame * 20]),
  );
  echo.forEach(({ payload }, frame) => {
    expect(payload).toEqual(counting(frame));
  });
  expect(events.all.slice(0, 2)).toEqual(['publish dummy live', 'play dummy -2 -1 true']);
});

type TestScope = Parameters<typeof serve>[0];

interface Connected extends Served {
  readonly client: TestClient;
}

/** @param onStream instead of accepting everything */
async function connected(scope: TestScope, onStream?: (stream: RtmpStream) => void): Promise<Connected> {
  const served = await serve(scope, {}, onStream);
  const client = await TestClient.connect(scope, served.port);
  served.events.all.length = 0;
  return { ...served, client };
}

async function published(scope: TestScope): Promise<Connected> {
  const setup = await connected(scope);
  await setup.client.createStream();
  setup.client.tell(1, 'publish', 'dummy', 'live');
  await setup.client.status('NetStream.Publish.Start');
  return setup;
}

async function playing(scope: TestScope): Promise<Connected & { stream: RtmpStream }> {
  const setup = await connected(scope);
  await setup.client.createStream();
  setup.client.tell(1, 'play', 'dummy');
  await setup.client.status('NetStream.Play.Start');
  const [stream] = setup.streams;
  if (stream === undefined) throw new Error('no stream');
  return { ...setup, stream };
}

function endBy(end: string, client: TestClient): void {
  switch (end) {
    case 'closeStream':
      client.tell(1, 'closeStream');
      break;
    case 'publish(false)':
      client.tell(1, 'publish', false);
      break;
    case 'play(false)':
      client.tell(1, 'play', false);
      break;
    case 'FCUnpublish':
      client.tell(0, 'FCUnpublish', 'dummy');
      break;
    case 'deleteStream':
      client.tell(0, 'deleteStream', 1);
      break;
    case 'a second publish':
    case 'a publish':
      client.tell(1, 'publish', 'other');
      break;
    case 'a second play':
    case 'a play':
      client.tell(1, 'play', 'other');
      break;
    default:
      client.socket.end();
  }
}
