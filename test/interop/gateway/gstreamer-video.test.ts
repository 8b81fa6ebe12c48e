import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { type Feedback, GstReceiver, gstSender } from '../../support/gstreamer.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { fivePercent, LossyLink, type LossyLinkOptions } from '../../support/lossy-link.js';
import { freePortRange } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { compareVideo, decode, encodeVideo, playFlv, publishFlv, videoMessages } from '../../support/video.js';

/** NACK, PLI and FIR as GStreamer has them, over a link that loses packets. */
vi.setConfig({ testTimeout: 60_000 });
const gateway = useGateway();

/** Packets and pictures of the last half second: who ends a call does not wait for what is missing of them. */
const atTheEnd = 120;
const picturesAtTheEnd = 15;

interface PhoneOptions extends Omit<LossyLinkOptions, 'phone'> {
  readonly feedback: readonly Feedback[];
  readonly payloadType?: number;
}

/** A SIP phone whose video is behind a link. */
async function answeringPhone(scope: Scope, { feedback, payloadType = 99, ...loss }: PhoneOptions) {
  const { min: port } = await freePortRange(2);
  const link = await LossyLink.open(scope, { phone: port, ...loss });
  const video = { port: link.port, feedback, payloadType };
  const sipp = await Sipp.start(scope, { scenario: callee.answers({ video }) });
  return { port, link, sipp, gst: { port, to: link.phonePort, payloadType, feedback } };
}

/** Connects the link to the gateway once the call is there. */
async function connected(sipp: Sipp, link: LossyLink): Promise<void> {
  const { text } = await sipp.received(/^INVITE/);
  await sipp.received(/^ACK/);
  link.connect(Number(/^m=video (\d+)/m.exec(text)?.[1]));
}

describe('to GStreamer', () => {
  test('of 5 % of the packets lost all that it asks for comes again, and it shows every picture', async ({ scope }) => {
    const { link, sipp, gst } = await answeringPhone(scope, { toPhone: fivePercent(), feedback: ['nack', 'nack pli'] });
    const receiver = await GstReceiver.start(scope, gst);
    const flv = await encodeVideo({ seconds: 6 });
    const publisher = await publishFlv(scope, gateway().rtmpUrl(`dial/${sipp.uri()}`), flv);
    await connected(sipp, link);
    await publisher.end(30_000);
    const { media } = await gateway().callEnded(sipp.uri());
    const [sent, received] = [await decode(flv), await decode(await receiver.received())];
    expect(link.toPhone.lost.size).toBeGreaterThan(30);
    expect(link.fromPhone.tells('205 1')).toBe(true);
    expect(Math.max(0, ...link.toPhone.unrepaired)).toBeLessThan(atTheEnd);
    expect(Number(media?.videoRetransmitted)).toBeGreaterThanOrEqual(link.toPhone.repaired.size);
    expect(compareVideo(sent, received)).toMatchObject({ same: true });
    expect(received.length).toBeGreaterThanOrEqual(sent.length - picturesAtTheEnd);
  });

  test.for<[name: string, feedback: Feedback, seen: string]>([
    ['PLI', 'nack pli', '206 1'],
    ['FIR', 'ccm fir', '206 4'],
  ])(
    'behind a burst of loss its %s asks the client for a key frame, from which it goes on',
    async ([, feedback, seen], { scope }) => {
      const { link, sipp, gst } = await answeringPhone(scope, {
        toPhone: (count) => count > 200 && count < 215,
        feedback: [feedback],
      });
      const receiver = await GstReceiver.start(scope, gst);
      // One key frame, and what builds on it.
      const messages = videoMessages(await encodeVideo({ seconds: 4, keyInterval: 300, audio: false }));
      const bodies = messages.map(({ body }) => body);
      const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
      await phone.dialAndConnect(sipp.uri(), { video: true });
      await connected(sipp, link);
      phone.startShowing(bodies);
      await phone.waitPush('Sono.Call.KeyFrame');
      await phone.events.find('the last picture to be sent', ({ event }) => event === 'sent');
      expect(link.toPhone.lost.size).toBe(14);
      expect(link.fromPhone.tells(seen, link.toPhone.lastLoss)).toBe(true);
      // The key frame that was asked for, and what builds on it.
      phone.startShowing(bodies);
      await sleep(4_500);
      phone.hangup();
      await phone.waitStatus(0);
      const { media } = await gateway().callEnded(sipp.uri());
      const received = await decode(await receiver.received());
      expect(received.length).toBeGreaterThan(110);
      expect(Number(media?.videoKeyFramesRequestedByFarEnd)).toBeGreaterThan(0);
    },
  );
});

describe('from GStreamer', () => {
  const both: readonly Feedback[] = ['nack', 'nack pli'];

  test('of 5 % of the packets lost what the gateway asks for comes again, and no picture is missing', async ({
    scope,
  }) => {
    const { link, sipp, gst } = await answeringPhone(scope, { fromPhone: fivePercent(), feedback: both });
    const url = gateway().rtmpUrl(`dial/${sipp.uri()}`);
    const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: 20 }));
    await connected(sipp, link);
    const playing = playFlv(url, 8);
    await sleep(1_000);
    await gstSender(scope, gst);
    const received = await decode(await playing);
    await publisher.kill();
    const { media } = await gateway().callEnded(sipp.uri());
    expect(link.fromPhone.lost.size).toBeGreaterThan(10);
    expect(link.toPhone.tells('205 1')).toBe(true);
    expect(Math.max(0, ...link.fromPhone.unrepaired)).toBeLessThan(atTheEnd);
    expect(media).toMatchObject({ videoFramesDropped: 0 });
    expect(received.length).toBeGreaterThan(60);
  });

  test('a player that comes late gets a key frame, for which the gateway asks by PLI', async ({ scope }) => {
    const { link, sipp, gst } = await answeringPhone(scope, { feedback: both });
    const url = gateway().rtmpUrl(`dial/${sipp.uri()}`);
    const publisher = await publishFlv(scope, url, await encodeVideo({ seconds: 20 }));
    await connected(sipp, link);
    await gstSender(scope, gst);
    await sleep(3_000);
    const joined = performance.now();
    const received = await decode(await playFlv(url, 5));
    await publisher.kill();
    const { media } = await gateway().callEnded(sipp.uri());
    expect(link.toPhone.tells('206 1', joined)).toBe(true);
    expect(received.length).toBeGreaterThan(60);
    expect(Number(media?.videoKeyFramesRequested)).toBeGreaterThan(0);
  });
});
