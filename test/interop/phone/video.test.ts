import { expect, vi } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { encodeVideo, videoMessages } from '../../support/video.js';
import { nalsOf, VideoPhone } from '../../support/video-phone.js';
import { callFrom } from './support/callers.js';
import { goOn } from './support/go-on.js';

/** An RTMP phone that asks for video, or does not, and a SIP phone that has it. */
vi.setConfig({ testTimeout: 60_000 });
const gateway = useGateway();
const messages = videoMessages(await encodeVideo({ seconds: 3, repeatHeaders: true })).map(({ body }) => body);
const pictures = messages.filter((body) => body[1] === 1).map((body) => nalsOf(body));

const sectionPorts = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind = '', port]) => [kind, Number(port)]));

test('a caller with video is announced as one; accept({video: true}) takes it', async ({ scope }) => {
  const far = await VideoPhone.open(scope);
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  const uri = await phone.register();
  const sipp = await callFrom(scope, uri, caller.hangsUpWhenTold({ video: { port: far.port, payloadType: 102 } }));
  expect(await phone.acceptAndConnect({ video: true })).toMatchObject({ video: true });
  const { text } = await sipp.received(/^SIP\/2\.0 200/);
  await far.send(pictures, sectionPorts(text).video ?? 0);
  const [first, second] = await phone.waitVideo(pictures.length);
  expect([first, second].map((message) => message?.hex.slice(0, 4))).toEqual(['1700', '1701']);
  await goOn(sipp);
  await phone.waitStatus(0);
  await sipp.done();
});

test('accept() takes the audio alone, and the section for video stays where it is, refused', async ({ scope }) => {
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  const sipp = await callFrom(scope, await phone.register(), caller.hangsUpWhenTold({ video: { port: 4000 } }));
  await phone.acceptAndConnect();
  const { text } = await sipp.received(/^SIP\/2\.0 200/);
  expect(Object.keys(sectionPorts(text))).toEqual(['audio', 'video']);
  expect(sectionPorts(text).video).toBe(0);
  await goOn(sipp);
  await phone.waitStatus(0);
});

test('dial(uri) offers audio alone; dial(uri, {video: true}) both, and key frames can be asked for', async ({
  scope,
}) => {
  const far = await VideoPhone.open(scope);
  const [audio, both] = [
    await Sipp.start(scope, { scenario: callee.answers() }),
    await Sipp.start(scope, { scenario: callee.answers({ video: { port: far.port, feedback: ['nack pli'] } }) }),
  ];
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  await phone.dialAndConnect(audio.uri());
  expect(Object.keys(sectionPorts((await audio.received(/^INVITE/)).text))).toEqual(['audio']);
  phone.hangup();
  await phone.waitStatus(0);
  await audio.done();

  await phone.dialAndConnect(both.uri(), { video: true });
  expect(Object.keys(sectionPorts((await both.received(/^INVITE/)).text))).toEqual(['audio', 'video']);
  far.requestKeyFrame();
  phone.startShowing(messages);
  await phone.waitPush('Sono.Call.KeyFrame');
  await phone.events.find('the last picture to be sent', ({ event }) => event === 'sent');
  phone.hangup();
  await phone.waitStatus(0);
  await both.done();
  const { media } = await gateway().callEnded(both.uri());
  expect(media).toMatchObject({ videoFramesSent: pictures.length, videoKeyFramesRequestedByFarEnd: 1 });
  expect(far.received).toBe(media?.videoPacketsSent);
});
