import { expect } from 'vitest';
import { Gateway, useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';

const gateway = useGateway({ env: { SONO_DIAL_DENY: 'busy@*,0900*@*' } });

test.concurrent('a name without a domain is meant where the phone is', async ({ scope }) => {
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  await phone.dialAndConnect('echo');
  phone.hangup();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
});

test.concurrent('a number is called in the configured domain', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  const domain = sipp.uri().replace(/^sip:[^@]*@|;.*$/g, '');
  const own = await Gateway.start(scope, { env: { SONO_DIAL_DOMAIN: domain } });
  const phone = await LibrtmpPhone.connect(scope, own.rtmpUrl());
  phone.dial('+49 (30) 12-34');
  await phone.waitStatus(2);
  const { text } = await sipp.received(/^INVITE/);
  expect(text).toMatch(new RegExp(`^INVITE sip:\\+49301234@${domain};transport=udp SIP/2.0`));
  phone.hangup();
  await sipp.done();
});

test.concurrent('an address behind a name is called, with the subject that it asks for', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  phone.dial(`"Bob" <${sipp.uri()}?Subject=Lunch%20at%20noon>`);
  await phone.waitStatus(2);
  const { text } = await sipp.received(/^INVITE/);
  expect(text).toMatch(/^Subject: Lunch at noon\r?$/m);
  expect(text).not.toMatch(/\?Subject/);
  phone.hangup();
  await sipp.done();
});

test.concurrent.for(['sip:busy@{sip}', 'busy', 'sip:%62usy@{sip}', 'sip:0900123@example.com', '0900-123'])(
  'who is on the list of those not to be called is not: %s',
  async (dialled, { scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    const uri = dialled.replace('{sip}', `127.0.0.1:${gateway().sipPort}`);
    const { name, info } = await phone.request('dial', uri);
    expect({ name, code: info.code }).toEqual({ name: '_error', code: 'Sono.Call.Failed' });
    expect(info.description).toMatch(/may not be called from here/);
    expect(phone.statuses).toEqual([]);
  },
);
