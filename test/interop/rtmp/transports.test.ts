import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RtmpeType } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import { makeCertificate } from '../../support/certificate.js';
import { startNginx } from '../../support/nginx.js';
import { PeerProcess, runProgram } from '../../support/process.js';
import { type Scope, test } from '../../support/scope.js';
import { flvAudio, relaying, temporaryDirectory } from '../../unit/rtmp/relay.js';

const QUIET = ['-nostdin', '-v', 'error'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=16000:duration=2'];
const SPEEX = ['-ac', '1', '-c:a', 'libspeex', '-f', 'flv'];

/** FFmpeg, as Debian builds it, has no RTMPE. */
describe.each([
  { protocol: 'rtmps', ffmpeg: 'rtmps', proxy: false },
  { protocol: 'rtmpt', ffmpeg: 'rtmpt', proxy: false },
  { protocol: 'rtmpts', ffmpeg: 'rtmpts', proxy: false },
  { protocol: 'rtmpe', ffmpeg: 'rtmp', proxy: false },
  { protocol: 'rtmpte', ffmpeg: 'rtmpt', proxy: false },
  { protocol: 'rtmpe', ffmpeg: 'rtmp', proxy: false, rtmpeType: 8 },
  { protocol: 'rtmpte', ffmpeg: 'rtmpt', proxy: false, rtmpeType: 8 },
  { protocol: 'rtmpt', ffmpeg: 'rtmpt', proxy: true },
] as const)(
  '$protocol, answered with type $rtmpeType, behind nginx: $proxy',
  ({ protocol, ffmpeg, proxy, ...rest }) => {
    const rtmpeType = 'rtmpeType' in rest ? rest.rtmpeType : undefined;

    test('FFmpeg publishes, FFmpeg and rtmpdump play: every message arrives, in order and byte for byte', async ({
      scope,
    }) => {
      const { relay, port } = await start(scope, protocol.endsWith('s'), proxy, rtmpeType);
      const url = (scheme: string) => `${scheme}://127.0.0.1:${port}/live/cam`;
      const folder = temporaryDirectory(scope);
      const [recorded, played, dumped] = ['recorded', 'played', 'dumped'].map((name) => join(folder, `${name}.flv`));
      await runProgram('ffmpeg', [...QUIET, ...TONE, ...SPEEX, String(recorded)]);
      const copying = [...QUIET, '-i', url(ffmpeg), '-c', 'copy', '-f', 'flv', String(played)];
      const rtmpdump = await PeerProcess.start(scope, 'rtmpdump', [
        '--live',
        '-r',
        url(protocol),
        '-o',
        String(dumped),
      ]);
      const players = [await PeerProcess.start(scope, 'ffmpeg', copying), rtmpdump];
      await expect.poll(() => playing(relay.events.all), { timeout: 10_000 }).toBe(2);
      await runProgram('ffmpeg', [...QUIET, '-re', '-i', String(recorded), '-c', 'copy', '-f', 'flv', url(ffmpeg)]);
      await relay.events.find('the end of publishing', (event) => event === 'unpublish');
      const expected = flvAudio(readFileSync(String(recorded)));
      expect(expected.length).toBeGreaterThan(90);
      // Over HTTP, FFmpeg does not send what is left in its buffer when it closes.
      const kept = ffmpeg.startsWith('rtmpt') ? relay.audio.length : expected.length;
      expect(kept).toBeGreaterThan(expected.length - 15);
      expected.length = kept;
      expect(relay.audio).toEqual(expected);
      for (const player of players) await player.end();
      for (const file of [played, dumped]) {
        expect(flvAudio(readFileSync(String(file))).map(({ hex }) => hex)).toEqual(expected.map(({ hex }) => hex));
      }
      expect(new Set(relay.sessions.map((session) => session.protocol))).toEqual(new Set([protocol, ffmpeg]));
      // librtmp asks for 6, follows the answer, and goes only when the signature is that of the answer's type.
      const followed = rtmpdump.stderr.all.filter((line) => line.includes('client sent 6, server answered 8'));
      expect(followed).toHaveLength(rtmpeType === 8 ? 1 : 0);
    }, 40_000);
  },
);

function playing(events: readonly string[]): number {
  return events.filter((event) => event.startsWith('play')).length;
}

async function start(scope: Scope, secure: boolean, proxy: boolean, rtmpeType?: RtmpeType) {
  const tls = secure ? await makeCertificate(scope) : undefined;
  const relay = await relaying(scope, { ...(tls && { tls }), ...(rtmpeType && { rtmpeType }) });
  return { relay, port: proxy ? await startNginx(scope, relay.port) : relay.port };
}

test('WebSocket behind nginx: the page must be of the host that the browser asked', async ({ scope }) => {
  const { relay, port } = await start(scope, false, true);
  const open = (origin: string) =>
    new Promise((resolve, reject) => {
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/rtmp`, { headers: { origin } });
      scope.defer(() => webSocket.terminate());
      webSocket.on('error', reject).on('open', () => webSocket.send(Uint8Array.of(3, ...new Uint8Array(1536))));
      let length = 0;
      webSocket.on('message', (data: Buffer) => {
        length += data.length;
        if (length === 1 + 2 * 1536) resolve(length);
      });
    });
  await open(`http://127.0.0.1:${port}`);
  await expect(open('http://127.0.0.1:1')).rejects.toThrow('403');
  expect([...relay.server.sessions].map(({ protocol }) => protocol)).toEqual(['ws']);
});
