import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { Linphone } from '../../support/linphone.js';
import { test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../../support/speech.js';

const gateway = useGateway();
const [ours, theirs] = await Promise.all([
  speak(),
  speak('Nothing of all this was ever mentioned by anybody over there.'),
]);
const milliseconds = (speech: Int16Array) => (speech.length / sampleRate) * 1000;

test.concurrent('linphone calls an RTMP phone, and they hear each other', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { user: 'linda' });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  linphone.call(await phone.register());
  const incoming = await phone.acceptAndConnect();
  await linphone.connected();
  await Promise.all([linphone.say(theirs), phone.send(await encodeSpeex(ours))]);
  // The two play in real time, and the jitter buffer plays on.
  await sleep(Math.max(0, milliseconds(theirs) - milliseconds(ours)) + 1500);
  phone.hangup();
  await phone.waitStatus(0);
  await linphone.ended();
  expect(incoming.from).toMatch(/^sip:linda@127\.0\.0\.1/);
  expect(phone.statuses).toEqual([4, 2, 3, 0]);

  const atLinphone = compareSpeech(ours, await linphone.heard());
  const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
  const atPhone = compareSpeech(theirs, await decodeSpeex(packets));
  for (const comparison of [atLinphone, atPhone]) {
    expect(comparison.correlation).toBeGreaterThan(0.7);
    expect(comparison.covered).toBeGreaterThan(0.95);
    expect(comparison.longestGapMs).toBeLessThanOrEqual(60);
  }
}, 40_000);

test.concurrent('linphone gives up while the phone rings: 0', async ({ scope }) => {
  const linphone = await Linphone.start(scope);
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  linphone.call(await phone.register());
  await phone.waitIncoming();
  linphone.hangUp();
  await phone.waitStatus(0);
  await linphone.ended();
  expect(phone.statuses).toEqual([0]);
});

test.concurrent('linphone hangs up: 4, 2, 0', async ({ scope }) => {
  const linphone = await Linphone.start(scope);
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  linphone.call(await phone.register());
  await phone.acceptAndConnect();
  await linphone.connected();
  linphone.hangUp();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([4, 2, 0]);
});
