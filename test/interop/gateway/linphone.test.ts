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

test.concurrent('an RTMP phone and linphone hear each other', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { autoAnswer: true });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  await phone.dialAndConnect(linphone.uri);
  await linphone.connected();
  await Promise.all([linphone.say(theirs), phone.send(await encodeSpeex(ours))]);
  const needed = Math.max(0, milliseconds(theirs) - milliseconds(ours)) + 1500;
  await sleep(needed);
  phone.hangup();
  await phone.waitStatus(0);
  await linphone.ended();
  expect(phone.statuses.filter((status) => status !== 1)).toEqual([4, 2, 3, 0]);

  const atLinphone = compareSpeech(ours, await linphone.heard());
  const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
  const atPhone = compareSpeech(theirs, await decodeSpeex(packets));
  for (const comparison of [atLinphone, atPhone]) {
    expect(comparison.correlation).toBeGreaterThan(0.7);
    expect(comparison.covered).toBeGreaterThan(0.95);
    expect(comparison.longestGapMs).toBeLessThanOrEqual(60);
  }
});

test.concurrent('linphone hangs up: 0', async ({ scope }) => {
  const linphone = await Linphone.start(scope, { autoAnswer: true });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  await phone.dialAndConnect(linphone.uri);
  await linphone.connected();
  linphone.hangUp();
  await phone.waitStatus(0);
  expect(phone.statuses.filter((status) => status !== 1)).toEqual([4, 2, 0]);
});

test.concurrent('linphone calls the echo of the embedded server and hears itself', async ({ scope }) => {
  const linphone = await Linphone.start(scope);
  linphone.call(gateway().sipUri('echo'));
  await linphone.connected();
  await linphone.say(ours);
  await sleep(milliseconds(ours) + 1500);
  linphone.hangUp();
  await linphone.ended();
  const { correlation, covered } = compareSpeech(ours, await linphone.heard());
  expect(correlation).toBeGreaterThan(0.7);
  expect(covered).toBeGreaterThan(0.95);
});
