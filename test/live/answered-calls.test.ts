import { describe, expect } from 'vitest';
import { useGateway } from '../support/gateway.js';
import { RtpPeer } from '../support/rtp-peer.js';
import { test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { isBehindProxies } from './callees.js';
import {
  callEnded,
  connectPhone,
  expectOneEndPerCall,
  frames,
  header,
  heard,
  hexOf,
  servers,
  settings,
  sipAddress,
  speakAndHear,
} from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

useDrachtioServer(settings);

describe.for(servers)('on $name', ({ env }) => {
  const gateway = useGateway({ env });

  test.concurrent('a call is answered, heard both ways and hung up: 1, 1, 4, 2, then 3, 0', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(sipp.uri());
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 180', '< 200', '> ACK', '> BYE', '< 200']);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'completed' });
  });

  test.concurrent('the answer has another payload type number than the offer', async ({ scope }) => {
    const payloadType = 121;
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answers({ payloadType }), rtpPort: peer.port });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(sipp.uri());
    const { text } = await sipp.received(/^INVITE/);
    peer.echoAs = Number(/a=rtpmap:(\d+) speex\/16000/.exec(text)?.[1]);
    expect(peer.echoAs).not.toBe(payloadType);
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(new Set(peer.packets.all.map((packet) => packet.payloadType))).toEqual(new Set([payloadType]));
  });

  test.concurrent('the callee hangs up: 0', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.hangsUp(200) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'completed' });
  });

  test.concurrent('183 with early media, then 180, then the answer: 1 at each, 4 at the first', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answersLate(300) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    await phone.waitStreams();
    await phone.waitStatus(2);
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 1, 2, 3, 0]);
  });

  test.concurrent('TCP by the parameter of the URI', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers(), transport: 'tcp' });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(`${sipp.uri()};transport=tcp`);
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    const invite = await sipp.received(/^INVITE/);
    expect(header(invite, 'Via')).toEqual([expect.stringMatching(/^SIP\/2\.0\/TCP /)]);
    expect(header(invite, 'Contact')).toEqual([expect.stringMatching(/;transport=tcp/)]);
    expect(header(invite, 'To')).toEqual([`<${sipp.uri()}>`]);
  });

  test.concurrent('the caller is this line, at the address of the SIP server', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const phone = await connectPhone(scope, gateway());
    const address = await phone.register();
    await phone.dialAndConnect(sipp.uri());
    phone.hangup();
    await sipp.done();
    const server = (env.SONO_DRACHTIO_HOST !== undefined && settings.sip) || (await sipAddress(gateway()));
    expect(address).toMatch(new RegExp(`^sip:[0-9a-f-]{36}@${server}$`));
    const invite = await sipp.received(/^INVITE/);
    expect(header(invite, 'From')).toEqual([expect.stringMatching(new RegExp(`^"RTMP" <${address}>;tag=`))]);
    expect(header(invite, 'To')).toEqual([`<${sipp.uri()}>`]);
    expect(header(invite, 'Contact')).toEqual([expect.stringContaining(server)]);
    expect(header(invite, 'Content-Type')).toEqual(['application/sdp']);
  });

  test.concurrent('requests go through the proxies that recorded themselves', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: isBehindProxies() });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(sipp.uri());
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    for (const request of [await sipp.received(/^ACK/), await sipp.received(/^BYE/)]) {
      expect(request.text).toMatch(/^\w+ sip:callee@127\.0\.0\.1:9 SIP/);
      expect(header(request, 'Route').join(', ').split(/,\s*/)).toEqual([
        `<sip:127.0.0.1:${sipp.port};lr>`,
        '<sip:far.invalid;lr>',
      ]);
    }
  });

  test.concurrent('a client that vanishes leaves no call: BYE within a second', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(sipp.uri());
    const gone = Date.now();
    await phone.vanish();
    const bye = await sipp.received(/^BYE/);
    await sipp.done();
    expect(bye.at - gone).toBeLessThan(1_000);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'client-gone' });
  });

  test.concurrent('no codec in common: BYE and 0 with the reason', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answersWithoutCommonCodec() });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/./) });
    await sipp.done();
    expect(phone.statuses).toEqual([1, 0]);
    expect(await sipp.flow()).toEqual(['> INVITE', '< 200', '> ACK', '> BYE', '< 200']);
    expect(await callEnded(gateway(), sipp.uri())).toMatchObject({ result: 'no-codec' });
  });

  test.concurrent('one line calls again and again, and has one call at a time', async ({ scope }) => {
    const phone = await connectPhone(scope, gateway());
    for (let call = 0; call < 3; call++) {
      const sipp = await Sipp.start(scope, { scenario: callee.answers() });
      await phone.dialAndConnect(sipp.uri());
      expect(await phone.request('dial', sipp.uri())).toMatchObject({ info: { code: 'Sono.Call.Existing' } });
      expect(await speakAndHear(phone)).toEqual(hexOf(frames));
      phone.hangup();
      await phone.waitStatus(0);
      await sipp.done();
    }
    expect(heard(phone.audio).length).toBe(3 * frames.length);
  });

  test('every call has ended, and once', async () => {
    await expectOneEndPerCall(gateway());
  });
});
