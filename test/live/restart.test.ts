import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { Gateway } from '../support/gateway.js';
import type { LibrtmpPhone } from '../support/librtmp-phone.js';
import { type Scope, test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { answersAndStays } from './callees.js';
import { callEnded, connectPhone, expectOneEndPerCall, frames, hexOf, settings, speakAndHear } from './calls.js';
import { DrachtioServer } from './drachtio-server.js';
import { gatewayEnvironment } from './settings.js';

/** Starts the server, and a gateway that uses it. */
async function start(scope: Scope) {
  const command = settings.command ?? '';
  const startServer = () => DrachtioServer.start(scope, command, settings);
  const server = await startServer();
  const gateway = await Gateway.start(scope, { env: gatewayEnvironment(settings) });
  return { server, startServer, gateway };
}

async function waitReady(gateway: Gateway, status: 200 | 503, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(20)) {
    if ((await gateway.http('/readyz')).status === status) return;
  }
  throw new Error(`/readyz does not answer ${status} within ${timeoutMs} ms:\n${gateway.errors.join('\n')}`);
}

/** A call to a callee that answers, from dial to status 0. */
async function callAnew(scope: Scope, phone: LibrtmpPhone): Promise<void> {
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  expect(await speakAndHear(phone)).toEqual(hexOf(frames));
  phone.hangup();
  await phone.waitStatus(3);
  await phone.waitStatus(0);
  await sipp.done();
}

describe('the server is killed and comes back', { timeout: 60_000 }, () => {
  test.beforeEach(({ skip }) => {
    skip(settings.command === undefined, 'SONO_LIVE_DRACHTIO_COMMAND is not set: nobody can start the server again');
  });

  test('/readyz is 503 in between, a dial is refused in between and works afterwards', async ({ scope }) => {
    const { server, startServer, gateway } = await start(scope);
    const phone = await connectPhone(scope, gateway);
    await callAnew(scope, phone);
    await server.kill();
    await waitReady(gateway, 503, 1_000);
    expect(await phone.request('dial', 'sip:bob@127.0.0.1')).toMatchObject({
      name: '_error',
      info: { code: 'Sono.Call.Failed', description: expect.stringContaining('SIP server') },
    });
    await startServer();
    await waitReady(gateway, 200, 10_000);
    await callAnew(scope, phone);
    await expectOneEndPerCall(gateway);
  });

  test('a call that rings ends with 0', async ({ scope }) => {
    const { server, startServer, gateway } = await start(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connectPhone(scope, gateway);
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    await server.kill();
    expect(await phone.waitStatus(0, 2_000)).toMatchObject({ reason: expect.stringMatching(/drachtio server/) });
    expect(phone.statuses).toEqual([1, 1, 0]);
    expect(await callEnded(gateway, sipp.uri())).toMatchObject({ result: 'signalling-failed' });
    await startServer();
    await waitReady(gateway, 200, 10_000);
    await callAnew(scope, phone);
    await expectOneEndPerCall(gateway);
  });

  test('a call that is up keeps its media until a server is back that does not know it: 0', async ({ scope }) => {
    const { server, startServer, gateway } = await start(scope);
    const sipp = await Sipp.start(scope, { scenario: answersAndStays() });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    await server.kill();
    await waitReady(gateway, 503, 1_000);
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    await startServer();
    expect(await phone.waitStatus(0)).toMatchObject({ reason: 'the SIP server does not know the call any more' });
    expect(phone.statuses).toEqual([1, 4, 2, 0]);
    await waitReady(gateway, 200, 10_000);
    await callEnded(gateway, sipp.uri());
    await callAnew(scope, phone);
    await expectOneEndPerCall(gateway);
  });

  test('a call that is up hangs up while the server is away: 3, 0', async ({ scope }) => {
    const { server, startServer, gateway } = await start(scope);
    const sipp = await Sipp.start(scope, { scenario: answersAndStays() });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    await server.kill();
    await waitReady(gateway, 503, 1_000);
    phone.hangup();
    await phone.waitStatus(3);
    await phone.waitStatus(0, 6_000);
    expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
    await callEnded(gateway, sipp.uri());
    await startServer();
    await waitReady(gateway, 200, 10_000);
    await callAnew(scope, phone);
    await expectOneEndPerCall(gateway);
  });

  test('a client that vanishes while the server is away leaves no call', async ({ scope }) => {
    const { server, gateway } = await start(scope);
    const sipp = await Sipp.start(scope, { scenario: answersAndStays() });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    await server.kill();
    await waitReady(gateway, 503, 1_000);
    await phone.vanish();
    expect(await callEnded(gateway, sipp.uri())).toMatchObject({ result: 'client-gone' });
  });

  test('SIGTERM ends the calls and stops the gateway with exit code 0, without the server too', async ({ scope }) => {
    const { server, gateway } = await start(scope);
    const sipp = await Sipp.start(scope, { scenario: answersAndStays() });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    await server.kill();
    await waitReady(gateway, 503, 1_000);
    gateway.signal('SIGTERM');
    await phone.waitStatus(0, 6_000);
    expect(await gateway.exit(6_000)).toEqual({ code: 0, signal: null });
  });
});
