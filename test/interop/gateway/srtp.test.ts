import { describe, expect } from 'vitest';
import { Baresip, type BaresipOptions } from '../../support/baresip.js';
import { compareSpeech, type SpeechComparison } from '../../support/compare-speech.js';
import { type Gateway, type LogLine, useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { Linphone } from '../../support/linphone.js';
import { type Scope, test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../../support/speech.js';

/** One gateway for each value of SONO_SRTP, `accept` being the default. All that they can log is logged. */
const logAll = { SONO_LOG_LEVEL: 'trace' };
const gateways = {
  off: useGateway({ env: { ...logAll, SONO_SRTP: 'off' } }),
  accept: useGateway({ env: logAll }),
  offer: useGateway({ env: { ...logAll, SONO_SRTP: 'offer' } }),
  require: useGateway({ env: { ...logAll, SONO_SRTP: 'require' } }),
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

const message = await encodeSpeex(padded(ours, 1, 3));

/** As the log names who is called. */
const userOf = (uri: string) => uri.slice('sip:'.length).split('@')[0] ?? '';

const startBaresip = (scope: Scope, encryption?: BaresipOptions['encryption']) =>
  Baresip.start(scope, { codec: 'PCMU', speech: padded(theirs, 2, 9), ...(encryption && { encryption }) });

async function bothHear(phone: LibrtmpPhone, baresip: Baresip): Promise<void> {
  await phone.send(message);
  phone.hangup();
  await phone.waitStatus(0);
  const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
  expectAlike(compareSpeech(theirs, await decodeSpeex(packets)));
  expectAlike(compareSpeech(ours, await baresip.heard()));
}

function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.8);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(40);
}

function expectEncrypted(media: unknown): void {
  expect(media).toMatchObject({ codec: 'pcmu/8000', srtp: 'AES_CM_128_HMAC_SHA1_80', replayed: 0, lost: 0 });
}

/** The log says why. */
async function callRefused(gateway: Gateway, reason: string): Promise<void> {
  const isRefusal = (line: LogLine) => line.msg === 'call ended' && line.result === 'no-codec';
  expect(await gateway.log.find('the refusal', isRefusal)).toMatchObject({ reason });
}

/** Neither the name that comes before a key nor anything as long as one. */
function expectNoKeys(gateway: Gateway): void {
  const text = gateway.errors.join('\n');
  expect(text).toContain('call ended');
  expect(text).not.toMatch(/inline:|[A-Za-z0-9+/]{38,}/);
}

describe('an RTMP phone calls baresip, and they hear each other encrypted', () => {
  test.concurrent.for([
    ['offer', 'srtp'],
    ['require', 'srtp'],
    ['require', 'srtp-mand'],
  ] as const)('SONO_SRTP=%s, mediaenc=%s', async ([policy, encryption], { scope }) => {
    const gateway = gateways[policy]();
    const baresip = await startBaresip(scope, encryption);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(baresip.uri);
    await baresip.encrypted();
    await bothHear(phone, baresip);
    expectEncrypted((await gateway.callEnded(baresip.uri)).media);
    expectNoKeys(gateway);
  });
});

// 12.5 s: ours comes within 7.5 s, its own every 5 s.
test.concurrent.for([false, true])(
  "baresip and we read each other's encrypted reports, on the port of RTP: %s",
  { timeout: 40_000 },
  async (rtcpMux, { scope }) => {
    const gateway = gateways.offer();
    const silence = new Int16Array(13 * sampleRate);
    const baresip = await Baresip.start(scope, { codec: 'PCMU', speech: silence, encryption: 'srtp', rtcpMux });
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(baresip.uri);
    await phone.send(await encodeSpeex(silence));
    phone.hangup();
    await phone.waitStatus(0);
    // Only who has read our report can tell how long it took.
    const { media } = await gateway.callEnded(baresip.uri);
    expect(media?.roundTripMs).toBeLessThan(500);
  },
);

describe('baresip calls an RTMP phone, and they hear each other encrypted', () => {
  test.concurrent.for(['srtp', 'srtp-mand', 'srtp-mandf'] as const)('mediaenc=%s', async (encryption, { scope }) => {
    const gateway = gateways.accept();
    const baresip = await startBaresip(scope, encryption);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    const uri = await phone.register();
    baresip.call(uri);
    await phone.acceptAndConnect();
    await baresip.encrypted();
    await bothHear(phone, baresip);
    expectEncrypted((await gateway.callEnded(userOf(uri))).media);
    expectNoKeys(gateway);
  });
});

describe('a far end that does not encrypt', () => {
  test.concurrent('is called all the same where encryption is offered', async ({ scope }) => {
    const gateway = gateways.offer();
    const baresip = await startBaresip(scope);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(baresip.uri);
    await bothHear(phone, baresip);
    const { media } = await gateway.callEnded(baresip.uri);
    expect(media).toMatchObject({ codec: 'pcmu/8000', lost: 0 });
    expect(media).not.toHaveProperty('srtp');
  });

  test.concurrent('is not called where encryption is required', async ({ scope }) => {
    const gateway = gateways.require();
    const baresip = await startBaresip(scope);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    phone.dial(baresip.uri);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 488 });
  });

  test.concurrent('cannot call where encryption is required', async ({ scope }) => {
    const gateway = gateways.require();
    const baresip = await startBaresip(scope);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    baresip.call(await phone.register());
    await baresip.refused('488');
    expect(phone.calls).toEqual([]);
    await callRefused(gateway, 'no SRTP in common: the far end speaks RTP/AVP, and SRTP is required');
  });
});

test.concurrent('a far end that insists on encryption cannot call where it is off', async ({ scope }) => {
  const gateway = gateways.off();
  const baresip = await startBaresip(scope, 'srtp-mand');
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  baresip.call(await phone.register());
  await baresip.refused('488');
  await callRefused(gateway, 'no SRTP in common: the far end wants SRTP (RTP/SAVP), which is turned off');
});

describe('linphone and an RTMP phone hear each other in Speex, encrypted', () => {
  async function bothHearLinphone(phone: LibrtmpPhone, linphone: Linphone): Promise<void> {
    await linphone.connected();
    await Promise.all([linphone.say(theirs), phone.send(await encodeSpeex(padded(ours, 0, 3)))]);
    phone.hangup();
    await phone.waitStatus(0);
    await linphone.ended();
    const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
    expectAlike(compareSpeech(theirs, await decodeSpeex(packets)));
    expectAlike(compareSpeech(ours, await linphone.heard()));
  }

  const figures = { codec: 'speex/16000', srtp: 'AES_CM_128_HMAC_SHA1_80', forged: 0, replayed: 0, lost: 0 };

  test.concurrent('which the RTMP phone calls', async ({ scope }) => {
    const gateway = gateways.require();
    const linphone = await Linphone.start(scope, { autoAnswer: true, encrypted: true });
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(linphone.uri);
    await bothHearLinphone(phone, linphone);
    expect((await gateway.callEnded(linphone.uri)).media).toMatchObject(figures);
  });

  test.concurrent('which calls the RTMP phone', async ({ scope }) => {
    const gateway = gateways.accept();
    const linphone = await Linphone.start(scope, { encrypted: true });
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    const uri = await phone.register();
    linphone.call(uri);
    await phone.acceptAndConnect();
    await bothHearLinphone(phone, linphone);
    expect((await gateway.callEnded(userOf(uri))).media).toMatchObject(figures);
  });
});
