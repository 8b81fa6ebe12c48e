import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { type Scope, test } from '../../support/scope.js';
import { caller } from '../../support/sipp-scenarios.js';
import { callFrom, flowOf } from './support/callers.js';

/** SIPp calls an RTMP phone, and nothing comes of it. */
const gateway = useGateway();
const hasty = useGateway({ env: { SONO_RING_SECONDS: '1' } });
const speex = { payloadType: 117, codec: 'speex/16000' };
const connect = (scope: Scope, at = gateway()) => LibrtmpPhone.connect(scope, at.rtmpUrl());

describe('the phone', () => {
  test.concurrent('hangs up instead of answering: 486', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(486, speex));
    await phone.waitIncoming();
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([0]);
    expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 180', '> 486', '< ACK']);
  });

  test.concurrent.for([
    [[], 486],
    [[603], 603],
    [[404], 404],
  ] as const)('rejects with %j: %i', async ([args, sipStatus], { scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(sipStatus, speex));
    await phone.waitIncoming();
    phone.call('reject', ...args);
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([0]);
  });

  test.concurrent('rejects with what is no refusal: an error, and it rings on', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(603, speex));
    await phone.waitIncoming();
    for (const wrong of [200, 302, 700, 486.5, '486', null]) {
      expect(await phone.request('reject', wrong)).toMatchObject({
        name: '_error',
        info: { level: 'error', code: 'Sono.Call.Failed' },
      });
    }
    expect(phone.statuses).toEqual([]);
    phone.call('reject', 603);
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('vanishes while it rings: 480', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(480, speex));
    await phone.waitIncoming();
    await phone.vanish();
    await sipp.done();
    expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 180', '> 480', '< ACK']);
  });

  test.concurrent('does not answer in time: 480, and 0', async ({ scope }) => {
    const phone = await connect(scope, hasty());
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(480, speex));
    await phone.waitIncoming();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([0]);
    const { at: refused } = await sipp.received(/^SIP\/2\.0 480/);
    const { at: rang } = await sipp.received(/^SIP\/2\.0 180/);
    expect(refused - rang).toBeGreaterThan(900);
  });

  test.concurrent('has a call, up or ringing: the second caller gets 486 and the phone hears nothing of it', async ({
    scope,
  }) => {
    const phone = await connect(scope);
    const uri = await phone.register();
    const first = await callFrom(scope, uri, caller.isHungUpOn());
    await phone.waitIncoming();
    const whileRinging = await callFrom(scope, uri, caller.isRefused(486, speex));
    await whileRinging.done();
    phone.accept();
    await phone.waitStatus(2);
    const whileUp = await callFrom(scope, uri, caller.isRefused(486, speex));
    await whileUp.done();
    phone.hangup();
    await phone.waitStatus(0);
    await first.done();
    expect(phone.calls.length).toBe(1);
    expect(phone.statuses).toEqual([4, 2, 3, 0]);
    expect(await flowOf(whileUp)).toEqual(['< INVITE', '> 100', '> 486', '< ACK']);
    // The line is free again.
    const third = await callFrom(scope, uri, caller.isHungUpOn());
    await phone.acceptAndConnect();
    phone.hangup();
    await third.done();
  });
});

describe('the caller', () => {
  test.concurrent('gives up while it rings: 487 to the caller, 0 to the phone, which is free for the next', async ({
    scope,
  }) => {
    const phone = await connect(scope);
    const uri = await phone.register();
    const sipp = await callFrom(scope, uri, caller.cancels());
    await phone.waitIncoming();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([0]);
    phone.accept();
    const next = await callFrom(scope, uri, caller.isHungUpOn());
    await phone.acceptAndConnect();
    phone.hangup();
    await phone.waitStatus(0);
    await next.done();
    expect(phone.statuses).toEqual([0, 4, 2, 3, 0]);
  });

  test.concurrent('calls nobody: 404', async ({ scope }) => {
    const sipp = await callFrom(scope, gateway().sipUri(randomUUID()), caller.isRefused(404, speex));
    await sipp.done();
    expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 404', '< ACK']);
  });

  test.concurrent('calls a phone that has gone: 404', async ({ scope }) => {
    const phone = await connect(scope);
    const uri = await phone.register();
    phone.disconnect();
    await phone.closed();
    const sipp = await callFrom(scope, uri, caller.isRefused(404, speex));
    await sipp.done();
  });

  test.concurrent.for([
    ['GSM only', { payloadType: 3, codec: 'GSM/8000' }],
    ['telephone-event only', { payloadType: 101, codec: 'telephone-event/8000' }],
  ] as const)('offers %s: 488, and the phone hears nothing', async ([, call], { scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(488, call));
    await sipp.done();
    expect(await flowOf(sipp)).toEqual(['< INVITE', '> 100', '> 488', '< ACK']);
    // Whatever was pushed before the reply has arrived with it.
    await phone.register();
    expect(phone.calls).toEqual([]);
    expect(phone.statuses).toEqual([]);
  });

  test.concurrent.for([
    ['quotes and backslashes', '"Bob \\"the \\\\ boss\\" B."', 'Bob "the \\ boss" B.'],
    ['UTF-8', '"Jörg Ångström ☎ 電話"', 'Jörg Ångström ☎ 電話'],
    ['markup', '"<b>Bob</b> & <img src=x>"', '<b>Bob</b> & <img src=x>'],
    ['words without quotes', 'Bob B', 'Bob B'],
    ['what looks like an address', '"<sip:boss@example.com>, Bob"', '<sip:boss@example.com>, Bob'],
  ] as const)('has a name with %s', async ([, displayName, shown], { scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), caller.isRefused(486, { ...speex, displayName }));
    const incoming = await phone.waitIncoming();
    phone.hangup();
    await sipp.done();
    expect(incoming).toMatchObject({ from: sipp.uri(), displayName: shown });
  });
});
