import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ClientFrame, MediaSession } from '../../../plugin/call/ports.js';
import { DirectMedia } from '../../../plugin/media/direct.js';
import { freePortRange } from '../../support/ports.js';
import { PeerProcess, runProgram } from '../../support/process.js';
import { type Scope, test } from '../../support/scope.js';
import { decodedSpeech, encodeSpeechFlv, encodeWideband, withSpeech } from '../speex/encoded-speech.js';

const loopback = '127.0.0.1';
const speex16 = { payloadType: 96, encoding: 'speex', clockRate: 16000 };

async function openCall(scope: Scope, play: (frame: ClientFrame) => boolean): Promise<MediaSession> {
  const media = new DirectMedia({ host: loopback, ports: await freePortRange(2) });
  const session = await media.open({ callId: 'test', player: { play }, lost: (reason) => expect.fail(reason) });
  scope.defer(() => session.close());
  return session;
}

async function temporaryDirectory(scope: Scope): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'media-'));
  scope.defer(() => rm(directory, { recursive: true }));
  return directory;
}

function answer(port: number) {
  const audio = { kind: 'audio', port, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [speex16] } as const;
  return { address: loopback, media: [audio] };
}

test('FFmpeg hears what the encoder made, from messages of two frames, until our BYE', async ({ scope }) => {
  const directory = await temporaryDirectory(scope);
  const { min: port } = await freePortRange(2);
  const sdp = join(directory, 'in.sdp');
  const pcm = join(directory, 'heard.pcm');
  const audio = [`m=audio ${port} RTP/AVP 96`, 'a=rtpmap:96 speex/16000', ''];
  await writeFile(
    sdp,
    ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...audio].join('\r\n'),
  );
  const input = ['-protocol_whitelist', 'file,udp,rtp', '-c:a', 'libspeex', '-i', sdp];
  const ffmpeg = await PeerProcess.start(scope, 'ffmpeg', ['-nostdin', '-v', 'debug', ...input, '-f', 's16le', pcm]);
  await ffmpeg.stderr.find('its open socket', (line) => /^\[udp/.test(line));

  const session = await openCall(scope, () => true);
  session.accept(answer(port));
  const messages = (await encodeSpeechFlv(2)).slice(0, 60);
  for (const { timestamp, body } of messages) {
    session.write({ kind: 'audio', timestamp, payload: body });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(session.close()).toMatchObject({ packetsSent: 120 });
  expect(await ffmpeg.end()).toMatchObject({ code: 0 });
  const heard = await readFile(pcm);
  expect(heard.length).toBe(120 * 640);
  expect(heard.equals((await decodedSpeech()).subarray(0, heard.length))).toBe(true);
});

test("FFmpeg's speech arrives frame by frame, from packets of two frames and another port", async ({ scope }) => {
  const frames: ClientFrame[] = [];
  const session = await openCall(scope, (frame) => frames.push(frame) > 0);
  const { min: announced } = await freePortRange(2);
  session.accept(answer(announced));
  const port = session.offer.media[0]?.port;
  await withSpeech('wav', [], (wav) =>
    runProgram('ffmpeg', [
      ...['-v', 'error', '-i', wav, '-t', '2', '-ac', '1', '-c:a', 'libspeex', ...encodeWideband(2, [])],
      ...['-f', 'rtp', '-payload_type', '96', `rtp://${loopback}:${port}`],
    ]),
  );
  const report = session.close();
  expect(report).toMatchObject({ lost: 0, malformed: 0, foreign: 0 });
  const expected = (await encodeSpeechFlv(1)).slice(0, 100);
  expect(frames.length).toBeGreaterThanOrEqual(expected.length);
  for (const [index, { body }] of expected.entries()) {
    expect(frames[index]?.timestamp).toBe(index * 20);
    expect(Buffer.from(frames[index]?.payload.subarray(1) ?? []).equals(body.subarray(1)), `frame ${index}`).toBe(true);
  }
});
