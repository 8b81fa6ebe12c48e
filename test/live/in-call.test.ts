import { describe, expect } from 'vitest';
import { inCall } from '../interop/in-call/support.js';
import { callFrom } from '../interop/phone/support/callers.js';
import { useGateway } from '../support/gateway.js';
import { RtpPeer } from '../support/rtp-peer.js';
import { type Scope, test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { answering, calling, takesText } from '../support/sipp-in-call.js';
import { callee } from '../support/sipp-scenarios.js';
import { connectPhone, expectOneEndPerCall, frames, servers, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

useDrachtioServer(settings);

describe.for(servers)('on $name', ({ env }) => {
  const gateway = useGateway({ env });

  /** SIPp has called a phone, which rings. */
  async function called(scope: Scope, scenario: string, rtpPort?: number) {
    const phone = await connectPhone(scope, gateway());
    const uri = await phone.register();
    const sipp = await callFrom(scope, uri, scenario, rtpPort === undefined ? {} : { rtpPort });
    const hangUp = async () => {
      phone.hangup();
      await phone.waitStatus(0);
      await sipp.done();
    };
    return { sipp, phone, hangUp };
  }

  test.concurrent('the client holds the call, and goes on', async ({ scope }) => {
    const { phone, hangUp } = await inCall(scope, gateway(), answering.isHeld());
    phone.call('hold', true);
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true });
    phone.call('hold', false);
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: false });
    await hangUp();
  });

  test.concurrent('a hold that collides is sent again', async ({ scope }) => {
    const { phone, hangUp } = await inCall(scope, gateway(), answering.collides());
    phone.call('hold', true);
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true });
    await hangUp();
  });

  test.concurrent('a hold that is answered 481 ends the call', async ({ scope }) => {
    const { sipp, phone } = await inCall(
      scope,
      gateway(),
      answering.refusesHold('481 Call/Transaction Does Not Exist'),
    );
    phone.call('hold', true);
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('the far end holds the call, and goes on', async ({ scope }) => {
    const { phone, hangUp } = await inCall(scope, gateway(), answering.holds({ direction: 'sendonly' }, 'a=recvonly'));
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true });
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: false });
    await hangUp();
  });

  test.concurrent('the far end holds by UPDATE', async ({ scope }) => {
    const { sipp, phone, hangUp } = await inCall(scope, gateway(), answering.updates());
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true });
    await sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 2 UPDATE/);
    await hangUp();
  });

  test.concurrent('the far end asks for our offer', async ({ scope }) => {
    const { phone, hangUp } = await inCall(scope, gateway(), answering.asksForOffer({ direction: 'sendonly' }));
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true });
    await hangUp();
  });

  test.concurrent('keys go out by INFO, and come in by it', async ({ scope }) => {
    const out = await inCall(scope, gateway(), answering.takesKeys('1', '#'));
    out.phone.call('sendDTMF', '1#', 60);
    await out.sipp.received(/^INFO[\s\S]*Signal=#/);
    await out.hangUp();
    const { sipp, phone, hangUp } = await inCall(scope, gateway(), answering.pressesKeys());
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '5' });
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '#' });
    await sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 4 INFO/);
    await hangUp();
  });

  test.concurrent('the client passes the call on', async ({ scope }) => {
    const to = 'sip:carol@192.0.2.9';
    const { sipp, phone } = await inCall(scope, gateway(), answering.isTransferred(to, '200 OK'));
    phone.call('transfer', to);
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: to });
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('the far end passes the call on', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const other = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const { sipp, phone } = await inCall(scope, gateway(), answering.transfers(other.uri(), 200));
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: other.uri() });
    await sipp.done();
    await phone.send(frames);
    await peer.waitPackets(5);
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
  });

  test.concurrent('somebody takes over the far end', async ({ scope }) => {
    const { sipp, phone } = await inCall(scope, gateway(), callee.answers());
    const { text } = await sipp.received(/^ACK/);
    const part = (pattern: RegExp) => pattern.exec(text)?.[1];
    const replaces = `${part(/^Call-ID: *(\S+)/im)};to-tag=${part(/^From:.*;tag=(\S+)/im)};from-tag=${part(/^To:.*;tag=(\S+)/im)}`;
    const anybody = await connectPhone(scope, gateway());
    const second = await callFrom(scope, await anybody.register(), calling.takesOver(replaces));
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: second.uri() });
    await sipp.done();
    phone.hangup();
    await phone.waitStatus(0);
    await second.done();
  });

  test.concurrent('an announcement is heard, and its reliable ringing confirmed', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, { scenario: answering.ringsReliably(), rtpPort: peer.port });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    phone.call('sendDTMF', '7');
    await peer.packets.find('the key', ({ payloadType }) => payloadType === 100);
    await phone.waitStatus(2);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent('two phones of one number: the one that answers is heard', async ({ scope }) => {
    const [first, second] = [await RtpPeer.open(scope), await RtpPeer.open(scope)];
    const sipp = await Sipp.start(scope, { scenario: answering.forks({ port: first.port }, { port: second.port }) });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    await phone.waitStreams();
    await phone.send(frames.slice(0, 10));
    await first.waitPackets(1);
    await phone.waitStatus(2);
    phone.startSending(frames, { timestamp: 5_000 });
    await second.waitPackets(1);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('a caller that insists gets reliable ringing', async ({ scope }) => {
    const { sipp, phone, hangUp } = await called(scope, calling.insistsOnReliability());
    await phone.waitIncoming();
    await sipp.received(/^SIP\/2\.0 200[\s\S]*PRACK/);
    phone.accept();
    await phone.waitStatus(2);
    await hangUp();
  });

  test.concurrent('a caller without an offer gets ours', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const { phone, hangUp } = await called(scope, calling.offersNothing(), peer.port);
    await phone.acceptAndConnect();
    await phone.send(frames);
    await peer.waitPackets(5);
    await hangUp();
  });

  test.concurrent.for([
    ['300', 'Session-Expires: *300;refresher=uac'],
    ['300;refresher=uac', 'Session-Expires: *300;refresher=uac'],
    ['300;refresher=uas', 'Session-Expires: *300;refresher=uas'],
  ] as const)(
    'a caller that asks for a session timer of %s is told who refreshes',
    async ([asked, told], { scope }) => {
      const { sipp, phone, hangUp } = await called(scope, calling.wantsTimer(asked, told));
      await phone.waitIncoming();
      phone.accept();
      await phone.waitStatus(2);
      await hangUp();
      const { text } = await sipp.received(/^SIP\/2\.0 200/);
      expect(text.match(/^Session-Expires/gim)).toHaveLength(1);
    },
  );

  test.concurrent('too short a session interval: 422; a callee may want a longer one', async ({ scope }) => {
    await (await called(scope, calling.refreshesTooOften())).sipp.done();
    const { hangUp } = await inCall(scope, gateway(), answering.wantsInterval(3_600));
    await hangUp();
  });

  test.concurrent('a redirection is followed', async ({ scope }) => {
    const free = await Sipp.start(scope, { scenario: callee.answers() });
    const first = await Sipp.start(scope, { scenario: answering.redirects(`<${free.uri('free')}>`) });
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect(first.uri());
    phone.hangup();
    await phone.waitStatus(0);
    await Promise.all([first.done(), free.done()]);
  });

  test.concurrent('texts go out and come in, in calls and outside', async ({ scope }) => {
    const text = 'Grüße ☎ 電話';
    const other = await Sipp.start(scope, { scenario: takesText('text/plain') });
    const { sipp, phone, hangUp } = await inCall(scope, gateway(), answering.talksInText(text));
    expect(await phone.waitPush('Sono.Message')).toMatchObject({ text: `${text}\r\n` });
    await sipp.received(/^SIP\/2\.0 489/);
    expect(await phone.request('sendMessage', other.uri(), text)).toMatchObject({ name: '_result' });
    await other.done();
    expect((await other.received(/^MESSAGE/)).text).toContain(text);
    const sender = await callFrom(scope, await phone.register(), calling.sendsText(text, 200));
    await sender.done();
    expect(await phone.waitPush('Sono.Message')).toMatchObject({ text: `${text}\r\n` });
    await hangUp();
  });

  test.concurrent('OPTIONS is answered with what we can do', async ({ scope }) => {
    await (await called(scope, calling.asksForOptions())).sipp.done();
  });

  test('every call has ended, and once', async () => {
    await expectOneEndPerCall(gateway());
  });
});
