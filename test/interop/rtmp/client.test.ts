import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RtmpClient, type RtmpClientStream } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { startNginxRtmp } from '../../support/nginx.js';
import { PeerProcess, runProgram } from '../../support/process.js';
import { type Scope, test } from '../../support/scope.js';
import { flvTags, relaying, type Tag, temporaryDirectory } from '../../unit/rtmp/relay.js';

const QUIET = ['-nostdin', '-v', 'error'];
const TONE = (rate: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rate}:duration=2`, '-ac', '1'];
const FILM = [
  ...['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=15:duration=2', '-f', 'lavfi', '-i', 'sine=duration=2'],
  ...['-c:v', 'libx264', '-g', '15', '-c:a', 'aac'],
];

const MEDIA = [
  { name: 'Speex', make: [...TONE(16_000), '-c:a', 'libspeex'] },
  { name: 'Nellymoser', make: [...TONE(16_000), '-c:a', 'nellymoser'] },
  { name: 'A-law', make: [...TONE(8_000), '-c:a', 'pcm_alaw'] },
  { name: 'mu-law', make: [...TONE(8_000), '-c:a', 'pcm_mulaw'] },
  { name: 'AAC', make: [...TONE(44_100), '-c:a', 'aac'] },
  { name: 'H.264 with AAC', make: FILM },
];

describe.each(MEDIA)('$name', ({ make }) => {
  test('of our client goes through nginx and comes back byte for byte', async ({ scope }) => {
    const port = await startNginxRtmp(scope);
    const player = await stream(scope, port);
    const played = record(player);
    await player.play('cam');
    const publisher = await stream(scope, port);
    await publisher.publish('cam');
    const sent = media(await makeFlv(scope, make));
    for (const [index, { type, timestamp, hex }] of sent.entries()) {
      // nginx keeps few messages for a player.
      if (index > 30) await played.find('what was sent', () => played.all.length > index - 30);
      const payload = Buffer.from(hex, 'hex');
      expect(type === 'audio' ? publisher.sendAudio(timestamp, payload) : publisher.sendVideo(timestamp, payload)).toBe(
        true,
      );
    }
    const last = sent.at(-1)?.hex;
    await played.find('the last message', ({ hex }) => hex === last);
    expect(frames(played.all)).toEqual(frames(sent));
    expect(headers(played.all)).toEqual(headers(sent));
    publisher.stop();
  });

  test('that FFmpeg publishes to nginx, our client plays byte for byte', async ({ scope }) => {
    const port = await startNginxRtmp(scope);
    const player = await stream(scope, port);
    const played = record(player);
    await player.play('cam');
    const file = await makeFlv(scope, make);
    const url = `rtmp://127.0.0.1:${port}/live/cam`;
    await runProgram('ffmpeg', [...QUIET, '-re', '-i', file, '-c', 'copy', '-f', 'flv', url]);
    const sent = media(file);
    const last = sent.filter(({ type }) => type === 'audio').at(-1)?.hex;
    await played.find('the last message', ({ hex }) => hex === last);
    for (const kind of ['audio', 'video'] as const) {
      const only = (tags: readonly Tag[]) => frames(tags.filter(({ type }) => type === kind));
      expect(only(played.all)).toEqual(only(sent));
    }
  });
});

test('GStreamer publishes to our server and plays from it, byte for byte', async ({ scope }) => {
  const { port, events, audio, streams } = await relaying(scope);
  const folder = temporaryDirectory(scope);
  const [sent, dumped] = [join(folder, 'sent.flv'), join(folder, 'dumped.flv')];
  const url = `rtmp://127.0.0.1:${port}/live/cam`;
  const player = await PeerProcess.start(scope, 'gst-launch-1.0', [
    ...['-q', 'rtmp2src', `location=${url}`, '!', 'filesink', `location=${dumped}`],
  ]);
  await expect.poll(() => streams.some(({ playing }) => playing !== undefined), { timeout: 10_000 }).toBe(true);
  await runProgram('gst-launch-1.0', [
    ...['-q', 'audiotestsrc', 'num-buffers=100', 'samplesperbuffer=160', 'is-live=true'],
    ...[
      '!',
      'audio/x-raw,rate=8000,channels=1',
      '!',
      'alawenc',
      '!',
      'flvmux',
      'streamable=true',
      '!',
      'tee',
      'name=t',
    ],
    ...['t.', '!', 'queue', '!', 'filesink', `location=${sent}`],
    ...['t.', '!', 'queue', '!', 'rtmp2sink', `location=${url}`],
  ]);
  await events.find('the end of publishing', (event) => event === 'unpublish');
  await player.end();
  const expected = media(sent).map(({ hex }) => hex);
  expect(expected.length).toBeGreaterThanOrEqual(100);
  expect(audio.map(({ hex }) => hex)).toEqual(expected);
  // GStreamer's source leaves what it has not read when the stream ends, which is right behind the last message.
  const read = media(dumped).map(({ hex }) => hex);
  expect(read.length).toBeGreaterThanOrEqual(expected.length - 2);
  expect(read).toEqual(expected.slice(0, read.length));
});

async function stream(scope: Scope, port: number): Promise<RtmpClientStream> {
  const connection = await RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`);
  scope.defer(() => connection.close());
  return await connection.createStream();
}

function record(player: RtmpClientStream): EventLog<Tag> {
  const played = new EventLog<Tag>('played');
  for (const type of ['audio', 'video'] as const) {
    player.on(type, ({ timestamp, payload }) =>
      played.push({ type, timestamp, hex: Buffer.from(payload).toString('hex') }),
    );
  }
  return played;
}

/** @returns the file's path */
async function makeFlv(scope: Scope, make: readonly string[]): Promise<string> {
  const file = join(temporaryDirectory(scope), 'made.flv');
  await runProgram('ffmpeg', [...QUIET, ...make, '-f', 'flv', file]);
  return file;
}

function media(file: string): Tag[] {
  return flvTags(readFileSync(file)).filter(({ type }) => type !== 'data');
}

/** AAC's and AVC's configuration, which nginx sends again to whoever joins. */
function isHeader({ type, hex }: Tag): boolean {
  return type === 'audio' ? hex.startsWith('af00') : hex.startsWith('1700');
}

function frames(tags: readonly Tag[]): string[] {
  return tags.filter((tag) => !isHeader(tag)).map(({ hex }) => hex);
}

function headers(tags: readonly Tag[]): string[] {
  return [...new Set(tags.filter(isHeader).map(({ hex }) => hex))];
}
