import { beforeAll, describe, expect, test } from 'vitest';
import { CodecPhone, decodeHeard, opusMessages, type Says } from '../../support/codec-phone.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { Linphone } from '../../support/linphone.js';
import { encodeOpus } from '../../support/ogg.js';
import { Scope } from '../../support/scope.js';
import { audioMessages, encodeFlvAs, type FlvAudio, sampleRate, speak } from '../../support/speech.js';

const gateway = useGateway();
const [speech, theirs] = await Promise.all([
  speak('The quick brown fox jumps over the lazy dog. One, two, three.'),
  speak('Nothing of all this was ever mentioned by anybody over there.'),
]);

/** A second of silence before, in which the other side starts to listen. */
function afterSilence(samples: Int16Array): Int16Array {
  const all = new Int16Array(samples.length + sampleRate);
  all.set(samples, sampleRate);
  return all;
}
const spoken = afterSilence(speech);

interface Case {
  readonly name: string;
  /** What the phone says in connect that it plays: bits of audioCodecs, or names. */
  readonly says: Says;
  readonly messages: () => Promise<readonly FlvAudio[]>;
  readonly far: (scope: Scope) => Promise<Linphone>;
  readonly report: Readonly<Record<string, string | number>>;
}

const wideband = (scope: Scope) => Linphone.start(scope, { autoAnswer: true });
const ffmpegMakes = (options: readonly string[]) => async () => audioMessages(await encodeFlvAs(spoken, options));

const cases: readonly Case[] = [
  {
    name: 'Nellymoser of 8 kHz',
    says: { audioCodecs: 0x20 },
    messages: ffmpegMakes(['-c:a', 'nellymoser', '-ar', '8000']),
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'nelly8', heard: 'nelly8' },
  },
  {
    name: 'AAC',
    says: { audioCodecs: 0x400 },
    messages: ffmpegMakes(['-c:a', 'aac', '-ar', '44100']),
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'aac', heard: 'aac' },
  },
  {
    name: 'MP3',
    says: { audioCodecs: 0x4 },
    messages: ffmpegMakes(['-c:a', 'libmp3lame', '-ar', '44100']),
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'mp3', heard: 'mp3' },
  },
  {
    name: 'Speex and Nellymoser, and goes from one to the other',
    says: { audioCodecs: 0x820 },
    messages: async () => {
      const speex = await ffmpegMakes(['-c:a', 'libspeex', '-ar', '16000'])();
      const nelly = await ffmpegMakes(['-c:a', 'nellymoser', '-ar', '8000'])();
      // In the silence before the speech: what queues up while a process starts is dropped.
      const changeAt = 600;
      return [
        ...speex.filter(({ timestamp }) => timestamp < changeAt),
        ...nelly.filter(({ timestamp }) => timestamp >= changeAt),
      ];
    },
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'nelly8', heard: 'speex', transcodedToClient: 0 },
  },
  {
    name: 'G.711, and sends Speex',
    says: { audioCodecs: 0x100 },
    messages: ffmpegMakes(['-c:a', 'libspeex', '-ar', '16000']),
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'speex', heard: 'pcmu' },
  },
  ...[20, 40].map(
    (duration): Case => ({
      name: `Opus, in packets of ${duration} ms`,
      says: { fourCcList: ['Opus'] },
      messages: async () => opusMessages(await encodeOpus(spoken, duration), duration),
      far: (scope) => Linphone.start(scope, { only: 'opus', autoAnswer: true }),
      report: {
        ...{ codec: 'opus/48000', clientCodec: 'opus', heard: 'opus' },
        ...{ transcodedFromClient: 0, transcodedToClient: 0 },
      },
    }),
  ),
  {
    name: 'Opus and Nellymoser, and calls a phone that has neither',
    says: { audioCodecs: 0x40, fourCcList: ['Opus'] },
    messages: async () => opusMessages(await encodeOpus(spoken), 20),
    far: wideband,
    report: { codec: 'speex/16000', clientCodec: 'opus', heard: 'opus' },
  },
];

interface Heard {
  readonly atPhone: readonly FlvAudio[];
  readonly atFarEnd: Int16Array;
  readonly media: Readonly<Record<string, number | string>> | undefined;
}

/** Two calls at a time, and only then the comparisons, which leave these phones no time to speak. */
const heard = new Map<string, Heard>();
beforeAll(async () => {
  const scope = new Scope();
  try {
    const waiting = [...cases];
    const talkOn = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) heard.set(next.name, await talk(scope, next));
    };
    await Promise.all([talkOn(), talkOn()]);
  } finally {
    await scope.close();
  }
}, 120_000);

async function talk(scope: Scope, { says, messages, far }: Case): Promise<Heard> {
  const sent = await messages();
  const linphone = await far(scope);
  const phone = await CodecPhone.call(scope, gateway(), linphone.uri, says);
  await linphone.connected();
  await Promise.all([linphone.say(afterSilence(theirs)), phone.send(sent)]);
  phone.hangup();
  const { media } = await gateway().callEnded(linphone.uri);
  return { atPhone: phone.heard, atFarEnd: await linphone.heard(), media };
}

describe.each(cases)('a phone that plays nothing but $name', ({ name, report }) => {
  test('is heard', () => {
    const { media, atFarEnd } = found(name);
    expect(media).toMatchObject({ ...report, unsupportedFromClient: 0, malformedFromClient: 0 });
    expectAlike(compareSpeech(speech, atFarEnd));
  });

  test('hears', async () => expectAlike(compareSpeech(theirs, await decodeHeard(found(name).atPhone))));
});

function found(name: string): Heard {
  const one = heard.get(name);
  if (one === undefined) throw new Error(`there was no call of ${name}`);
  return one;
}

/** What codecs, resampling and the phone's jitter buffer leave of a voice. */
function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.8);
  expect(covered).toBeGreaterThan(0.95);
  // linphone puts 20 ms of silence in the place of each packet that a busy machine brings too late.
  expect(longestGapMs).toBeLessThanOrEqual(60);
}
