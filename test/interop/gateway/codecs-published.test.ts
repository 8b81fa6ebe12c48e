import { describe, expect } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { publishFlv } from '../../support/ffmpeg.js';
import { useGateway } from '../../support/gateway.js';
import { Linphone } from '../../support/linphone.js';
import { test } from '../../support/scope.js';
import { encodeFlvAs, sampleRate, speak } from '../../support/speech.js';

const gateway = useGateway();
const speech = await speak('The quick brown fox jumps over the lazy dog. One, two, three.');

/** A second of silence before, in which the call is set up, and one after. */
const spoken = new Int16Array(speech.length + 2 * sampleRate);
spoken.set(speech, sampleRate);

/** Each codec as the gateway calls it, how FFmpeg encodes it, and what a wideband phone gets of it. */
const codecs: readonly (readonly [name: string, options: readonly string[], atLinphone: string])[] = [
  ['speex', ['-c:a', 'libspeex', '-ar', '16000'], 'speex/16000'],
  ['pcmu', ['-c:a', 'pcm_mulaw', '-ar', '8000'], 'pcmu/8000'],
  ['pcma', ['-c:a', 'pcm_alaw', '-ar', '8000'], 'pcma/8000'],
  ['nelly8', ['-c:a', 'nellymoser', '-ar', '8000'], 'speex/16000'],
  ['nelly16', ['-c:a', 'nellymoser', '-ar', '16000'], 'speex/16000'],
  ['aac', ['-c:a', 'aac', '-ar', '44100'], 'speex/16000'],
  ['mp3', ['-c:a', 'libmp3lame', '-ar', '44100'], 'speex/16000'],
];

describe.concurrent('FFmpeg publishes', () => {
  test.for(codecs)('%s, and linphone hears it', async ([clientCodec, options, codec], { scope }) => {
    const linphone = await Linphone.start(scope, { autoAnswer: true });
    const url = gateway().rtmpUrl(`dial/${linphone.uri}`);
    const publisher = await publishFlv(scope, url, await encodeFlvAs(spoken, options));
    expect(await publisher.end(20_000)).toMatchObject({ code: 0 });
    const { media } = await gateway().callEnded(linphone.uri);
    expect(media).toMatchObject({ clientCodec, codec, unsupportedFromClient: 0, malformedFromClient: 0 });
    expectAlike(compareSpeech(speech, await linphone.heard()), clientCodec);
  });

  test.for(codecs.filter(([name]) => ['pcma', 'nelly8'].includes(name)))(
    '%s, and baresip hears it as PCMU',
    async ([clientCodec, options], { scope }) => {
      const baresip = await Baresip.start(scope, { codec: 'PCMU', speech: new Int16Array(12 * sampleRate) });
      const url = gateway().rtmpUrl(`dial/${baresip.uri}`);
      const publisher = await publishFlv(scope, url, await encodeFlvAs(spoken, options));
      expect(await publisher.end(20_000)).toMatchObject({ code: 0 });
      const { media } = await gateway().callEnded(baresip.uri);
      expect(media).toMatchObject({
        clientCodec,
        codec: 'pcmu/8000',
        unsupportedFromClient: 0,
        malformedFromClient: 0,
      });
      expectAlike(compareSpeech(speech, await baresip.heard()), clientCodec);
    },
  );
});

/** What codecs, resampling and the phone's jitter buffer leave of a voice. */
function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison, codec: string): void {
  expect(correlation, codec).toBeGreaterThan(0.8);
  expect(covered, codec).toBeGreaterThan(0.95);
  expect(longestGapMs, codec).toBeLessThanOrEqual(40);
}
