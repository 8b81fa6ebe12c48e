import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { loopback } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { answering, calling, takesText } from '../../support/sipp-in-call.js';
import { callFrom } from '../phone/support/callers.js';
import { inCall } from './support.js';

const gateway = useGateway();
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());
const text = 'Grüße aus Köln ☎ <b>電話</b>';

describe('a text of the client', () => {
  test.concurrent('goes out as UTF-8, and the client hears that it arrived', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: takesText('text/plain') });
    const phone = await connect(scope);
    const from = await phone.register();
    expect(await phone.request('sendMessage', sipp.uri(), text)).toMatchObject({ name: '_result' });
    await sipp.done();
    const message = await sipp.received(/^MESSAGE/);
    expect(message.text).toContain(text);
    expect(message.text).toMatch(new RegExp(`^From: "RTMP" <${from}>`, 'm'));
    expect(message.text).toMatch(new RegExp(`^Content-Length: ${Buffer.byteLength(text)}\r?$`, 'm'));
  });

  test.concurrent('that is refused is an error with the reason', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: takesText('.', '404 Not Found') });
    const phone = await connect(scope);
    expect(await phone.request('sendMessage', sipp.uri(), text)).toMatchObject({
      name: '_error',
      info: { code: 'Sono.Message.Failed', description: '404 Not Found' },
    });
    await sipp.done();
  });

  test.concurrent.for([
    [['sip:bob@192.0.2.1', 'ü'.repeat(451)], /902 bytes; at most 900/],
    [['no body', 'x'], /no SIP address/],
    [['sip:bob@192.0.2.1', 7], /both as strings/],
    [[], /both as strings/],
  ] as const)('%# is an error, and nothing is sent', async ([args, description], { scope }) => {
    const phone = await connect(scope);
    expect(await phone.request('sendMessage', ...args)).toMatchObject({
      info: { code: 'Sono.Message.Failed', description: expect.stringMatching(description) },
    });
  });
});

describe('a text for the client', () => {
  test.concurrent('reaches it, outside of calls', async ({ scope }) => {
    const phone = await connect(scope);
    const sipp = await callFrom(scope, await phone.register(), calling.sendsText(text, 200));
    expect(await phone.waitPush('Sono.Message')).toMatchObject({ from: sipp.uri(), text: `${text}\r\n` });
    await sipp.done();
  });

  test.concurrent('reaches it within its call, where other requests are answered as well', async ({ scope }) => {
    const { sipp, phone, hangUp } = await inCall(scope, gateway(), answering.talksInText(text));
    expect(await phone.waitPush('Sono.Message')).toMatchObject({
      from: expect.stringMatching(/^sip:sipp@/),
      text: `${text}\r\n`,
    });
    await sipp.received(/^SIP\/2\.0 489/);
    await hangUp();
  });

  test.concurrent.for([
    ['of another type', 415, '<p>x</p>', 'text/html'],
    ['in another character set', 415, 'x', 'text/plain;charset=koi8-r'],
    ['that is too long', 413, 'too much\n'.repeat(1_000), 'text/plain'],
  ] as const)('%s: %i', async ([, status, content, type], { scope }) => {
    const phone = await connect(scope);
    await (await callFrom(scope, await phone.register(), calling.sendsText(content, status, type))).done();
  });

  test.concurrent('for nobody here: 404', async ({ scope }) => {
    const to = `sip:nobody@${loopback}:${gateway().sipPort}`;
    await (await callFrom(scope, to, calling.sendsText(text, 404))).done();
  });
});

test.concurrent('OPTIONS is answered with what we can do', async ({ scope }) => {
  const to = `sip:anybody@${loopback}:${gateway().sipPort}`;
  const sipp = await callFrom(scope, to, calling.asksForOptions());
  await sipp.done();
  expect((await sipp.received(/^SIP\/2\.0 200/)).text).toMatch(/^Accept: application\/sdp/m);
});
