import { expect } from 'vitest';
import { type LogLine, useGateway } from '../../support/gateway.js';
import type { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { type Scope, test } from '../../support/scope.js';
import type { Sipp } from '../../support/sipp.js';
import { bridged } from '../../support/sipp-bridged.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { callFrom, flowOf } from '../phone/support/callers.js';
import { client, sipPhone } from './support.js';

/** Who registers at the gateway calls whom: RTMP clients and SIP phones, one and several of them under one name. */
const gateway = useGateway();
const frames = await encodeSpeex(await speak('One, two, three.'));
const speex = { payloadType: 117, codec: 'speex/16000' };

const rtmp = (scope: Scope, user: string): Promise<LibrtmpPhone> => client(scope, gateway(), user);
const sip = (scope: Scope, user: string, scenario: string): Promise<Sipp> => sipPhone(scope, gateway(), user, scenario);
const call = (scope: Scope, user: string, scenario: string): Promise<Sipp> =>
  callFrom(scope, gateway().sipUri(user), scenario);

/** How the call between phones to this user ended, as the log has it. */
const ended = (user: string): Promise<LogLine> =>
  gateway().log.find(
    `the end of the call to ${user}`,
    ({ msg, to }) => msg === 'call to a local address ended' && to?.includes(`sip:${user}@`) === true,
  );

test.concurrent('two RTMP clients call each other by name, hear every frame, and are two calls in the log', async ({
  scope,
}) => {
  const [alice, bob] = [await rtmp(scope, 'alice'), await rtmp(scope, 'bob')];
  alice.dial('bob');
  expect(await bob.waitIncoming()).toMatchObject({ uri: 'bob', from: gateway().sipUri('alice') });
  bob.accept();
  await Promise.all([alice, bob].map((phone) => phone.waitStatus(2).then(() => phone.waitStreams())));
  await alice.send(frames);
  expect((await bob.waitAudio(frames.length)).map(({ hex }) => hex)).toEqual(
    frames.map((frame) => frame.toString('hex')),
  );
  bob.hangup();
  await Promise.all([alice, bob].map((phone) => phone.waitStatus(0)));
  expect(alice.statuses.filter((status) => status !== 1)).toEqual([4, 2, 0]);
  expect(bob.statuses).toEqual([4, 2, 3, 0]);
  const isOf = ({ msg, from }: LogLine & { from?: string }) =>
    msg === 'call started' && from === gateway().sipUri('alice');
  expect(gateway().log.all.filter(isOf)).toHaveLength(2);
});

test.concurrent('an RTMP client is sent a text by name', async ({ scope }) => {
  const [alice, bob] = [await rtmp(scope, 'tom'), await rtmp(scope, 'tina')];
  expect(await alice.request('sendMessage', 'tina', 'hello')).toMatchObject({ name: '_result' });
  expect(await bob.waitPush('Sono.Message')).toMatchObject({ from: gateway().sipUri('tom'), text: 'hello' });
});

test.concurrent('a name that was taken back, and one that nobody has: 404', async ({ scope }) => {
  const [caller, gone] = [await rtmp(scope, 'nick'), await rtmp(scope, 'nora')];
  await gone.unregister();
  for (const user of ['nora', 'nobody']) {
    await expect
      .poll(async () => {
        caller.dial(user);
        return (await caller.waitStatus(0)).sip_status;
      })
      .toBe(404);
  }
});

test.concurrent('an RTMP client calls a SIP phone by name', async ({ scope }) => {
  const sipp = await sip(scope, 'sue', callee.answers());
  const phone = await rtmp(scope, 'rolf');
  await phone.dialAndConnect(gateway().sipUri('sue'));
  await phone.send(frames);
  await phone.waitAudio(frames.length);
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  const { text } = await sipp.received(/^INVITE/);
  expect(text).toMatch(new RegExp(`^From: [^\\n]*<${gateway().sipUri('rolf')}>`, 'm'));
  expect(text).toMatch(new RegExp(`^To: <${gateway().sipUri('sue')}`, 'm'));
});

test.concurrent('a SIP phone calls an RTMP client by name', async ({ scope }) => {
  const phone = await rtmp(scope, 'ruth');
  const sipp = await call(scope, 'ruth', caller.isHungUpOn());
  expect(await phone.acceptAndConnect()).toMatchObject({ uri: 'ruth', from: sipp.uri() });
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  expect(phone.statuses).toEqual([4, 2, 3, 0]);
});

test.concurrent('a SIP phone calls another and hangs up: the media are theirs alone', async ({ scope }) => {
  const called = await sip(scope, 'sam', callee.answers());
  const calling = await call(scope, 'sam', caller.talks({ ms: 300, ...speex }));
  await Promise.all([calling.done(), called.done()]);
  const port = (text: string) => /^m=audio (\d+)/m.exec(text)?.[1];
  const [offer, offered] = [await calling.sent(/^INVITE/), await called.received(/^INVITE/)];
  const [answer, answered] = [await called.sent(/^SIP\/2\.0 200/), await calling.received(/^SIP\/2\.0 200/)];
  expect([port(offered.text), port(answered.text)]).toEqual([port(offer.text), port(answer.text)]);
  expect(await ended('sam')).toMatchObject({ result: 'completed' });
});

test.concurrent('the called SIP phone hangs up', async ({ scope }) => {
  const called = await sip(scope, 'sara', callee.hangsUp(300));
  const calling = await call(scope, 'sara', caller.isHungUpOn(speex));
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('the caller of a SIP phone gives up: CANCEL', async ({ scope }) => {
  const called = await sip(scope, 'saul', callee.rings());
  const calling = await call(scope, 'saul', caller.cancels());
  await Promise.all([calling.done(), called.done()]);
  expect(await ended('saul')).toMatchObject({ result: 'cancelled' });
});

test.concurrent.for([
  ['486 Busy Here', 486, 'busy'],
  ['603 Decline', 603, 'declined'],
  ['404 Not Found', 404, 'not-found'],
  // What another server cannot do says nothing about this one (RFC 3261 section 16.7).
  ['503 Service Unavailable', 500, 'refused'],
] as const)('a SIP phone refuses with %s: %i', async ([status, expected, result], { scope }) => {
  const user = `refuses${status.slice(0, 3)}`;
  const called = await sip(scope, user, callee.refuses(status));
  const calling = await call(scope, user, caller.isRefused(expected, speex));
  await Promise.all([calling.done(), called.done()]);
  expect(await ended(user)).toMatchObject({ result, sipStatus: expected });
});

test.concurrent('a registered SIP phone that is not there any more: 500, at once', async ({ scope }) => {
  const called = await sip(scope, 'ghost', callee.refuses('486 Busy Here'));
  await call(scope, 'ghost', caller.isRefused(486, speex)).then((calling) => calling.done());
  await called.done();
  await call(scope, 'ghost', caller.isRefused(500, speex)).then((calling) => calling.done());
});

test.concurrent('what SIP phones say within a call goes from one to the other, and is answered there', async ({
  scope,
}) => {
  const called = await sip(scope, 'talk', bridged.callee());
  const calling = await call(scope, 'talk', bridged.caller());
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('a SIP phone that wants to hear an offer gets that of the other', async ({ scope }) => {
  const called = await sip(scope, 'late', bridged.offers());
  const calling = await call(scope, 'late', bridged.asksForOffer());
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('one name, an RTMP client and a SIP phone: both ring, the client answers, the phone is cancelled', async ({
  scope,
}) => {
  const called = await sip(scope, 'two', callee.rings());
  const phone = await rtmp(scope, 'two');
  const calling = await call(scope, 'two', caller.isHungUpOn());
  await called.sent(/^SIP\/2\.0 180/);
  await phone.acceptAndConnect();
  await called.done();
  phone.hangup();
  await phone.waitStatus(0);
  await calling.done();
});

test.concurrent('the SIP phone answers, the client hears no more of it: 0', async ({ scope }) => {
  const phone = await rtmp(scope, 'duo');
  const called = await sip(scope, 'duo', bridged.answersAfter(500));
  const calling = await call(scope, 'duo', caller.talks({ ms: 500, ...speex }));
  await phone.waitIncoming();
  await phone.waitStatus(0);
  await Promise.all([calling.done(), called.done()]);
  expect(phone.statuses).toEqual([0]);
});

test.concurrent('two clients of one name: both ring, the second answers, the first gets 0', async ({ scope }) => {
  const [first, second] = [await rtmp(scope, 'twin'), await rtmp(scope, 'twin')];
  const calling = await call(scope, 'twin', caller.isHungUpOn());
  await Promise.all([first, second].map((phone) => phone.waitIncoming()));
  second.accept();
  await second.waitStatus(2);
  await first.waitStatus(0);
  second.hangup();
  await second.waitStatus(0);
  await calling.done();
  expect([first.statuses, second.statuses]).toEqual([[0], [4, 2, 3, 0]]);
});

test.concurrent('the caller of three places gives up: all of them hear it', async ({ scope }) => {
  const phones = [await rtmp(scope, 'trio'), await rtmp(scope, 'trio')];
  const called = await sip(scope, 'trio', callee.rings());
  const calling = await call(scope, 'trio', bridged.cancelsAfter(700));
  await Promise.all(phones.map((phone) => phone.waitIncoming()));
  await Promise.all(phones.map((phone) => phone.waitStatus(0)));
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('all of three places refuse: the caller hears the one that says most', async ({ scope }) => {
  const phone = await rtmp(scope, 'none');
  const called = await sip(scope, 'none', callee.refuses('404 Not Found'));
  const calling = await call(scope, 'none', caller.isRefused(486, speex));
  await phone.waitIncoming();
  phone.hangup();
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('one of two places declines for all: the other rings no more', async ({ scope }) => {
  const phone = await rtmp(scope, 'once');
  const called = await sip(scope, 'once', callee.rings());
  const calling = await call(scope, 'once', caller.isRefused(603, speex));
  await phone.waitIncoming();
  await called.sent(/^SIP\/2\.0 180/);
  phone.call('reject', 603);
  await Promise.all([calling.done(), called.done()]);
});

test.concurrent('no codec in common: 488 before anything rings', async ({ scope }) => {
  const phone = await rtmp(scope, 'deaf');
  const calling = await call(scope, 'deaf', caller.isRefused(488, { payloadType: 18, codec: 'G729/8000' }));
  await calling.done();
  expect(phone.calls).toEqual([]);
  expect(await flowOf(calling)).toEqual(['< INVITE', '> 100', '> 488', '< ACK']);
});
