import { createSocket } from 'node:dgram';
import { expect } from 'vitest';
import { type LogLine, useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { loopback } from '../../support/ports.js';
import { test } from '../../support/scope.js';
import { RegisteringPeer } from '../../support/sip-register.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { callFrom } from '../phone/support/callers.js';
import { client, sipPhone } from './support.js';

/** What registers in bad faith, or makes no sense, at the registrar of the gateway. */
const gateway = useGateway();
const guarded = useGateway({ env: { SONO_USERS: 'bob:sesame,carol' } });
const speex = { payloadType: 117, codec: 'speex/16000' };

test.concurrent('a Contact that leads back to the gateway: 404 to callers, and no loop', async ({ scope }) => {
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  const contacts = [gateway().sipUri('loop'), gateway().sipUri('loop2'), gateway().sipUri('nobody')];
  for (const uri of contacts) {
    expect((await peer.register('loop', { Contact: `<${uri}>` })).status).toBe(200);
  }
  const sipp = await callFrom(scope, gateway().sipUri('loop'), caller.isRefused(404, speex));
  await sipp.done();
  const isEnd = ({ msg, to = '' }: LogLine) => msg === 'call to a local address ended' && to.includes('sip:loop');
  await gateway().log.find('the end of the call', isEnd);
  expect(gateway().log.all.filter(isEnd)).toHaveLength(1);
});

test.concurrent.for([
  ['a line break in its Contact', { Contact: '<sip:a@127.0.0.1\n>' }],
  ['no address in its Contact', { Contact: 'nothing at all' }],
  ['a Contact of headers', { Contact: '<sip:a@127.0.0.1?Route=%3Csip:x%3E>' }],
  ['* to be kept', { Contact: '*', Expires: '3600' }],
  ['negative seconds', { Contact: '<sip:a@127.0.0.1>', Expires: '-1' }],
] as const)('a REGISTER with %s: 400', async ([, headers], { scope }) => {
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  expect((await peer.register('mallory', headers)).status).toBe(400);
});

test.concurrent('a REGISTER that is too brief: 423', async ({ scope }) => {
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  const answer = await peer.register('hasty', { Contact: '<sip:a@127.0.0.1>', Expires: '5' });
  expect([answer.status, answer.header('Min-Expires')]).toEqual([423, '60']);
});

test.concurrent('more places than allowed: 403', async ({ scope }) => {
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  for (let place = 0; place < 10; place++) {
    expect((await peer.register('many', { Contact: `<sip:a@127.0.0.1:${9000 + place}>` })).status).toBe(200);
  }
  expect((await peer.register('many', { Contact: '<sip:a@127.0.0.1:9999>' })).status).toBe(403);
});

test.concurrent('a flood of REGISTERs: 503 to its address, clients and calls go on', async ({ scope }) => {
  const peer = await RegisteringPeer.open(scope, guarded().sipPort);
  const flood = createSocket('udp4');
  scope.defer(() => void flood.close());
  const text = (count: number) =>
    [
      `REGISTER sip:${loopback} SIP/2.0`,
      `Via: SIP/2.0/UDP ${loopback}:9;branch=z9hG4bK-flood-${count}`,
      `From: <sip:bob@${loopback}>;tag=${count}`,
      `To: <sip:bob@${loopback}>`,
      `Call-ID: flood-${count}`,
      'CSeq: 1 REGISTER',
      ...['Max-Forwards: 70', 'Content-Length: 0', '', ''],
    ].join('\r\n');
  let count = 0;
  const flooding = setInterval(() => {
    for (let burst = 0; burst < 100; burst++) flood.send(text(++count), guarded().sipPort, loopback);
  }, 50);
  scope.defer(() => clearInterval(flooding));
  await expect.poll(async () => (await peer.register('carol', {})).status, { timeout: 10_000 }).toBe(503);
  const phone = await client(scope, guarded(), 'carol');
  const sipp = await callFrom(scope, guarded().sipUri('carol'), caller.isHungUpOn());
  await phone.acceptAndConnect();
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
});

test.concurrent('a name with a password, and a name that is none of the users: refused, with words', async ({
  scope,
}) => {
  const phone = await LibrtmpPhone.connect(scope, guarded().rtmpUrl());
  const outcomes = [
    ['bob', null],
    ['bob', null, 'guess'],
    ['dave', null],
  ].map((args) => phone.request('register', ...args));
  const descriptions = (await Promise.all(outcomes)).map(({ info }) => info.description?.slice(0, 3));
  // Each takes the place of the one before.
  expect(descriptions).toEqual(['rep', 'rep', '403']);
  expect((await phone.request('register', 'bob', null, 'guess')).info.description).toMatch(/^401 /);
  expect(await phone.register('bob', null, 'sesame')).toBe(guarded().sipUri('bob'));
});

test.concurrent('a call that has passed too many servers: 483', async ({ scope }) => {
  await sipPhone(scope, gateway(), 'far', callee.answers());
  const scenario = caller.isRefused(483, speex).replace('Max-Forwards: 70', 'Max-Forwards: 0');
  const sipp = await callFrom(scope, gateway().sipUri('far'), scenario);
  await sipp.done();
});

test.concurrent('a registered SIP phone that says nothing: the caller can give up', async ({ scope }) => {
  const silent = createSocket('udp4');
  scope.defer(() => void silent.close());
  await new Promise<void>((resolve) => silent.bind(0, loopback, resolve));
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  await peer.register('mute', { Contact: `<sip:mute@${loopback}:${silent.address().port}>` });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  phone.dial(gateway().sipUri('mute'));
  await phone.waitStatus(1);
  phone.hangup();
  expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 487 });
});

test.concurrent('an SDP too long for the server is refused, never sent on', async ({ scope }) => {
  const called = await Sipp.start(scope, { scenario: callee.answers(), timeLimitS: 20 });
  const peer = await RegisteringPeer.open(scope, gateway().sipPort);
  await peer.register('long', { Contact: `<${called.uri()}>` });
  const long = Array.from({ length: 600 }, (_, index) => `a=x-line:${index}-${'x'.repeat(20)}`).join('\n');
  const scenario = caller.isRefused(500, speex).replace('a=ptime:20', `a=ptime:20\n${long}`);
  const sipp = await callFrom(scope, gateway().sipUri('long'), scenario, { transport: 'tcp' });
  await sipp.done();
  expect(await called.flow()).toEqual([]);
});
