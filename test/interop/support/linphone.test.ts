import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { Linphone } from '../../support/linphone.js';
import { test } from '../../support/scope.js';
import { sampleRate, speak } from '../../support/speech.js';

test('two linphones hear each other', async ({ scope }) => {
  const [ours, theirs] = await Promise.all([speak(), speak('Nothing of all this was ever mentioned over there.')]);
  const alice = await Linphone.start(scope, { user: 'alice' });
  const bob = await Linphone.start(scope, { user: 'bob', autoAnswer: true });
  alice.call(bob.uri);
  await Promise.all([alice.connected(), bob.connected()]);
  await Promise.all([alice.say(ours), bob.say(theirs)]);
  await sleep((Math.max(ours.length, theirs.length) / sampleRate) * 1000 + 500);
  alice.hangUp();
  await Promise.all([alice.ended(), bob.ended()]);
  for (const [phone, speech] of [
    [alice, theirs],
    [bob, ours],
  ] as const) {
    expect(compareSpeech(speech, await phone.heard()).correlation).toBeGreaterThan(0.7);
  }
});
