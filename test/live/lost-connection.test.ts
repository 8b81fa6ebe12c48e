import { expect } from 'vitest';
import { Gateway } from '../support/gateway.js';
import { loopback } from '../support/ports.js';
import { type Scope, test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { answering } from '../support/sipp-in-call.js';
import { callee } from '../support/sipp-scenarios.js';
import { connectPhone, expectOneEndPerCall, frames, hexOf, settings, speakAndHear } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { Relay } from './relay.js';
import { gatewayEnvironment } from './settings.js';

useDrachtioServer(settings);

/** A gateway whose connection to the server can be cut, and a phone. */
async function start(scope: Scope) {
  const relay = await Relay.open(scope, settings);
  const through = gatewayEnvironment({ ...settings, host: loopback, port: relay.port });
  const gateway = await Gateway.start(scope, { env: through });
  const phone = await connectPhone(scope, gateway);
  /** Cuts the connection, and waits until the gateway has made another. */
  const loseConnection = async () => {
    const from = gateway.log.all.length;
    relay.cut();
    await gateway.log.find('the next login', ({ msg }) => msg === 'connected to the SIP server', { from });
  };
  return { gateway, phone, loseConnection };
}

test('a call keeps its media while the connection is lost, and its BYE goes over the next one', async ({ scope }) => {
  const { gateway, phone, loseConnection } = await start(scope);
  const sipp = await Sipp.start(scope, { scenario: answering.isAsked() });
  await phone.dialAndConnect(sipp.uri());
  await loseConnection();
  expect(await speakAndHear(phone)).toEqual(hexOf(frames));
  phone.hangup();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  await sipp.received(/^BYE/, 2_000);
  await sipp.done();
  await expectOneEndPerCall(gateway);
});

test('a call that rings when the connection is lost ends with 0, and the next one works', async ({ scope }) => {
  const { gateway, phone, loseConnection } = await start(scope);
  const ringing = await Sipp.start(scope, { scenario: callee.rings() });
  phone.dial(ringing.uri());
  await phone.waitStatus(1);
  await phone.waitStatus(1);
  await loseConnection();
  expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/drachtio server/) });
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  expect(await speakAndHear(phone)).toEqual(hexOf(frames));
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  await expectOneEndPerCall(gateway);
});

test('a call that rings when the connection is lost is cancelled over the next one', async ({ scope }) => {
  const { phone, loseConnection } = await start(scope);
  const ringing = await Sipp.start(scope, { scenario: callee.rings() });
  phone.dial(ringing.uri());
  await phone.waitStatus(1);
  await phone.waitStatus(1);
  await loseConnection();
  await ringing.received(/^CANCEL/, 5_000);
  await ringing.done();
});

test('a call whose far end is gone when the connection is back ends with 0', async ({ scope }) => {
  const { gateway, phone, loseConnection } = await start(scope);
  const sipp = await Sipp.start(scope, { scenario: answering.isGone() });
  await phone.dialAndConnect(sipp.uri());
  await loseConnection();
  expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/while the SIP server/) });
  await sipp.done();
  await expectOneEndPerCall(gateway);
});
