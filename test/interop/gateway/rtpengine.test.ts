import { expect } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../../support/speech.js';
import { TranscodingProxy } from './support/transcoding-proxy.js';

/** Speex of ours, decoded and encoded by rtpengine, with and without SRTP: an RTMP phone and baresip hear each other. */
const gateways = {
  off: useGateway({ env: { SONO_SRTP: 'off' } }),
  offer: useGateway({ env: { SONO_SRTP: 'offer' } }),
  require: useGateway({ env: { SONO_SRTP: 'require' } }),
};
const [ours, theirs] = await Promise.all([
  speak('One, two, three, four.'),
  speak('Nothing of all this was ever mentioned.'),
]);

/** With seconds of silence before, in which the call is set up, and after. */
function padded(speech: Int16Array, before: number, after: number): Int16Array {
  const samples = new Int16Array(speech.length + (before + after) * sampleRate);
  samples.set(speech, before * sampleRate);
  return samples;
}

const encrypted = { srtp: 'AES_CM_128_HMAC_SHA1_80', forged: 0, replayed: 0 };

test.concurrent.for([
  ['off', {}],
  ['offer', encrypted],
  ['require', encrypted],
] as const)('SONO_SRTP=%s', async ([policy, figures], { scope }) => {
  const gateway = gateways[policy]();
  const baresip = await Baresip.start(scope, { codec: 'PCMU', speech: padded(theirs, 2, 9) });
  const proxy = await TranscodingProxy.start(scope, baresip);
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  await phone.dialAndConnect(proxy.uri);
  await phone.send(await encodeSpeex(padded(ours, 1, 3)));
  phone.hangup();
  await phone.waitStatus(0);
  const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
  expectAlike(compareSpeech(theirs, await decodeSpeex(packets)));
  expectAlike(compareSpeech(ours, await baresip.heard()));
  const { media } = await gateway.callEnded(proxy.uri);
  const passed = { codec: 'speex/16000', transcodedFromClient: 0, transcodedToClient: 0, lost: 0 };
  expect(media).toMatchObject({ ...passed, ...figures });
});

/** Two decoders, an encoder and a band of 4 kHz lie between. */
function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.75);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(40);
}
