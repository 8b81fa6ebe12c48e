import { describe, expect } from 'vitest';
import { useGateway } from '../support/gateway.js';
import { freePort } from '../support/ports.js';
import { test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { answersDespiteCancel, answersFromSilence, isSilent, ringsLate } from './callees.js';
import { callEnded, connectPhone, expectOneEndPerCall, servers, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

/** Between two retransmissions of an INVITE, whether the first comes after 0.5 s or after 1 s. */
const lateMs = 1_200;

useDrachtioServer(settings);

describe.for(servers)('on $name', ({ env }) => {
  const gateway = useGateway({ env });

  test.concurrent.for([
    { status: '486 Busy Here', result: 'busy' },
    { status: '404 Not Found', result: 'not-found' },
    { status: '603 Decline', result: 'declined' },
    { status: '500 Server Internal Error', result: 'refused' },
  ])('$status: 0 with the status and reason', async ({ status, result }, { scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.refuses(status) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    const sipStatus = Number(status.slice(0, 3));
    const reason = status.slice(4);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: sipStatus, reason });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', `< ${sipStatus}`, '> ACK']);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result, reason, sipStatus });
  });

  test.concurrent('hung up while it rings: CANCEL, 3, and 0 with the 487', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    phone.hangup();
    await phone.waitStatus(3);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 487 });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 3, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 180', '> CANCEL', '< 200', '< 487', '> ACK']);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent('the client vanishes while it rings: CANCEL within a second', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    const gone = Date.now();
    await phone.vanish();
    const cancel = await sipp.received(/^CANCEL/);
    await sipp.done();
    expect(cancel.at - gone).toBeLessThan(1_000);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'client-gone' });
  });

  test.concurrent('hung up before the callee said anything: the CANCEL waits for its first word', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: ringsLate(lateMs) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await sipp.received(/^INVITE/);
    phone.hangup();
    await phone.waitStatus(3);
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 3, 0]);
    const flow = await sipp.flow();
    expect(flow.filter((line, index) => line !== flow[index - 1])).toEqual([
      '> INVITE',
      '< 180',
      '> CANCEL',
      '< 200',
      '< 487',
      '> ACK',
    ]);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent('hung up before the callee said anything, and then it answers: BYE', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: answersFromSilence(lateMs) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await sipp.received(/^INVITE/);
    phone.hangup();
    await phone.waitStatus(3);
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 3, 0]);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent('hung up, and nobody ever says anything: 3, and 0 after five seconds', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: isSilent() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await sipp.received(/^INVITE/);
    phone.hangup();
    await phone.waitStatus(3);
    const asked = Date.now();
    await phone.waitStatus(0);
    expect(Date.now() - asked).toBeGreaterThan(4_500);
    expect(Date.now() - asked).toBeLessThan(6_500);
    expect(phone.statuses).toEqual([1, 3, 0]);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent('the answer crosses the CANCEL: BYE', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: answersDespiteCancel() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 3, 0]);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent.for(['udp', 'tcp'])('nobody is there, over %s: 503 at once', async (transport, { scope }) => {
    const phone = await connectPhone(scope, gateway());
    const uri = `sip:nobody@127.0.0.1:${await freePort()};transport=${transport}`;
    const dialled = Date.now();
    phone.dial(uri);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 503 });
    expect(Date.now() - dialled).toBeLessThan(1_500);
    expect(phone.statuses).toEqual([1, 0]);
    expect(await callEnded(gateway(), uri)).toMatchObject({ result: 'unreachable' });
  });

  test.concurrent('the name does not resolve: 503', async ({ scope }) => {
    const phone = await connectPhone(scope, gateway());
    const uri = 'sip:bob@no-such-host.invalid';
    phone.dial(uri);
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 503 });
    expect(phone.statuses).toEqual([1, 0]);
    expect(await callEnded(gateway(), uri)).toMatchObject({ result: 'unreachable' });
  });

  test.concurrent('nobody answers anything: 408 after 32 s', { timeout: 60_000 }, async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: isSilent() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    expect(await phone.waitStatus(0, 45_000)).toMatchObject({ sip_status: 408 });
    expect(phone.statuses).toEqual([1, 0]);
    const ended = await callEnded(gateway(), sipp.uri());
    expect(ended).toMatchObject({ result: 'no-answer' });
    expect(ended.durationMs).toBeGreaterThan(31_000);
    expect(ended.durationMs).toBeLessThan(34_000);
  });

  test('every call has ended, and once', async () => {
    await expectOneEndPerCall(gateway());
  });
});
