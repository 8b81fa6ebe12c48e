import { RtmpClient, type RtmpClientStream, type RtmpConnection } from 'rtmp-server-ts';
import { expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from './fake-clock.js';
import { relaying } from './relay.js';

const day = 24 * 60 * 60 * 1_000;

test('timestamps pass 0xFFFFFF and 2^32 through client and server, in messages of one chunk and of many', async ({
  scope,
}) => {
  const { port } = await relaying(scope);
  const { stream } = await open(scope, port, 'publish');
  const player = await open(scope, port, 'play');
  const heard = new EventLog<string>('player');
  player.stream.on('audio', ({ timestamp, payload }) => heard.push(`audio ${timestamp} ${payload.length}`));
  player.stream.on('video', ({ timestamp, payload }) => heard.push(`video ${timestamp} ${payload.length}`));
  const timestamps = [0xffffeb, 0xfffffe, 0xffffff, 0x1000000, 0x1000014, 0xfffffff0, 0xffffffff, 0, 20, 0x1000000];
  const sent: string[] = [];
  for (const timestamp of timestamps) {
    for (const length of [1, 100, 4_096, 10_000]) {
      const payload = new Uint8Array(length).fill(0x27);
      expect([stream.sendAudio(timestamp, payload), stream.sendVideo(timestamp, payload)]).toEqual([true, true]);
      sent.push(`audio ${timestamp} ${length}`, `video ${timestamp} ${length}`);
    }
    await heard.find(`all of ${timestamp}`, () => heard.all.length === sent.length);
  }
  expect(heard.all).toEqual(sent);
});

test('a session of 24 hours: pings answered, media in time, acknowledgements, nothing that grows', async ({
  scope,
}) => {
  const clock = new FakeClock();
  const { port, sessions } = await relaying(scope, { clock });
  const publisher = await open(scope, port, 'publish', clock);
  const player = await open(scope, port, 'play', clock);
  let heard = { timestamp: -1, count: 0 };
  player.stream.on('video', ({ timestamp }) => {
    heard = { timestamp, count: heard.count + 1 };
  });
  const payload = new Uint8Array(10_000).fill(0x27);
  const round = async (elapsed: number) => {
    clock.advance(30_000);
    expect(publisher.stream.sendVideo(elapsed, payload)).toBe(true);
    // Each answer comes behind what the other side had to say before: the media, the pings, and the answers to them.
    for (const { connection } of [publisher, player, publisher, player]) await connection.call('getStreamLength', 'x');
  };
  await round(30_000);
  const timers = clock.timers;
  for (let elapsed = 60_000; elapsed <= day; elapsed += 30_000) await round(elapsed);

  expect(heard).toEqual({ timestamp: day, count: day / 30_000 });
  expect(clock.timers).toBe(timers);
  expect(sessions.map(({ counters }) => [counters.videoDropped, counters.messagesIgnored])).toEqual([
    [0, 0],
    [0, 0],
  ]);
  // A ping each time and its answer, the calls, the media, and an acknowledgement for each 2,500,000 bytes.
  const [published, played] = sessions.map(({ counters }) => counters);
  const acknowledgements = Math.floor((published?.bytesIn ?? 0) / 2_500_000);
  expect(acknowledgements).toBeGreaterThan(10);
  expect(played?.messagesIn).toBeGreaterThanOrEqual(3 * (day / 30_000) + acknowledgements);
  expect(publisher.connection.counters.messagesIn).toBeGreaterThanOrEqual(3 * (day / 30_000) + acknowledgements);
  expect(played?.roundTripTime).toBe(0);
});

interface Opened {
  readonly connection: RtmpConnection;
  readonly stream: RtmpClientStream;
}

async function open(scope: Scope, port: number, what: 'publish' | 'play', clock?: FakeClock): Promise<Opened> {
  const connection = await RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`, clock && { clock });
  scope.defer(() => connection.close());
  const stream = await connection.createStream();
  await stream[what]('cam');
  return { connection, stream };
}
