import { describe, expect } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { Linphone } from '../../support/linphone.js';
import { test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, readAudio, sampleRate, speak } from '../../support/speech.js';
import { encodeG711 } from '../../support/telephone.js';

const gateway = useGateway();
const [ours, theirs] = await Promise.all([
  speak(),
  speak('Nothing of all this was ever mentioned by anybody over there.'),
]);

/** With seconds of silence before, in which the call is set up, and after. */
function padded(speech: Int16Array, before: number, after: number): Int16Array {
  const samples = new Int16Array(speech.length + (before + after) * sampleRate);
  samples.set(speech, before * sampleRate);
  return samples;
}

const baresipHears = async (baresip: Baresip) => compareSpeech(ours, await baresip.heard());

const rawFormats: Readonly<Record<number, string>> = { 130: 'mulaw', 114: 'alaw' };

/** What came in the codec that came last, and the octet that names it. */
const phoneHears = async (phone: LibrtmpPhone) => {
  const messages = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex'));
  const octet = messages.at(-1)?.[0] ?? 0;
  const packets = messages.filter(([first]) => first === octet).map((message) => message.subarray(1));
  const raw = rawFormats[octet];
  const heard =
    raw === undefined
      ? await decodeSpeex(packets)
      : await readAudio(Buffer.concat(packets), ['-f', raw, '-ar', '8000']);
  return { octet, before: messages.length - packets.length, comparison: compareSpeech(theirs, heard) };
};

describe.each(['PCMU', 'PCMA'] as const)('a far end of %s', (codec) => {
  const name = `${codec.toLowerCase()}/8000`;

  test.concurrent('baresip and an RTMP phone of Speex hear each other', async ({ scope }) => {
    const baresip = await Baresip.start(scope, { codec, speech: padded(theirs, 2, 9) });
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    await phone.dialAndConnect(baresip.uri);
    await phone.send(await encodeSpeex(padded(ours, 1, 1)));
    phone.hangup();
    await phone.waitStatus(0);
    const atPhone = await phoneHears(phone);
    expect(atPhone).toMatchObject({ octet: 0xb2, before: 0 });
    expectAlike(atPhone.comparison);
    expectAlike(await baresipHears(baresip));
    const { media } = await gateway().callEnded(baresip.uri);
    expect(media).toMatchObject({ engine: 'direct', codec: name, clientCodec: 'speex', lost: 0, remoteLost: 0 });
  });

  test.concurrent('linphone and an RTMP phone of Speex hear each other', async ({ scope }) => {
    const linphone = await Linphone.start(scope, { only: codec, autoAnswer: true });
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    await phone.dialAndConnect(linphone.uri);
    await linphone.connected();
    await Promise.all([linphone.say(theirs), phone.send(await encodeSpeex(padded(ours, 0, 2)))]);
    phone.hangup();
    await phone.waitStatus(0);
    await linphone.ended();
    const atPhone = await phoneHears(phone);
    expect(atPhone).toMatchObject({ octet: 0xb2, before: 0 });
    expectAlike(atPhone.comparison);
    expectAlike(compareSpeech(ours, await linphone.heard()));
    expect((await gateway().callEnded(linphone.uri)).media).toMatchObject({ codec: name, clientCodec: 'speex' });
  });

  test.concurrent('baresip and an RTMP client of the same law hear each other, passed through', async ({ scope }) => {
    const baresip = await Baresip.start(scope, { codec, speech: padded(theirs, 2, 9) });
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    const messages = (await encodeG711(padded(ours, 1, 1), codec)).map(({ body }) => body);
    const octets = messages.reduce((sum, { length }) => sum + length - 1, 0);
    await phone.dialAndConnect(baresip.uri);
    await phone.send(messages, { ms: octets / 8 / messages.length });
    phone.hangup();
    await phone.waitStatus(0);
    const atPhone = await phoneHears(phone);
    expect(atPhone.octet).toBe(codec === 'PCMU' ? 0x82 : 0x72);
    // Until the first message of the client says what it knows, it gets Speex.
    expect(atPhone.before).toBeLessThan(25);
    expectAlike(atPhone.comparison);
    expectAlike(await baresipHears(baresip));
    const { media } = await gateway().callEnded(baresip.uri);
    expect(media).toMatchObject({ codec: name, clientCodec: codec.toLowerCase(), transcodedFromClient: 0 });
  });
});

function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.8);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(40);
}
