import { expect } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { play, publish } from '../../support/ffmpeg.js';
import { useGateway } from '../../support/gateway.js';
import { Linphone } from '../../support/linphone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { decodeSpeex, encodeSpeex, speak } from '../../support/speech.js';

/** Programs that only publish and play: the stream name is what they dial. */
const gateway = useGateway();
const speech = await speak();

test.concurrent('FFmpeg publishes to the echo, another FFmpeg plays what comes back', async ({ scope }) => {
  const url = gateway().rtmpUrl(`dial/${gateway().sipUri('echo')}`);
  // The player first: it waits for the call.
  const playing = play(url, 6);
  const publisher = await publish(scope, url, speech);
  const messages = await playing;
  expect(await publisher.end(20_000)).toEqual({ code: 0, signal: null });
  const heard = await decodeSpeex(messages.map(({ body }) => body.subarray(1)));
  const { correlation, longestGapMs, covered } = compareSpeech(speech, heard);
  expect(correlation).toBeGreaterThan(0.85);
  expect(longestGapMs).toBeLessThanOrEqual(40);
  expect(covered).toBeGreaterThan(0.6);
  expect(await gateway().callEnded(gateway().sipUri('echo'))).toMatchObject({ result: 'completed' });
});

test.concurrent('every frame that FFmpeg publishes reaches the callee as it was encoded', async ({ scope }) => {
  const peer = await RtpPeer.open(scope);
  const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
  const publisher = await publish(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), speech);
  expect(await publisher.end(20_000)).toEqual({ code: 0, signal: null });
  await sipp.done();
  const frames = await encodeSpeex(speech);
  const expected = frames.map((frame) => frame.subarray(1).toString('hex'));
  const sent = peer.packets.all.map(({ payload }) => payload.toString('hex'));
  // FFmpeg speaks from the start; what it says before the answer nobody hears.
  expect(sent.length).toBeGreaterThan(expected.length - 50);
  // And its very last frame is not full.
  expect(expected.join(' ')).toContain(sent.slice(0, -2).join(' '));
});

test.concurrent('linphone hears FFmpeg', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { autoAnswer: true });
  const publisher = await publish(scope, gateway().rtmpUrl(`dial/${linphone.uri}`), speech);
  await publisher.end(20_000);
  await linphone.ended();
  const { correlation, covered } = compareSpeech(speech, await linphone.heard());
  expect(correlation).toBeGreaterThan(0.7);
  expect(covered).toBeGreaterThan(0.85);
});

test.concurrent('the end of the call ends the publisher', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.hangsUp(700) });
  const publisher = await publish(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), speech);
  await sipp.done();
  await publisher.end(15_000);
  expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'completed' });
});

test.concurrent('a refused call ends the publisher', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.refuses('486 Busy Here') });
  const publisher = await publish(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), speech);
  await sipp.done();
  expect((await publisher.end(15_000)).code).not.toBe(0);
});

test.concurrent('a name that is no SIP address is refused at once', async ({ scope }) => {
  const publisher = await publish(scope, gateway().rtmpUrl('dial/not%20an%20address'), speech);
  expect((await publisher.end(15_000)).code).not.toBe(0);
});
