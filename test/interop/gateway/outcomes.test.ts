import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { freePort, loopback } from '../../support/ports.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';

const gateway = useGateway();
const frames = await encodeSpeex(await speak('One, two, three.'));
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());

describe.concurrent('a call that is not answered', () => {
  test.concurrent.for([
    ['486 Busy Here', 486, 'busy'],
    ['404 Not Found', 404, 'not-found'],
    ['408 Request Timeout', 408, 'no-answer'],
    ['480 Temporarily Unavailable', 480, 'no-answer'],
    ['503 Service Unavailable', 503, 'unreachable'],
    ['603 Decline', 603, 'declined'],
    ['302 Moved Temporarily', 302, 'refused'],
  ] as const)('%s', async ([statusLine, sipStatus, result], { scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.refuses(statusLine) });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    const last = await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 0]);
    expect(last).toMatchObject({ sip_status: sipStatus, reason: statusLine.slice(4) });
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result, sipStatus });
  });

  test.concurrent('is cancelled by hangup: 3, then 0 with the final response', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    phone.hangup();
    expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 487 });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 3, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 180', '> CANCEL', '< 200', '< 487', '> ACK']);
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'cancelled' });
  });

  test.concurrent('is cancelled when the phone vanishes', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    await phone.vanish();
    await sipp.done();
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'client-gone' });
  });

  test.concurrent('hangup at once after dial leaves no call behind', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses.filter((status) => status !== 1)).toEqual([3, 0]);
    // The line is free: a second call goes through.
    await phone.dialAndConnect(gateway().sipUri('echo'));
    phone.hangup();
    await phone.waitStatus(0);
  });

  test.concurrent('nobody there: the port is closed', async ({ scope }) => {
    const phone = await connect(scope);
    const uri = `sip:nobody@${loopback}:${await freePort()}`;
    phone.dial(uri);
    const last = await phone.waitStatus(0, 40_000);
    expect(phone.statuses).toEqual([1, 0]);
    expect([408, 503]).toContain(last.sip_status);
  }, 45_000);

  test.concurrent('nobody there: 408 after 32 s of silence (RFC 3261, timer B)', async ({ scope }) => {
    // A socket that takes every packet and never answers.
    const hole = createSocket('udp4');
    await new Promise<void>((resolve) => hole.bind(0, loopback, resolve));
    scope.defer(() => hole.close());
    const invites: string[] = [];
    hole.on('message', (data) => invites.push(data.toString().split(' ', 1)[0] ?? ''));
    const phone = await connect(scope);
    phone.dial(`sip:nobody@${loopback}:${hole.address().port}`);
    await phone.waitStatus(1);
    const began = performance.now();
    const last = await phone.waitStatus(0, 40_000);
    expect(performance.now() - began).toBeGreaterThan(30_000);
    expect(phone.statuses).toEqual([1, 0]);
    expect(last).toMatchObject({ sip_status: 408 });
    // Timer A: sent again after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
    expect(invites).toEqual(Array.from({ length: 7 }, () => 'INVITE'));
  }, 60_000);
});

describe.concurrent('a call that is answered', () => {
  test.concurrent('ends with 0 when the far end hangs up', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.hangsUp(500) });
    const phone = await connect(scope);
    await phone.dialAndConnect(sipp.uri());
    phone.startSending(frames);
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 180', '< 200', '> ACK', '< BYE', '> 200']);
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'completed' });
  });

  test.concurrent('brings 1 for each provisional response, and 4 with the first description', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answersLate(700) });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    await phone.waitStatus(2);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 1, 2, 3, 0]);
  });

  test.concurrent('without a codec in common ends with BYE, and with 0 and a reason', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answersWithoutCommonCodec() });
    const phone = await connect(scope);
    phone.dial(sipp.uri());
    const last = await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 0]);
    expect(last.reason).toMatch(/no codec in common/);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 200', '> ACK', '> BYE', '< 200']);
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'no-codec' });
  });

  test.concurrent('ends with BYE within a second when the phone vanishes', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const phone = await connect(scope);
    await phone.dialAndConnect(sipp.uri());
    phone.startSending(frames);
    await peer.waitPackets(10);
    await phone.vanish();
    const gone = Date.now();
    const bye = await sipp.received(/^BYE/);
    // SIPp's own clock: when it was written down, not when it was looked at.
    expect(bye.at - gone).toBeLessThan(1000);
    await sipp.done();
    expect(await gateway().callEnded(sipp.uri())).toMatchObject({ result: 'client-gone' });
  });

  test.concurrent('ends with BYE by ping time-out when the phone stands still', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers(), timeLimitS: 120 });
    const phone = await connect(scope);
    await phone.dialAndConnect(sipp.uri());
    process.kill(phone.pid, 'SIGSTOP');
    await sipp.received(/^BYE/, 90_000);
    await sipp.done();
    const { result, durationMs = 0 } = await gateway().callEnded(sipp.uri());
    expect(result).toBe('client-gone');
    // Silent for 30 s, then 30 s for the answer.
    expect(durationMs).toBeGreaterThan(50_000);
  }, 120_000);

  test.concurrent('refuses a second dial while it is up or being set up', async ({ scope }) => {
    const ringing = await Sipp.start(scope, { scenario: callee.rings() });
    const phone = await connect(scope);
    phone.dial(ringing.uri());
    await phone.waitStatus(1);
    expect(await phone.request('dial', gateway().sipUri('echo'))).toMatchObject({
      name: '_error',
      info: { level: 'error', code: 'Sono.Call.Existing' },
    });
    phone.hangup();
    await phone.waitStatus(0);
    await phone.dialAndConnect(gateway().sipUri('echo'));
    const { info } = await phone.request('dial', gateway().sipUri('echo'));
    expect(info.code).toBe('Sono.Call.Existing');
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses.slice(-5)).toEqual([1, 4, 2, 3, 0]);
  });

  test.concurrent('a phone that dials before it is connected waits for nobody', async ({ scope }) => {
    const phone = await LibrtmpPhone.start(scope, gateway().rtmpUrl());
    phone.dial(gateway().sipUri('echo'));
    await phone.waitStatus(2);
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
  });
});
