import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, frameMs, sampleRate, speak } from '../../support/speech.js';
import { TranscodingProxy } from './support/transcoding-proxy.js';

/** rtpengine, which takes comfort noise from us and makes it of baresip's silence, between an RTMP phone and baresip. */
vi.setConfig({ testTimeout: 60_000 });
const gateway = useGateway();
const [ours, theirs] = await Promise.all([
  speak('One, two, three, four.'),
  speak('Nothing of all this was ever mentioned.'),
]);
const described = 55;
const pauseMs = 3000;

const silence = (seconds: number): Int16Array => new Int16Array(seconds * sampleRate);

/** What a microphone hears behind the speech, of about -60 dBov: seconds of it, and speech in it. */
function overNoise(speech: Int16Array): Int16Array {
  return Int16Array.from([...speech, ...silence(0.6)], (sample) => sample + (Math.random() - 0.5) * 110);
}

function decibels(samples: Int16Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return 10 * Math.log10(power / 2 ** 30);
}

/** The loudness of each tenth of a second. */
const levels = (samples: Int16Array): number[] =>
  Array.from({ length: Math.floor(samples.length / 1600) }, (_, at) => {
    return decibels(samples.subarray(at * 1600, (at + 1) * 1600));
  });

test('silence on either side is heard as noise, and nothing of it is a loss', async ({ scope }) => {
  const speech = Int16Array.from([...silence(2), ...theirs, ...silence(4), ...theirs, ...silence(5)]);
  const baresip = await Baresip.start(scope, { codec: 'PCMA', speech });
  const proxy = await TranscodingProxy.start(scope, baresip, {
    codecs: 'codec-strip-speex codec-consume-PCMU codec-consume-CN',
    rtpengine: ['--silence-detect=0.1', '--dtx-delay=50', `--cn-payload=${described}`],
  });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  await phone.dialAndConnect(proxy.uri);
  // As a Flash microphone with a silence level does: nothing is sent while nobody speaks.
  const frames = await encodeSpeex(overNoise(ours));
  await phone.send(frames);
  await sleep(pauseMs);
  await phone.send(frames, { timestamp: frames.length * frameMs + pauseMs });
  await sleep(pauseMs);
  phone.hangup();
  await phone.waitStatus(0);

  const { media } = await gateway().callEnded(proxy.uri);
  expect(media).toMatchObject({ codec: 'pcmu/8000', comfortNoiseSent: 2, unknownPayloadType: 0 });
  // On a busy machine rtpengine lets packets overtake others, some by more than is waited for.
  for (const figure of ['lost', 'remoteLost', 'concealedToClient', 'concealedFromClient']) {
    expect(Number(media?.[figure])).toBeLessThan(5);
  }
  expect(Number(media?.comfortNoise)).toBeGreaterThan(50);

  const atPhone = await decodeSpeex(phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1)));
  expectAlike(compareSpeech(theirs, atPhone));
  // Noise as described, where baresip says nothing: nowhere less.
  const quiet = levels(atPhone)
    .slice(5)
    .toSorted((a, b) => a - b);
  expect(quiet[0]).toBeGreaterThan(-described - 6);
  expect(quiet[Math.floor(quiet.length / 4)]).toBeLessThan(-described + 6);

  const atBaresip = await baresip.heard();
  expectAlike(compareSpeech(ours, atBaresip));
  // It records what it is given: without our description that would be no more than the 1.2 s behind the speech.
  const background = levels(atBaresip).filter((level) => level > -80 && level < -55);
  expect(background.length).toBeGreaterThan(40);
});

function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.75);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(40);
}
