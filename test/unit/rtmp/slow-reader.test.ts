import type { RtmpLimits, RtmpStream } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { test } from '../../support/scope.js';
import { counting, repeat } from '../../wire/rtmp/bytes.js';
import { TestClient } from './client.js';
import { FakeClock } from './fake-clock.js';
import { type Served, serve } from './serve.js';

const FRAME = counting(80);

describe('a player that answers pings', () => {
  test('is asked by a ping every 500 ms of media, one at a time', async ({ scope }) => {
    const { client, clock, stream } = await player(scope);
    send(clock, stream, 10);
    expect(await pings(client)).toHaveLength(1);
    send(clock, stream, 20);
    expect(await pings(client)).toHaveLength(1);
    answer(client, 0);
    await client.settled();
    send(clock, stream, 1);
    expect(await pings(client)).toHaveLength(2);
    answer(client, 0);
    await client.settled();
    send(clock, stream, 24);
    expect(await pings(client)).toHaveLength(2);
    send(clock, stream, 1);
    expect(await pings(client)).toHaveLength(3);
  });

  test('gets no media while a ping is unanswered for more than 500 ms, and all of it after the answer', async ({
    scope,
  }) => {
    const { client, clock, stream, sessions } = await player(scope);
    await answered(client, clock, stream);
    clock.advance(500);
    expect(send(clock, stream, 26)).toBe(26);
    expect(send(clock, stream, 100)).toBe(0);
    expect(sessions[0]?.counters).toMatchObject({ audioDropped: 100, videoDropped: 0 });
    expect(stream.sendVideo(0, FRAME)).toBe(false);
    expect(sessions[0]?.counters.videoDropped).toBe(1);

    answer(client, 0);
    await client.settled();
    expect(send(clock, stream, 1)).toBe(1);
    expect(sessions[0]?.counters).toMatchObject({ audioDropped: 100, roundTripTime: 26 * 20 + 2_000 });
  });

  test('gets every command while media is dropped', async ({ scope }) => {
    const { client, clock, stream, sessions } = await player(scope);
    await answered(client, clock, stream);
    clock.advance(500);
    send(clock, stream, 30);
    expect(stream.sendAudio(0, FRAME)).toBe(false);
    sessions[0]?.push('callState', 'HANGUP');
    stream.sendData('onCuePoint', 1);
    await client.command('callState', ({ name }) => name === 'callState');
    await client.message('data');
  });

  test('that stops reading a real socket gets nothing old when it reads again', async ({ scope }) => {
    const { client, stream, sessions } = await player(scope, 'real');
    const dropped: number[] = [];
    const timer = setInterval(() => {
      const now = Math.floor(performance.now());
      if (!stream.sendAudio(now, FRAME)) dropped.push(now);
    }, 5);
    scope.defer(() => clearInterval(timer));
    client.received.follow((message) => {
      if (message.type === 'userControl' && message.event === 'pingRequest') answer(client, message.pingTimestamp);
    });
    await client.message('audio');
    await expect.poll(() => sessions[0]?.counters.roundTripTime).toBeGreaterThanOrEqual(0);
    expect(dropped).toEqual([]);

    client.socket.pause();
    const paused = performance.now();
    await expect.poll(() => dropped.length, { timeout: 10_000 }).toBeGreaterThan(100);
    // 500 ms to the next ping and 500 ms for its answer, on a machine that may be busy; its buffers would hold minutes.
    expect((dropped[0] ?? 0) - paused).toBeLessThan(3_000);
    client.socket.resume();
    const resumed = Math.floor(performance.now());
    await client.received.find('fresh audio', (message) => message.type === 'audio' && message.timestamp >= resumed);
    const stale = client.received.all.filter(
      (message) => message.type === 'audio' && message.timestamp > (dropped[0] ?? 0) && message.timestamp < resumed,
    );
    expect(stale).toEqual([]);
  });
});

describe('a player that never answers pings', () => {
  test('is not cut off for it', async ({ scope }) => {
    const { clock, stream, sessions } = await player(scope);
    expect(send(clock, stream, 1_000)).toBe(1_000);
    expect(sessions[0]?.counters.audioDropped).toBe(0);
  });

  test('and reads nothing costs a bounded number of bytes', async ({ scope }) => {
    const { client, stream, sessions } = await player(scope, new FakeClock(), {
      pendingMediaBytes: 100_000,
      pendingBytes: 1e9,
    });
    client.socket.pause();
    const block = repeat(7, 65_536);
    const sent = await sendUntilDropped(() => stream.sendVideo(0, block));
    const { bytesOut, videoDropped } = sessions[0]?.counters ?? { bytesOut: 0, videoDropped: 0 };
    expect(videoDropped).toBe(1);
    for (let index = 0; index < 100; index += 1) expect(stream.sendVideo(0, block)).toBe(false);
    expect(sessions[0]?.counters).toMatchObject({ bytesOut, videoDropped: 101 });
    client.socket.resume();
    await expect.poll(() => client.received.all.filter(({ type }) => type === 'video').length).toBe(sent);
    expect(stream.sendVideo(0, block)).toBe(true);
  });

  test('is closed when commands pile up', async ({ scope }) => {
    const { server, client, sessions } = await player(scope, new FakeClock(), { pendingBytes: 300_000 });
    client.socket.pause();
    const [session] = sessions;
    let bytesOut = -1;
    await sendUntilDropped(() => {
      const grown = session !== undefined && session.counters.bytesOut > bytesOut;
      bytesOut = session?.counters.bytesOut ?? 0;
      session?.push('log', 'x'.repeat(60_000));
      return grown;
    });
    client.socket.resume();
    await client.closed();
    await expect.poll(() => server.counters['session.pending-bytes']).toBe(1);
  });

  test('gets no message that would go beyond what may wait', async ({ scope }) => {
    const { stream } = await player(scope, new FakeClock(), { pendingBytes: 50_000 });
    expect(stream.sendVideo(0, repeat(0, 60_000))).toBe(false);
    expect(stream.sendVideo(0, repeat(0, 40_000))).toBe(true);
  });
});

describe('a silent client', () => {
  test('is pinged after 30 s and stays as long as it answers', async ({ scope }) => {
    const { client, clock } = await connected(scope);
    for (let round = 1; round <= 5; round += 1) {
      clock.advance(30_000);
      expect(await pings(client, round)).toHaveLength(round);
      answer(client, 0);
      await expect.poll(() => clock.timers).toBe(1);
      await client.settled();
    }
  });

  test('is closed when it does not answer in another 30 s', async ({ scope }) => {
    const { server, client, clock } = await connected(scope);
    clock.advance(59_999);
    expect(server.counters['session.ping-timeout']).toBe(0);
    await pings(client, 1);
    clock.advance(1);
    await client.status('NetConnection.Connect.Closed');
    await client.closed();
    await expect.poll(() => server.counters['session.ping-timeout']).toBe(1);
  });

  test('that sends but never answered a ping stays', async ({ scope }) => {
    const { server, client, clock } = await connected(scope);
    for (let round = 0; round < 10; round += 1) {
      clock.advance(20_000);
      await client.settled();
    }
    expect(server.sessions.size).toBe(1);
  });

  test('that sends but stopped answering pings is closed', async ({ scope }) => {
    const { server, client, clock } = await connected(scope);
    clock.advance(30_000);
    await pings(client, 1);
    answer(client, 0);
    await client.settled();
    clock.advance(30_000);
    await pings(client, 2);
    for (let round = 0; round < 3 && server.sessions.size > 0; round += 1) {
      clock.advance(10_000);
      if (round < 2) await client.settled();
    }
    await client.closed();
    await expect.poll(() => server.counters['session.ping-timeout']).toBe(1);
  });

  test('gets no pings as long as it sends', async ({ scope }) => {
    const { client, clock } = await connected(scope);
    for (let round = 0; round < 10; round += 1) {
      clock.advance(29_000);
      await client.settled();
    }
    expect(client.received.all.some(({ type }) => type === 'userControl')).toBe(false);
  });
});

type TestScope = Parameters<typeof serve>[0];

async function connected(scope: TestScope, clock = new FakeClock(), limits: Partial<RtmpLimits> = {}) {
  const served = await serve(scope, { clock, limits });
  const client = await TestClient.connect(scope, served.port);
  return { ...served, client, clock };
}

async function player(
  scope: TestScope,
  clock: FakeClock | 'real' = new FakeClock(),
  limits: Partial<RtmpLimits> = {},
): Promise<Served & { client: TestClient; clock: FakeClock; stream: RtmpStream }> {
  const served = await serve(scope, clock === 'real' ? { limits } : { clock, limits });
  const client = await TestClient.connect(scope, served.port);
  await client.createStream();
  client.tell(1, 'play', 'dummy');
  await client.status('NetStream.Play.Start');
  const [stream] = served.streams;
  if (stream === undefined) throw new Error('no stream');
  return { ...served, client, clock: clock === 'real' ? new FakeClock() : clock, stream };
}

/** One frame and 20 ms, so many times. @returns how many were sent */
function send(clock: FakeClock, stream: RtmpStream, count: number): number {
  let sent = 0;
  for (let index = 0; index < count; index += 1) {
    if (stream.sendAudio(clock.now(), FRAME)) sent += 1;
    clock.advance(20);
  }
  return sent;
}

/** After this the client counts as one that answers pings, and none is outstanding. */
async function answered(client: TestClient, clock: FakeClock, stream: RtmpStream): Promise<void> {
  send(clock, stream, 1);
  await pings(client, 1);
  answer(client, 0);
  await client.settled();
}

async function pings(client: TestClient, atLeast = 0): Promise<unknown[]> {
  const all = () =>
    client.received.all.filter((message) => message.type === 'userControl' && message.event === 'pingRequest');
  if (atLeast === 0) await client.settled();
  else await expect.poll(() => all().length).toBeGreaterThanOrEqual(atLeast);
  return all();
}

function answer(client: TestClient, pingTimestamp: number): void {
  client.send({ type: 'userControl', event: 'pingResponse', pingTimestamp }, 2);
}

/** Gives the socket time between two messages, so that the system's buffers fill. @returns how many were sent */
async function sendUntilDropped(sendOne: () => boolean): Promise<number> {
  for (let sent = 0; sent < 2_000; sent += 1) {
    if (!sendOne()) return sent;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('2000 messages were sent to a client that does not read');
}
