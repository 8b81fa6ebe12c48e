import { describe, expect, vi } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { Gateway, useGateway } from '../../support/gateway.js';
import { Linphone } from '../../support/linphone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeFlv, sampleRate, speak } from '../../support/speech.js';
import {
  compareVideo,
  decode,
  encodeVideo,
  FfmpegReceiver,
  playFlv,
  publishFlv,
  sendRtp,
  toMatroska,
  type VideoOptions,
} from '../../support/video.js';

/**
 * H.264 between FFmpeg as an RTMP encoder and player, and FFmpeg as the video side of a SIP phone. One call after the other:
 * several encoders and decoders at once are more than a small machine does in time.
 */
vi.setConfig({ testTimeout: 60_000 });
const gateway = useGateway();

const videoPort = (sdp: string): number => Number(/^m=video (\d+)/m.exec(sdp)?.[1]);

describe('FFmpeg receives by RTP the very pictures that FFmpeg publishes', () => {
  const rows: [name: string, mode: 0 | 1, options: VideoOptions][] = [
    ['of four slices, key frames in fragments', 1, { seconds: 4 }],
    ['of 720p', 1, { seconds: 4, size: '1280x720' }],
    ['without audio', 1, { seconds: 2, audio: false }],
    ['with parameter sets before each key frame', 1, { seconds: 3, repeatHeaders: true }],
    ['of many slices, one in a packet', 0, { seconds: 3, sliceSize: 1100 }],
  ];

  test.for(rows)('%s (mode %i)', async ([, mode, options], { scope }) => {
    const flv = await encodeVideo(options);
    const sent = await decode(flv);
    const [receiver, audio] = [await FfmpegReceiver.start(scope, { mode }), await RtpPeer.open(scope)];
    const scenario = callee.answers({ video: { port: receiver.port, mode } });
    const sipp = await Sipp.start(scope, { scenario, rtpPort: audio.port });
    const publisher = await publishFlv(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), flv);
    expect(await publisher.end(30_000)).toEqual({ code: 0, signal: null });
    await sipp.done();
    const received = await decode(await receiver.received());
    expect(compareVideo(sent, received)).toMatchObject({ start: 0, same: true });
    // The last picture may still be in FFmpeg's parser when it is ended.
    expect(received.length).toBeGreaterThanOrEqual(sent.length - 1);
    const { media } = await gateway().callEnded(sipp.uri());
    expect(media).toMatchObject({
      videoFramesSent: sent.length,
      videoDroppedFromClient: 0,
      videoMalformedFromClient: 0,
    });
  });
});

describe('FFmpeg plays by RTMP the very pictures that FFmpeg sends by RTP', () => {
  const rows: [name: string, mode: 0 | 1, options: VideoOptions][] = [
    ['of four slices, key frames in fragments', 1, { seconds: 4, repeatHeaders: true }],
    ['of 720p', 1, { seconds: 4, size: '1280x720', repeatHeaders: true }],
    ['of many slices, one in a packet', 0, { seconds: 3, sliceSize: 1000, repeatHeaders: true }],
  ];

  test.for(rows)('%s (mode %i)', async ([, mode, options], { scope }) => {
    const flv = await encodeVideo(options);
    const sent = await decode(flv);
    const sipp = await Sipp.start(scope, { scenario: callee.answers({ video: { port: 9, mode } }) });
    const url = gateway().rtmpUrl(`dial/${sipp.uri()}`);
    const playing = playFlv(url, 20);
    const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: options.seconds + 2 }));
    const { text } = await sipp.received(/^INVITE/);
    await sipp.received(/^ACK/);
    const sender = await sendRtp(scope, flv, videoPort(text), { mode, payloadType: 102 });
    await sender.end(20_000);
    await publisher.end(30_000);
    const comparison = compareVideo(sent, await decode(await playing));
    expect(comparison).toEqual({ start: 0, count: sent.length, same: true });
    const { media } = await gateway().callEnded(sipp.uri());
    expect(media).toMatchObject({ videoLost: 0, videoFramesDropped: 0, videoMalformed: 0, videoDroppedSlowReader: 0 });
  });
});

test('the echo sends 720p back, and the first picture is there within a second', async ({ scope }) => {
  const flv = await encodeVideo({ seconds: 4, size: '1280x720', keyInterval: 60 });
  const sent = await decode(flv);
  const url = gateway().rtmpUrl(`dial/${gateway().sipUri('echo')}`);
  const playing = playFlv(url, 10);
  const publisher = await publishFlv(scope, url, flv);
  await publisher.end(20_000);
  const { start, count, same } = compareVideo(sent, await decode(await playing));
  expect(same).toBe(true);
  // 30 pictures are a second. The last ones may still be on their way when the call ends.
  expect(start).toBeLessThan(30);
  expect(start + count).toBeGreaterThan(sent.length - 3);
});

test('baresip and FFmpeg see each other', async ({ scope }) => {
  const film = await toMatroska(await encodeVideo({ seconds: 20 }));
  const baresip = await Baresip.start(scope, { codec: 'PCMU', speech: new Int16Array(sampleRate * 20), film });
  const url = gateway().rtmpUrl(`dial/${baresip.uri}`);
  const playing = playFlv(url, 20);
  const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: 5, size: '1280x720' }));
  expect(await baresip.sees()).toBe('1280x720');
  await publisher.end(20_000);
  const { media } = await gateway().callEnded(baresip.uri);
  expect(baresip.decodingErrors).toEqual([]);
  // It encodes anew: what arrives is whole if it decodes without an error.
  const seen = await decode(await playing);
  expect(seen.length).toBeGreaterThan(75);
  expect(media).toMatchObject({ videoSizeReceived: '640x360', videoLost: 0, videoFramesDropped: 0 });
});

test('baresip and FFmpeg see each other over SRTP', async ({ scope }) => {
  const encrypting = await Gateway.start(scope, { env: { SONO_SRTP: 'offer' } });
  const film = await toMatroska(await encodeVideo({ seconds: 20 }));
  const speech = new Int16Array(sampleRate * 20);
  const baresip = await Baresip.start(scope, { codec: 'PCMU', speech, film, encryption: 'srtp', rtcpMux: true });
  const url = encrypting.rtmpUrl(`dial/${baresip.uri}`);
  const playing = playFlv(url, 20);
  const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: 5, size: '1280x720' }));
  expect(await baresip.sees()).toBe('1280x720');
  await publisher.end(20_000);
  const { media } = await encrypting.callEnded(baresip.uri);
  expect(baresip.decodingErrors).toEqual([]);
  expect((await decode(await playing)).length).toBeGreaterThan(75);
  expect(media).toMatchObject({ videoSizeReceived: '640x360', videoLost: 0, videoReplayed: 0 });
  // baresip says goodbye in the clear (RTCP BYE), which may or may not come before the sockets are closed.
  expect(media?.videoForged).toBeLessThanOrEqual(1);
  expect(media?.videoSrtp).toMatch(/^A/);
});

test('linphone and FFmpeg see each other, with feedback, from the first moment on', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { autoAnswer: true, video: true });
  const url = gateway().rtmpUrl(`dial/${linphone.uri}`);
  const playing = playFlv(url, 20);
  const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: 5, size: '1280x720', keyInterval: 150 }));
  await linphone.connected();
  await publisher.end(20_000);
  await linphone.ended();
  expect(await linphone.log()).toContain('First video frame decoded successfully');
  // A picture a second of its still picture.
  expect((await decode(await playing)).length).toBeGreaterThan(2);
  const { media } = await gateway().callEnded(linphone.uri);
  // The recording has one key frame: that it was decoded says that nobody had to ask for another.
  expect(media).toMatchObject({
    videoCodec: 'h264/90000 mode 1',
    videoKeyFramesSent: 1,
    videoLost: 0,
    videoFramesDropped: 0,
  });
});

describe('the offer', () => {
  test('of an encoder without video has none', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const publisher = await publishFlv(
      scope,
      gateway().rtmpUrl(`dial/${sipp.uri()}`),
      await encodeFlv(await speak('One.')),
    );
    expect((await sipp.received(/^INVITE/)).text).not.toContain('m=video');
    await publisher.end(20_000);
    await sipp.done();
  });

  test('of one with video says its profile and parameter sets; refused, the audio goes on', async ({ scope }) => {
    const audio = await RtpPeer.open(scope);
    const scenario = callee.answers({ video: { port: 0 } });
    const sipp = await Sipp.start(scope, { scenario, rtpPort: audio.port });
    const flv = await encodeVideo({ seconds: 2 });
    const publisher = await publishFlv(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), flv);
    const { text } = await sipp.received(/^INVITE/);
    expect(text).toMatch(/^a=fmtp:102 profile-level-id=42c01e;.*packetization-mode=1;sprop-parameter-sets=Z/m);
    expect(text.split('\n').filter((line) => line.startsWith('a=rtcp-fb:102'))).toHaveLength(3);
    await audio.waitPackets(50);
    await publisher.end(20_000);
    await sipp.done();
    expect((await gateway().callEnded(sipp.uri())).media).not.toHaveProperty('videoCodec');
  });
});
