import { afterAll, beforeAll, expect } from 'vitest';
import { Gateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { loopback } from '../../support/ports.js';
import { Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { registrar } from '../../support/sipp-registrar.js';
import { caller } from '../../support/sipp-scenarios.js';
import { callFrom } from '../phone/support/callers.js';
import { Kamailio } from '../phone/support/kamailio.js';

/** A gateway that is told where its clients register: SONO_REGISTRAR. */
const fileScope = new Scope();
let kamailio: Kamailio;
let gateway: Gateway;
beforeAll(async () => {
  kamailio = await Kamailio.start(fileScope);
  gateway = await Gateway.start(fileScope, { env: { SONO_REGISTRAR: kamailio.address } });
});
afterAll(() => fileScope.close());

const connect = (scope: Scope, at = gateway) => LibrtmpPhone.connect(scope, at.rtmpUrl());

/** A gateway whose registrar is SIPp with this scenario. */
async function withRegistrar(scope: Scope, scenario: string) {
  const sipp = await Sipp.start(scope, { scenario });
  return { sipp, at: await Gateway.start(scope, { env: { SONO_REGISTRAR: `${loopback}:${sipp.port}` } }) };
}

test.concurrent('register(username) goes there, and the client is called through it', async ({ scope }) => {
  const phone = await connect(scope);
  expect(await phone.register('alice', null, kamailio.password)).toBe(kamailio.uri('alice'));
  const sipp = await callFrom(scope, kamailio.uri('alice'), caller.isHungUpOn());
  expect(await phone.acceptAndConnect()).toMatchObject({ uri: 'alice' });
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
});

test.concurrent('register() is answered at once, and the address is registered there too', async ({ scope }) => {
  const { sipp, at } = await withRegistrar(scope, registrar.grants());
  const phone = await connect(scope, at);
  const uri = await phone.register();
  expect(uri).toMatch(new RegExp(`^sip:[0-9a-f-]{36}@${loopback}:${sipp.port}$`));
  const { text } = await sipp.received(/^REGISTER/);
  expect(text).toContain(`\nTo: <${uri}>`);
  // Calls to the Contact ring at this client.
  const contact = /^Contact: <(sip:[^>]*)>/m.exec(text)?.[1] ?? '';
  const calling = await callFrom(scope, contact.replace(/;.*$/, ''), caller.isHungUpOn());
  await phone.acceptAndConnect();
  phone.hangup();
  await calling.done();
  phone.disconnect();
  await sipp.done();
});

test.concurrent('register() at a registrar that refuses: answered all the same, then Registration.Lost', async ({
  scope,
}) => {
  const phone = await connect(scope);
  await phone.register();
  expect((await phone.waitPush('Sono.Registration.Lost')).reason).toMatch(/^401 /);
});

test.concurrent('register() at a registrar that says nothing: answered all the same', async ({ scope }) => {
  const { sipp, at } = await withRegistrar(scope, registrar.saysNothing());
  const phone = await connect(scope, at);
  await phone.register();
  await sipp.received(/^REGISTER/);
  // The address leads to the client all the same, through the gateway's own SIP server.
  expect((await phone.request('register')).name).toBe('_result');
});

test.concurrent('a registration that the registrar does not renew is lost: Registration.Lost', async ({ scope }) => {
  const { sipp, at } = await withRegistrar(scope, registrar.grantsOnce(2));
  const phone = await connect(scope, at);
  await phone.register('bob');
  expect((await phone.waitPush('Sono.Registration.Lost')).reason).toBe('403 Forbidden');
  await sipp.done();
});

test.concurrent('a registrar that wants a longer time gets it: 423', async ({ scope }) => {
  const { sipp, at } = await withRegistrar(scope, registrar.wantsLonger(7200));
  const phone = await connect(scope, at);
  await phone.register('bob');
  phone.disconnect();
  await sipp.done();
});

test.concurrent('the gateway stops: its clients are unregistered first', async ({ scope }) => {
  const at = await Gateway.start(scope, { env: { SONO_REGISTRAR: kamailio.address } });
  const phones = [await connect(scope, at), await connect(scope, at)];
  for (const [index, phone] of phones.entries()) await phone.register(`stop${index}`, null, kamailio.password);
  const before = Date.now();
  at.signal('SIGTERM');
  expect(await at.exit()).toMatchObject({ code: 0 });
  expect(Date.now() - before).toBeLessThan(5_000);
  await Promise.all(phones.map((_, index) => kamailio.removed(`stop${index}`)));
});

test.concurrent('the gateway stops in time also where the registrar says nothing any more', async ({ scope }) => {
  const { at } = await withRegistrar(scope, registrar.grantsThenSilent());
  const phone = await connect(scope, at);
  await phone.register('bob');
  const before = Date.now();
  at.signal('SIGTERM');
  expect(await at.exit()).toMatchObject({ code: 0 });
  expect(Date.now() - before).toBeLessThan(5_000);
});
