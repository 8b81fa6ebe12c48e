import { describe, expect } from 'vitest';
import { FreeSwitchStandIn } from '../support/freeswitch/stand-in.js';
import { Gateway } from '../support/gateway.js';
import { freePort, loopback } from '../support/ports.js';
import { test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { callEnded, connectPhone, expectOneEndPerCall, frames, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { pcmu, startGateway } from './freeswitch-calls.js';
import { useFreeSwitch } from './freeswitch-server.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();

test('a wrong password is told of, and no call waits for it', async ({ scope }) => {
  const [host = '', port = ''] = freeSwitch().address.split(':');
  const wrong = { SONO_FREESWITCH_HOST: `${host}:${port}:guess` };
  const gateway = await Gateway.start(scope, { env: { ...wrong, SONO_MEDIA: 'auto' } });
  const down = await gateway.log.find('the refusal', ({ msg }) => msg.includes('no connection to the FreeSWITCH'));
  expect(down).toMatchObject({ state: expect.stringContaining('it refuses the secret') });
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers(pcmu) });
  await phone.dialAndConnect(sipp.uri());
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  expect((await callEnded(gateway, sipp.uri())).media).toMatchObject({ engine: 'direct', codec: 'pcmu/8000' });
  expect(gateway.log.all.filter(({ server }) => server !== undefined)).toHaveLength(1);
});

test('calls go to the server that takes them: one is not there, one refuses', async ({ scope }) => {
  const refusing = await FreeSwitchStandIn.start(scope);
  refusing.refuseWith = '500 Server Internal Error';
  const hosts = [`${loopback}:${await freePort()}*100`, `${loopback}:${refusing.port}*100`, freeSwitch().address];
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch(), {
    env: { SONO_FREESWITCH_HOST: hosts.join(',') },
  });
  const [host, port] = freeSwitch().address.split(':');
  for (const address of [`${loopback}:${refusing.port}`, `${host}:${port}`]) {
    await gateway.log.find(address, ({ msg, server }) => msg.includes('takes calls') && server === address);
  }
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  expect((await callEnded(gateway, sipp.uri())).media).toMatchObject({ server: `${host}:${port}` });
  expect(refusing.invites).toBeGreaterThan(0);
  await freeSwitch().waitChannels(0);
});

test('a server that is full gets no more calls, and some again when it is not', async ({ scope }) => {
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch());
  const [, before = '1000'] = /(\d+) session\(s\) max/.exec(await freeSwitch().api('status')) ?? [];
  await freeSwitch().api('fsctl max_sessions 3');
  scope.defer(() => freeSwitch().api(`fsctl max_sessions ${before}`));
  const [phone, second] = [await connectPhone(scope, gateway), await connectPhone(scope, gateway)];
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  await gateway.log.find('that it is full', ({ msg }) => msg.includes('is full'));
  const from = gateway.log.all.length;
  second.dial(sipp.uri());
  expect(await second.waitStatus(0)).toMatchObject({ reason: expect.stringContaining('no FreeSWITCH server') });
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  await gateway.log.find('that it has room', ({ msg }) => msg.includes('takes calls'), { from });
  const again = await Sipp.start(scope, { scenario: callee.answers() });
  await second.dialAndConnect(again.uri());
  second.hangup();
  await second.waitStatus(0);
  await again.done();
  await freeSwitch().waitChannels(0);
});

test('SIGTERM in a call leaves no channel', async ({ scope }) => {
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch());
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  await freeSwitch().waitChannels(2);
  gateway.signal('SIGTERM');
  await sipp.done();
  expect(await gateway.exit(6_000)).toEqual({ code: 0, signal: null });
  expect(await freeSwitch().channels()).toBe(0);
});

test('the operator pauses the server, and resumes', async ({ scope }) => {
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch());
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  await freeSwitch().api('fsctl pause inbound');
  scope.defer(() => freeSwitch().api('fsctl resume'));
  await gateway.log.find('the pause', ({ msg }) => msg.includes('is paused'));
  expect((await gateway.http('/readyz')).status).toBe(503);
  const before = phone.audio.length;
  await phone.send(frames);
  await phone.waitAudio(before + 40);
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  await freeSwitch().api('fsctl resume inbound');
  await gateway.log.find('its end', ({ msg }) => msg.includes('takes calls'), { from: gateway.log.all.length });
  expect((await gateway.http('/readyz')).status).toBe(200);
});

test('a gateway that is killed leaves no channel for longer than a minute', { timeout: 90_000 }, async ({ scope }) => {
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch());
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  await freeSwitch().waitChannels(2);
  gateway.signal('SIGKILL');
  await freeSwitch().waitChannels(0, 70_000);
});

test('ten calls at once, and no channel is left', async ({ scope }) => {
  const gateway = await startGateway(scope, 'freeswitch', freeSwitch());
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      const phone = await connectPhone(scope, gateway);
      const sipp = await Sipp.start(scope, { scenario: callee.answers() });
      await phone.dialAndConnect(sipp.uri());
      await phone.send(frames);
      await phone.waitAudio(30);
      phone.hangup();
      await phone.waitStatus(0);
      await sipp.done();
    }),
  );
  await freeSwitch().waitChannels(0);
  await expectOneEndPerCall(gateway);
});

describe('the server goes', { timeout: 90_000 }, () => {
  test.beforeEach(({ skip }) => {
    skip(!freeSwitch().restartable, 'SONO_LIVE_FREESWITCH_COMMAND is not set: nobody can start the server again');
  });

  test.for([
    ['is killed', 'SIGKILL'],
    ['hangs', 'SIGSTOP'],
  ] as const)('it %s: its calls end within 2 s, and new ones come when it is back', async ([, signal], { scope }) => {
    for (const media of ['freeswitch', 'auto'] as const) {
      const gateway = await startGateway(scope, media, freeSwitch());
      const phone = await connectPhone(scope, gateway);
      const answer = { payloadType: 0, codec: 'PCMU/8000' };
      const sipp = await Sipp.start(scope, { scenario: callee.answers(answer) });
      await phone.dialAndConnect(sipp.uri());
      await phone.send(frames);
      const gone = Date.now();
      await freeSwitch().signal(signal);
      expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringContaining('FreeSWITCH') });
      expect((await sipp.received(/^BYE/)).at - gone).toBeLessThan(2_000);
      await sipp.done();
      expect(await callEnded(gateway, sipp.uri())).toMatchObject({ result: 'media-failed' });
      if (signal === 'SIGKILL') await freeSwitch().start();
      else await freeSwitch().signal('SIGCONT');
      await gateway.log.find('its return', ({ msg }) => msg.includes('takes calls'), { from: gateway.log.all.length });
      const again = await Sipp.start(scope, { scenario: callee.answers(answer) });
      await phone.dialAndConnect(again.uri());
      phone.hangup();
      await phone.waitStatus(0);
      await again.done();
      await freeSwitch().waitChannels(0, 15_000);
    }
  });
});
