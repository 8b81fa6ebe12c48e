import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlvAudioTag, type RtmpStream } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { PeerProcess, runProgram } from '../../support/process.js';
import { type Scope, test } from '../../support/scope.js';
import { serve } from './serve.js';

const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=16000:duration=1'];
const SPEEX = ['-ac', '1', '-c:a', 'libspeex'];
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=10:duration=1'];
const FLASH_VIDEO = ['-c:v', 'flv', '-b:v', '1M'];

describe('FFmpeg', () => {
  test('publishes Speex: every message of its FLV output arrives, in order and byte for byte', async ({ scope }) => {
    const file = join(temporaryDirectory(scope), 'speex.flv');
    await runProgram('ffmpeg', ['-v', 'error', ...TONE, ...SPEEX, '-f', 'flv', file]);
    const expected = flvAudio(readFileSync(file));
    expect(expected.length).toBeGreaterThan(40);

    const relay = await relaying(scope);
    await runProgram('ffmpeg', [
      '-v',
      'error',
      '-i',
      file,
      '-c',
      'copy',
      '-f',
      'flv',
      `rtmp://127.0.0.1:${relay.port}/live/cam`,
    ]);
    await relay.events.find('the end of publishing', (event) => event === 'closed client');
    expect(relay.audio).toEqual(expected);
    expect(parseFlvAudioTag(Buffer.from(expected[0]?.hex ?? '', 'hex'))).toMatchObject({ codec: 'speex', channels: 1 });
    expect(relay.events.all.filter((event) => !event.startsWith('audio'))).toEqual([
      'connect live',
      'publish cam live',
      expect.stringMatching(/^data 0 @setDataFrame \["onMetaData"/),
      'unpublish',
      'stream 1 closed',
      'closed client',
    ]);
  });

  test('publishes and plays at once, video too, over chunks of other sizes', async ({ scope }) => {
    const relay = await relaying(scope);
    const url = `rtmp://127.0.0.1:${relay.port}/live/cam`;
    const played = join(temporaryDirectory(scope), 'played.flv');
    const player = await PeerProcess.start(scope, 'ffmpeg', [
      '-v',
      'error',
      '-i',
      url,
      '-c',
      'copy',
      '-f',
      'flv',
      played,
    ]);
    await relay.events.find('play', (event) => event.startsWith('play'));
    await runProgram('ffmpeg', [
      '-v',
      'error',
      '-re',
      ...PICTURES,
      ...TONE,
      ...FLASH_VIDEO,
      ...SPEEX,
      '-f',
      'flv',
      url,
    ]);
    expect(await player.end()).toMatchObject({ code: 0 });
    expect(flvAudio(readFileSync(played)).map(({ hex }) => hex)).toEqual(relay.audio.map(({ hex }) => hex));
    const info = await runProgram('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name',
      '-of',
      'csv=p=0',
      played,
    ]);
    expect(String(info).trim().split('\n').sort()).toEqual(['flv1', 'speex']);
  });
});

test('rtmpdump, with the digest handshake and without, plays what is published', async ({ scope }) => {
  const relay = await relaying(scope);
  const url = `rtmp://127.0.0.1:${relay.port}/live/cam`;
  const directory = temporaryDirectory(scope);
  // SWF verification makes librtmp take the digest handshake.
  const verified = ['--verbose', '--swfhash', '00'.repeat(32), '--swfsize', '1000'];
  const files = [[], verified].map((extra, index) => ({ extra, file: join(directory, `${index}.flv`) }));
  const dumps: PeerProcess[] = [];
  for (const { extra, file } of files) {
    dumps.push(await PeerProcess.start(scope, 'rtmpdump', ['--live', '-r', url, '-o', file, ...extra]));
  }
  await expect
    .poll(() => relay.events.all.filter((event) => event.startsWith('play')).length, { timeout: 10_000 })
    .toBe(2);
  await runProgram('ffmpeg', ['-v', 'error', '-re', ...TONE, ...SPEEX, '-f', 'flv', url]);
  for (const dump of dumps) await dump.end();
  const verdict = 'DEBUG: HandShake: Genuine Adobe Flash Media Server';
  expect(dumps.map(({ stderr }) => stderr.all.some((line) => line.includes(verdict)))).toEqual([false, true]);
  for (const { file } of files)
    expect(flvAudio(readFileSync(file)).map(({ hex }) => hex)).toEqual(relay.audio.map(({ hex }) => hex));
});

test('librtmp as a phone: calls, pushes, and its own frames come back', async ({ scope }) => {
  const { server, port, sessions, streams } = await serve(scope);
  server.on('connection', (session) => {
    session.on('call', (call) => {
      if (call.name === 'register') call.result({ level: 'status', uri: 'sip:1@localhost' });
      else if (call.name === 'dial') session.status({ level: 'status', code: 'Sono.Call.Status', status_code: 4 });
      else call.error({ level: 'error', code: 'Sono.Call.Failed' });
    });
    session.on('stream', (stream) => {
      stream.on('audio', ({ timestamp, payload }) => {
        for (const other of streams) other.sendAudio(timestamp, payload);
      });
    });
  });
  const phone = await LibrtmpPhone.connect(scope, `rtmp://127.0.0.1:${port}/sip`, { connectArguments: ['a', 'b'] });
  expect(await phone.register()).toBe('sip:1@localhost');
  expect(await phone.request('nonsense')).toEqual({
    name: '_error',
    info: { level: 'error', code: 'Sono.Call.Failed' },
  });
  phone.dial('sip:echo@localhost');
  await phone.waitStatus(4);
  await phone.waitStreams();
  const frames = Array.from({ length: 100 }, (_, index) =>
    Uint8Array.from({ length: 71 }, (__, byte) => (byte === 0 ? 0xb2 : index + byte)),
  );
  // Over the edge of the extended timestamp.
  const timestamp = 0xffffff - 1_000;
  await phone.send(frames, { ms: 5, timestamp });
  const audio = await phone.waitAudio(100);
  expect(audio.map(({ hex }) => hex)).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')));
  expect(audio.map((message) => message.timestamp)).toEqual(frames.map((_, index) => timestamp + 5 * index));
  expect(sessions[0]?.counters).toMatchObject({ audioDropped: 0 });
  phone.disconnect();
  await expect.poll(() => server.sessions.size).toBe(0);
});

interface Frame {
  timestamp: number;
  hex: string;
}

/** A server that sends what one client publishes to all that play, and keeps the audio. */
async function relaying(scope: Scope) {
  const served = await serve(scope);
  const audio: Frame[] = [];
  served.server.on('connection', (session) => {
    session.on('stream', (stream) => {
      const players = (): RtmpStream[] => served.streams.filter(({ playing }) => playing !== undefined);
      stream.on('audio', ({ timestamp, payload }) => {
        audio.push({ timestamp, hex: Buffer.from(payload).toString('hex') });
        for (const player of players()) player.sendAudio(timestamp, payload);
      });
      stream.on('video', ({ timestamp, payload }) => {
        for (const player of players()) player.sendVideo(timestamp, payload);
      });
      stream.on('data', ({ name, values }) => {
        const [handler, ...rest] = name === '@setDataFrame' ? values : [name, ...values];
        for (const player of players()) player.sendData(String(handler), ...rest);
      });
      stream.on('unpublish', () => {
        for (const player of players()) player.stopPlay();
      });
    });
  });
  return { ...served, audio };
}

/** The audio tags of an FLV file (video file format 10.1, section E.4). */
function flvAudio(file: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let offset = 13; offset + 11 <= file.length; ) {
    const length = file.readUIntBE(offset + 1, 3);
    const timestamp = file.readUIntBE(offset + 4, 3) + file.readUInt8(offset + 7) * 0x1000000;
    const body = file.subarray(offset + 11, offset + 11 + length);
    if (file[offset] === 8 && length > 0) frames.push({ timestamp, hex: body.toString('hex') });
    offset += 11 + length + 4;
  }
  return frames;
}

function temporaryDirectory(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'rtmp-'));
  scope.defer(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
