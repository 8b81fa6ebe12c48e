import { expect } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { play, publish } from '../../support/ffmpeg.js';
import { useGateway } from '../../support/gateway.js';
import { test } from '../../support/scope.js';
import { decodeSpeex, speak } from '../../support/speech.js';

/** RTMP, SIP and RTP over IPv6. */
const gateway = useGateway({ env: { SONO_HOST: '::1' } });
const speech = await speak();

test('FFmpeg publishes to the echo over IPv6, another FFmpeg plays what comes back', async ({ scope }) => {
  const echo = gateway().sipUri('echo');
  const url = gateway().rtmpUrl(`dial/${echo}`);
  const playing = play(url, 6);
  const publisher = await publish(scope, url, speech);
  const messages = await playing;
  expect(await publisher.end(20_000)).toEqual({ code: 0, signal: null });
  const heard = await decodeSpeex(messages.map(({ body }) => body.subarray(1)));
  const { correlation, longestGapMs } = compareSpeech(speech, heard);
  expect(correlation).toBeGreaterThan(0.85);
  expect(longestGapMs).toBeLessThanOrEqual(40);
  const { result, media } = await gateway().callEnded(echo);
  expect(result).toBe('completed');
  expect(media).toMatchObject({ foreign: 0, malformed: 0, lost: 0 });
  expect(media?.packetsReceived).toBe(media?.packetsSent);
});
