import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { Linphone } from '../../support/linphone.js';
import { freePort, loopback } from '../../support/ports.js';
import { Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { callFrom } from './support/callers.js';
import { goOn } from './support/go-on.js';
import { Kamailio } from './support/kamailio.js';

/** RTMP phones that register at a registrar, and are called through it. */
const gateway = useGateway();
const frames = await encodeSpeex(await speak('One, two, three.'));
const speex = { payloadType: 117, codec: 'speex/16000' };
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());

const fileScope = new Scope();
let kamailio: Kamailio;
beforeAll(async () => {
  kamailio = await Kamailio.start(fileScope);
});
afterAll(() => fileScope.close());

/** A phone that is registered under this name. */
async function registered(scope: Scope, user: string, at = kamailio): Promise<LibrtmpPhone> {
  const phone = await connect(scope);
  expect(await phone.register(user, at.address, at.password)).toBe(at.uri(user));
  return phone;
}

test.concurrent('SHA-256, and a registration granted for 4 s is refreshed before it ends', async ({ scope }) => {
  const strict = await Kamailio.start(scope, { expires: 4, algorithm: 'SHA-256' });
  const phone = await registered(scope, 'pat', strict);
  await strict.saved('pat', 3);
  expect(strict.registrations('pat')).not.toContain('expired pat');
  const sipp = await callFrom(scope, strict.uri('pat'), caller.isHungUpOn());
  await phone.acceptAndConnect();
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
}, 45_000);

test.concurrent('the caller of a registered phone hears every frame and hangs up: 4, 2, 0', async ({ scope }) => {
  const phone = await registered(scope, 'alice');
  const sipp = await callFrom(scope, kamailio.uri('alice'), caller.hangsUpWhenTold());
  const incoming = await phone.acceptAndConnect();
  await phone.send(frames);
  const audio = await phone.waitAudio(frames.length);
  await goOn(sipp);
  await phone.waitStatus(0);
  await sipp.done();
  expect(incoming.from).toBe(sipp.uri());
  expect(phone.statuses).toEqual([4, 2, 0]);
  expect(audio.map(({ hex }) => hex)).toEqual(frames.map((frame) => frame.toString('hex')));
  // The dialog went through the proxy: its requests had a route.
  const bye = (await sipp.messages()).find(({ text }) => text.startsWith('BYE'));
  expect(bye?.text).toMatch(new RegExp(`^Route: <sip:${loopback}:${kamailio.port};lr`, 'm'));
});

test.concurrent.for(['udp', 'tcp'] as const)(
  'a registered phone hangs up, the caller is on %s: 4, 2, 3, 0',
  async (transport, { scope }) => {
    const user = `bob-${transport}`;
    const phone = await registered(scope, user);
    const sipp = await callFrom(scope, kamailio.uri(user), caller.isHungUpOn(), { transport });
    await phone.acceptAndConnect();
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([4, 2, 3, 0]);
    const bye = await sipp.received(/^BYE/);
    // Two: Kamailio's, and the one of the gateway's server.
    expect(bye.text.match(/^Via:/gm)?.length).toBe(2);
  },
);

test.concurrent('the caller of a registered phone gives up: 487 through the proxy, 0', async ({ scope }) => {
  const phone = await registered(scope, 'carol');
  const sipp = await callFrom(scope, kamailio.uri('carol'), caller.cancels());
  await phone.waitIncoming();
  await phone.waitStatus(0);
  await sipp.done();
  expect(phone.statuses).toEqual([0]);
});

test.concurrent('linphone calls a registered phone', async ({ scope }) => {
  const phone = await registered(scope, 'dave');
  const linphone = await Linphone.start(scope);
  linphone.call(kamailio.uri('dave'));
  await phone.acceptAndConnect();
  await linphone.connected();
  linphone.hangUp();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([4, 2, 0]);
});

test.concurrent('two registered phones call each other through the proxy', async ({ scope }) => {
  const [erin, frank] = await Promise.all([registered(scope, 'erin'), registered(scope, 'frank')]);
  erin.dial(kamailio.uri('frank'));
  expect(await frank.waitIncoming()).toMatchObject({ from: kamailio.uri('erin') });
  frank.accept();
  await Promise.all([erin, frank].map((phone) => phone.waitStatus(2).then(() => phone.waitStreams())));
  await Promise.all([erin.send(frames), frank.send(frames)]);
  for (const phone of [erin, frank]) {
    const audio = await phone.waitAudio(frames.length);
    expect(audio.map(({ hex }) => hex)).toEqual(frames.map((frame) => frame.toString('hex')));
  }
  frank.hangup();
  await Promise.all([erin, frank].map((phone) => phone.waitStatus(0)));
  expect(frank.statuses).toEqual([4, 2, 3, 0]);
  expect(erin.statuses.filter((status) => status !== 1)).toEqual([4, 2, 0]);
});

test.concurrent('a registered phone calls out under its registered address', async ({ scope }) => {
  const phone = await registered(scope, 'grace');
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  const { text } = await sipp.received(/^INVITE/);
  expect(text).toMatch(new RegExp(`^From: [^\\n]*<${kamailio.uri('grace')}>`, 'm'));
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
});

test.concurrent.for([
  ['a wrong password', 'heidi', 'guess', /^401 /],
  ['no password', 'ivan', undefined, /^401 /],
  ['the password of another user', 'judy', { user: 'mallory', password: 'open sesame' }, /^403 /],
] as const)('register() with %s fails, and nobody is found', async ([, user, credentials, description], { scope }) => {
  const phone = await connect(scope);
  const { name, info } = await phone.request('register', user, kamailio.address, credentials);
  expect({ name, level: info.level, code: info.code }).toEqual({
    name: '_error',
    level: 'error',
    code: 'Sono.Registration.Failed',
  });
  expect(info.description).toMatch(description);
  const sipp = await callFrom(scope, kamailio.uri(user), caller.isRefused(404, speex));
  await sipp.done();
  // It can try again.
  expect(await phone.register(user, kamailio.address, kamailio.password)).toBe(kamailio.uri(user));
});

test.concurrent('register() where no registrar listens fails', async ({ scope }) => {
  const phone = await connect(scope);
  const { name, info } = await phone.request('register', 'kate', `${loopback}:${await freePort()}`, 'open sesame');
  expect({ name, code: info.code }).toEqual({ name: '_error', code: 'Sono.Registration.Failed' });
}, 45_000);

test.concurrent('unregister() takes the binding back: the next caller gets 404', async ({ scope }) => {
  const phone = await registered(scope, 'leo');
  await phone.unregister();
  await kamailio.removed('leo');
  const sipp = await callFrom(scope, kamailio.uri('leo'), caller.isRefused(404, speex));
  await sipp.done();
  expect(phone.calls).toEqual([]);
});

test.concurrent('a phone that vanishes is unregistered', async ({ scope }) => {
  const phone = await registered(scope, 'mia');
  await phone.vanish();
  await kamailio.removed('mia');
  const sipp = await callFrom(scope, kamailio.uri('mia'), caller.isRefused(404, speex));
  await sipp.done();
});

test.concurrent('another register() takes the first binding back', async ({ scope }) => {
  const phone = await registered(scope, 'nina');
  expect(await phone.register('nora', kamailio.address, kamailio.password)).toBe(kamailio.uri('nora'));
  await kamailio.removed('nina');
  const nobody = await callFrom(scope, kamailio.uri('nina'), caller.isRefused(404, speex));
  await nobody.done();
  const sipp = await callFrom(scope, kamailio.uri('nora'), caller.isHungUpOn());
  await phone.acceptAndConnect();
  phone.hangup();
  await sipp.done();
});

// The pause outlasts two repetitions (0.5 and 1.5 s); a busy machine may repeat a 200 once by itself.
test.concurrent.for([
  ['first', 'rita', 0],
  ['second', 'ruth', 1],
] as const)(
  'one address at two phones: the %s answers, confirmed once, the other hears no more of it',
  async ([, user, which], { scope }) => {
    const phones = [await registered(scope, user), await registered(scope, user)];
    const sipp = await callFrom(scope, kamailio.uri(user), caller.isHungUpOn());
    await Promise.all(phones.map((phone) => phone.waitIncoming()));
    const [answering, other] = which === 0 ? phones : phones.toReversed();
    answering?.accept();
    await answering?.waitStatus(2);
    await answering?.waitStreams();
    await other?.waitStatus(0);
    await sleep(1500);
    answering?.hangup();
    await answering?.waitStatus(0);
    await sipp.done();
    expect((await sipp.flow()).filter((line) => line === '> 200').length).toBe(1);
    expect([answering?.statuses, other?.statuses]).toEqual([[4, 2, 3, 0], [0]]);
  },
);

test.concurrent('one address at two phones, and the caller gives up: both hear it', async ({ scope }) => {
  const phones = [await registered(scope, 'rosa'), await registered(scope, 'rosa')];
  const sipp = await callFrom(scope, kamailio.uri('rosa'), caller.cancels(2));
  await Promise.all(phones.map((phone) => phone.waitIncoming()));
  await Promise.all(phones.map((phone) => phone.waitStatus(0)));
  await sipp.done();
  expect(phones.map(({ statuses }) => statuses)).toEqual([[0], [0]]);
});

test.concurrent('the phone is told who was called, not its Contact', async ({ scope }) => {
  const phone = await registered(scope, 'sam');
  const sipp = await callFrom(scope, kamailio.uri('sam'), caller.isRefused(486, speex));
  const incoming = await phone.waitIncoming();
  phone.hangup();
  await sipp.done();
  expect(incoming.uri).toBe('sam');
});
