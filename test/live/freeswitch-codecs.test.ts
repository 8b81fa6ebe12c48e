import { describe, expect } from 'vitest';
import { Baresip } from '../support/baresip.js';
import { CodecPhone, decodeHeard, opusMessages, type Says } from '../support/codec-phone.js';
import { compareSpeech } from '../support/compare-speech.js';
import { Linphone } from '../support/linphone.js';
import { encodeOpus } from '../support/ogg.js';
import { test } from '../support/scope.js';
import { audioMessages, encodeFlvAs, encodeSpeex, type FlvAudio, speexByte } from '../support/speech.js';
import { speexCodec } from '../support/speex.js';
import { callEnded, connectPhone, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { type Engine, expectAlike, heardBy, joined, ours, silence, startGateway, theirs } from './freeswitch-calls.js';
import { useFreeSwitch } from './freeswitch-server.js';
import { gatewayEnvironment } from './settings.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();
const env = gatewayEnvironment(settings);

const spoken = joined(silence(1), ours, silence(1));
const answered = joined(silence(1), theirs, silence(1));

interface Client {
  readonly name: string;
  /** What it says in connect that it plays: bits of audioCodecs, or names. */
  readonly says: Says;
  readonly messages: () => Promise<readonly FlvAudio[]>;
  readonly clientCodec: string;
}

const ffmpegMakes = (options: readonly string[]) => async () => audioMessages(await encodeFlvAs(spoken, options));
const clients = {
  narrowband: {
    name: 'Speex of 8 kHz',
    says: { audioCodecs: 0x800 },
    messages: () => narrowbandMessages(spoken),
    clientCodec: 'speex',
  },
  pcmu: {
    name: 'PCMU',
    says: { audioCodecs: 0x100 },
    messages: ffmpegMakes(['-c:a', 'pcm_mulaw', '-ar', '8000']),
    clientCodec: 'pcmu',
  },
  pcma: {
    name: 'PCMA',
    says: { audioCodecs: 0x80 },
    messages: ffmpegMakes(['-c:a', 'pcm_alaw', '-ar', '8000']),
    clientCodec: 'pcma',
  },
  nellymoser: {
    name: 'Nellymoser',
    says: { audioCodecs: 0x40 },
    messages: ffmpegMakes(['-c:a', 'nellymoser', '-ar', '16000']),
    clientCodec: 'nelly16',
  },
  aac: {
    name: 'AAC',
    says: { audioCodecs: 0x400 },
    messages: ffmpegMakes(['-c:a', 'aac', '-ar', '44100']),
    clientCodec: 'aac',
  },
  opus: {
    name: 'Opus',
    says: { fourCcList: ['Opus'] },
    messages: async () => opusMessages(await encodeOpus(spoken, 20), 20),
    clientCodec: 'opus',
  },
} satisfies Record<string, Client>;

/** Speex of 8 kHz in Flash's messages: FFmpeg puts only wideband into FLV. */
async function narrowbandMessages(samples: Int16Array): Promise<FlvAudio[]> {
  const encoder = (await speexCodec()).createEncoder({ sampleRate: 8000 });
  const halved = Int16Array.from({ length: samples.length >> 1 }, (_, at) => {
    return ((samples[2 * at] ?? 0) + (samples[2 * at + 1] ?? 0)) / 2;
  });
  const messages: FlvAudio[] = [];
  for (let at = 0; at + encoder.frameSize <= halved.length; at += encoder.frameSize) {
    const packet = encoder.encode(halved.subarray(at, at + encoder.frameSize));
    if (packet) messages.push({ timestamp: messages.length * 20, body: Buffer.from([speexByte, ...packet]) });
  }
  encoder.free();
  return messages;
}

describe('an RTMP phone and linphone hear each other', () => {
  const calls = [
    ['freeswitch', clients.narrowband, 'speex', 'freeswitch'],
    ['freeswitch', clients.narrowband, 'G722', 'freeswitch'],
    ['freeswitch', clients.pcmu, 'G722', 'freeswitch'],
    ['freeswitch', clients.pcmu, 'PCMU', 'freeswitch'],
    ['freeswitch', clients.pcma, 'opus', 'freeswitch'],
    ['freeswitch', clients.nellymoser, 'PCMA', 'freeswitch'],
    ['freeswitch', clients.aac, 'G722', 'freeswitch'],
    ['freeswitch', clients.opus, 'opus', 'freeswitch'],
    ['freeswitch', clients.opus, 'PCMU', 'freeswitch'],
    ['auto', clients.pcmu, 'PCMU', 'direct'],
    ['auto', clients.pcmu, 'opus', 'freeswitch'],
    ['auto', clients.nellymoser, 'G722', 'freeswitch'],
    ['auto', clients.opus, 'opus', 'direct'],
    ['auto', clients.opus, 'PCMA', 'freeswitch'],
  ] as const satisfies readonly (readonly [Engine, Client, string, string])[];

  test.for(
    calls.map(
      ([media, client, codec, engine]) =>
        [`${media}: ${client.name} and ${codec}`, media, client, codec, engine] as const,
    ),
  )('%s', async ([, media, { says, messages, clientCodec }, codec, engine], { scope }) => {
    const gateway = await startGateway(scope, media, freeSwitch(), { env });
    const linphone = await Linphone.start(scope, { autoAnswer: true, ...(codec !== 'speex' && { only: codec }) });
    const sent = await messages();
    const phone = await CodecPhone.call(scope, gateway, linphone.uri, says);
    await linphone.connected();
    await Promise.all([linphone.say(answered), phone.send(sent)]);
    phone.hangup();
    await linphone.ended();
    const { media: measured } = await callEnded(gateway, linphone.uri);
    expect(measured).toMatchObject({
      engine,
      clientCodec,
      codec: expect.stringContaining(codec.toLowerCase()),
      unsupportedFromClient: 0,
      malformedFromClient: 0,
    });
    expectAlike(compareSpeech(ours, await linphone.heard()));
    expectAlike(compareSpeech(theirs, await decodeHeard(phone.heard)));
    await freeSwitch().waitChannels(0);
  });
});

describe('a phone that calls', () => {
  test.for(['freeswitch', 'auto'] as const)('%s: linphone of Speex', async (media, { scope }) => {
    const gateway = await startGateway(scope, media, freeSwitch(), { env });
    const linphone = await Linphone.start(scope);
    const phone = await connectPhone(scope, gateway);
    linphone.call(await phone.register());
    await phone.acceptAndConnect();
    await linphone.connected();
    await Promise.all([linphone.say(answered), phone.send(await encodeSpeex(joined(spoken, silence(1))))]);
    linphone.hangUp();
    await phone.waitStatus(0);
    expectAlike(compareSpeech(ours, await linphone.heard()));
    expectAlike(compareSpeech(theirs, await heardBy(phone)));
    await freeSwitch().waitChannels(0);
  });

  test.for([
    ['freeswitch', 'PCMU'],
    ['freeswitch', 'PCMA'],
    ['auto', 'PCMU'],
  ] as const)('%s: baresip of %s', async ([media, codec], { scope }) => {
    const gateway = await startGateway(scope, media, freeSwitch(), { env });
    const phone = await connectPhone(scope, gateway);
    const address = await phone.register();
    // It speaks as soon as the call is up, and hangs up behind it.
    const baresip = await Baresip.start(scope, { codec, speech: joined(answered, silence(5)) });
    baresip.call(address);
    await phone.acceptAndConnect();
    phone.startSending(await encodeSpeex(joined(spoken, silence(5))));
    await phone.waitStatus(0);
    expectAlike(compareSpeech(ours, await baresip.heard()));
    expectAlike(compareSpeech(theirs, await heardBy(phone)));
    await freeSwitch().waitChannels(0);
  });
});
