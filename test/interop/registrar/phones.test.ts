import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Baresip } from '../../support/baresip.js';
import { compareSpeech } from '../../support/compare-speech.js';
import { useGateway } from '../../support/gateway.js';
import { Linphone } from '../../support/linphone.js';
import { type Scope, test } from '../../support/scope.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../../support/speech.js';
import { client } from './support.js';

/** Real SIP phones that register at the gateway with a password; all that are registered there call each other. */
const password = 'sesame';
const users = ['lena', 'lars', 'lucy', 'lotte', 'linda', 'beate'];
const SONO_USERS = `${users.map((user) => `${user}:${password}`).join(',')},guest,anna`;
const gateway = useGateway({ env: { SONO_USERS } });
/** baresip 1.0 gives up when it sees a challenge with SHA-256. */
const simple = useGateway({ env: { SONO_USERS, SONO_DIGEST_ALGORITHMS: 'MD5' } });
const speech = await speak();
const milliseconds = (samples: Int16Array) => (samples.length / sampleRate) * 1000;

async function linphone(scope: Scope, user: string, autoAnswer = false, at = gateway()): Promise<Linphone> {
  const phone = await Linphone.start(scope, { user, autoAnswer });
  await phone.register(at.sipUri(user), password);
  return phone;
}

function expectSpeech(heard: Int16Array): void {
  const comparison = compareSpeech(speech, heard);
  expect(comparison.correlation).toBeGreaterThan(0.7);
  expect(comparison.covered).toBeGreaterThan(0.95);
}

test.concurrent('an RTMP client calls linphone, which has registered with a password, and is heard', async ({
  scope,
}) => {
  const called = await linphone(scope, 'lena', true);
  const phone = await client(scope, gateway(), 'guest');
  await phone.dialAndConnect(gateway().sipUri('lena'));
  await phone.send(await encodeSpeex(speech));
  await sleep(1500);
  phone.hangup();
  await phone.waitStatus(0);
  await called.ended();
  expectSpeech(await called.heard());
}, 60_000);

test.concurrent('linphone calls an RTMP client by its name, and is heard', async ({ scope }) => {
  const calling = await linphone(scope, 'lars');
  const phone = await client(scope, gateway(), 'anna');
  calling.call(gateway().sipUri('anna'));
  const incoming = await phone.acceptAndConnect();
  await calling.connected();
  await calling.say(speech);
  await sleep(milliseconds(speech) + 1500);
  calling.hangUp();
  await phone.waitStatus(0);
  expect(incoming).toMatchObject({ uri: 'anna', from: expect.stringMatching(/^sip:lars@127\.0\.0\.1/) });
  expectSpeech(await decodeSpeex(phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1))));
}, 60_000);

test.concurrent('linphone calls baresip: they hear each other, their media do not pass the gateway', async ({
  scope,
}) => {
  const account = { address: simple().sipUri('beate'), password };
  // It hangs up when it has said all that it has to say: the other is to be heard to the end.
  const [before, after] = [sampleRate, 5 * sampleRate];
  const padded = new Int16Array(before + speech.length + after);
  padded.set(speech, before);
  const called = await Baresip.start(scope, { codec: 'PCMU', speech: padded, account });
  const calling = await linphone(scope, 'lucy', false, simple());
  calling.call(simple().sipUri('beate'));
  await calling.connected();
  await calling.say(speech);
  await calling.ended();
  expectSpeech(await calling.heard());
  expectSpeech(await called.heard());
  const isEnd = ({ msg, result }: { msg: string; result?: string }) =>
    msg === 'call to a local address ended' && result === 'completed';
  const line = await simple().log.find('the end of the call', isEnd);
  expect(line).not.toHaveProperty('media');
}, 60_000);

test.concurrent('linphone holds another linphone through the gateway, and goes on', async ({ scope }) => {
  const called = await linphone(scope, 'lotte', true);
  const calling = await linphone(scope, 'linda');
  calling.call(gateway().sipUri('lotte'));
  await calling.connected();
  await called.connected();
  calling.hold();
  await called.says('has been paused by');
  calling.resume();
  called.hangUp();
  await calling.ended();
}, 60_000);
