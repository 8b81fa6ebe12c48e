import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { fivePercent } from '../../support/lossy-link.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { compareVideo, decode, encodeVideo, playFlv, publishFlv, videoMessages } from '../../support/video.js';
import { nalsOf, VideoPhone } from '../../support/video-phone.js';

/** Packets that get lost between the gateway and the far end, and players that come late. */
vi.setConfig({ testTimeout: 60_000 });
const gateway = useGateway();

const feedback = ['nack', 'nack pli'];
const videoPort = (sdp: string): number => Number(/^m=video (\d+)/m.exec(sdp)?.[1]);
const picturesOf = (flv: Buffer): Buffer[][] =>
  videoMessages(flv)
    .filter(({ body }) => body[1] === 1)
    .map(({ body }) => nalsOf(body));

/** A call between an encoder and this phone. */
async function call(scope: Scope, phone: VideoPhone, seconds: number) {
  const sipp = await Sipp.start(scope, { scenario: callee.answers({ video: { port: phone.port, feedback } }) });
  const url = gateway().rtmpUrl(`dial/${sipp.uri()}`);
  const publisher = await publishFlv(scope, url, await encodeVideo({ seconds }));
  const { text } = await sipp.received(/^INVITE/);
  await sipp.received(/^ACK/);
  return { sipp, url, publisher, port: videoPort(text) };
}

describe('of 5 % of the packets lost', () => {
  test('a phone that asks for them again gets every packet', async ({ scope }) => {
    const loses = fivePercent();
    const phone = await VideoPhone.open(scope, { misses: loses });
    const { sipp, publisher } = await call(scope, phone, 6);
    await publisher.end(30_000);
    const { media } = await gateway().callEnded(sipp.uri());
    expect(phone.missed).toBeGreaterThan(30);
    expect(Number(media?.videoRetransmitted)).toBeGreaterThanOrEqual(phone.missed);
    // But for the last ones: nothing after them tells that they are missing.
    expect(phone.missing.length).toBeLessThan(3);
  });

  test('the gateway asks for them again, and the player gets every picture', async ({ scope }) => {
    const flv = await encodeVideo({ seconds: 5, size: '1280x720', repeatHeaders: true });
    const sent = await decode(flv);
    const phone = await VideoPhone.open(scope, { loses: fivePercent() });
    const { sipp, url, publisher, port } = await call(scope, phone, 12);
    const playing = playFlv(url, 20);
    await sleep(1_000);
    await phone.send(picturesOf(flv), port);
    await sleep(500);
    await publisher.kill();
    const { media } = await gateway().callEnded(sipp.uri());
    const received = await decode(await playing);
    expect(phone.lost).toBeGreaterThan(30);
    expect(new Set(phone.asked).size).toBeGreaterThanOrEqual(phone.lost - 1);
    expect(media).toMatchObject({ videoFramesDropped: 0 });
    expect(compareVideo(sent, received)).toMatchObject({ start: 0, same: true });
    expect(received.length).toBeGreaterThan(sent.length - 3);
  });
});

test('a player that comes late gets a key frame at once: the far end is asked for one', async ({ scope }) => {
  const flv = await encodeVideo({ seconds: 10, keyInterval: 300, repeatHeaders: true });
  const pictures = picturesOf(flv);
  const phone = await VideoPhone.open(scope);
  const { sipp, url, publisher, port } = await call(scope, phone, 15);
  const sending = phone.send(pictures, port, 240);
  await sleep(1_500);
  expect(phone.keyFrameRequests).toEqual([]);
  const joined = performance.now();
  const playing = playFlv(url, 20);
  await sending;
  await publisher.kill();
  const received = await decode(await playing);
  // All of it, from that key frame on: the recording has no other.
  expect(received.length).toBeGreaterThan(60);
  const [asked = 0] = phone.keyFrameRequests;
  // It takes FFmpeg itself a while to start and connect.
  expect(asked - joined).toBeLessThan(5_000);
  expect(phone.keyFrameRequests.length).toBeLessThan(3);
  expect((await gateway().callEnded(sipp.uri())).media).toMatchObject({
    videoKeyFramesRequested: phone.keyFrameRequests.length,
  });
});

test('a burst that cannot be made good costs pictures up to the key frame that is asked for', async ({ scope }) => {
  const flv = await encodeVideo({ seconds: 10, keyInterval: 300, repeatHeaders: true });
  // A third of a second, and what is sent again for it.
  const phone = await VideoPhone.open(scope, { loses: (count) => count > 400 && count < 480 });
  const { sipp, url, publisher, port } = await call(scope, phone, 15);
  const playing = playFlv(url, 20);
  await sleep(1_000);
  const shown = await phone.send(picturesOf(flv), port, 180);
  await publisher.kill();
  const { media } = await gateway().callEnded(sipp.uri());
  // No picture builds on one that is not there.
  const received = await decode(await playing);
  expect(phone.keyFrameRequests.length).toBeGreaterThan(0);
  expect(shown.filter((index) => index === 0).length).toBe(2);
  expect(Number(media?.videoFramesDropped)).toBeGreaterThan(0);
  expect(received.length).toBeGreaterThan(120);
});
