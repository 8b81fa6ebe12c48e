import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { RtpPeer } from '../support/rtp-peer.js';
import { test } from '../support/scope.js';
import { answering, calling, type Media } from '../support/sipp-in-call.js';
import { expectOneEndPerCall, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { calledByEcho, engines, expectEcho, expectSilence, inEcho, pcmu, useGatewayOf } from './freeswitch-calls.js';
import { useFreeSwitch } from './freeswitch-server.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();
const hold = 'Sono.Call.Hold';

describe.for(engines)('%s', (media) => {
  const gateway = useGatewayOf(media);

  test.concurrent('the client holds the call and goes on', async ({ scope }) => {
    const { phone, hangUp } = await inEcho(scope, gateway(), answering.isHeld(pcmu));
    await expectEcho(phone);
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, local: true });
    await expectSilence(phone);
    phone.call('hold', false);
    expect(await phone.waitPush(hold)).toMatchObject({ held: false });
    await expectEcho(phone);
    await hangUp();
  });

  test.concurrent('the far end refuses to be held: the call goes on as before', async ({ scope }) => {
    const { phone, hangUp } = await inEcho(scope, gateway(), answering.refusesHold('488 Not Acceptable Here', pcmu));
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: false });
    await expectEcho(phone);
    await hangUp();
  });

  test.concurrent.for([
    ['sendonly', { direction: 'sendonly' }, 'a=recvonly'],
    ['inactive', { direction: 'inactive' }, 'a=inactive'],
    ['an address of zeros', { address: '0.0.0.0' }, 'm=audio [1-9]'],
    ['no audio port', { port: 0 }, 'm=audio 0 '],
  ] as const satisfies readonly (readonly [string, Media, string])[])(
    'the far end holds the call by %s and goes on',
    async ([, how, expected], { scope }) => {
      const { peer, phone, hangUp } = await inEcho(
        scope,
        gateway(),
        answering.holds(how, expected, { ...pcmu, ms: 5_000 }),
      );
      expect(await phone.waitPush(hold)).toMatchObject({ held: true, remote: true });
      await sleep(200);
      const before = peer.packets.all.length;
      await expectSilence(phone);
      expect(peer.packets.all.length - before).toBeLessThan(5);
      expect(await phone.waitPush(hold)).toMatchObject({ held: false });
      await expectEcho(phone);
      await hangUp();
    },
  );

  test.concurrent('the far end holds by UPDATE', async ({ scope }) => {
    const { sipp, phone, hangUp } = await inEcho(scope, gateway(), answering.updates());
    expect(await phone.waitPush(hold)).toMatchObject({ held: true });
    await sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 2 UPDATE/);
    await hangUp();
  });

  test.concurrent('the far end moves elsewhere and speaks another codec', async ({ scope }) => {
    const other = await RtpPeer.open(scope);
    other.echoAs = 8;
    const pcma = { payloadType: 8, codec: 'PCMA/8000', port: other.port };
    const { sipp, phone, hangUp } = await inEcho(scope, gateway(), answering.changes(pcma, 'RTP/AVP 8', pcmu));
    await sipp.received(/^SIP\/2\.0 [24][\s\S]*CSeq: 1 INVITE/);
    await expectEcho(phone);
    await hangUp();
    expect(new Set(other.packets.all.map(({ payloadType }) => payloadType))).toEqual(new Set([8]));
  });

  test.concurrent('the far end changes from Speex to PCMU and back', async ({ scope }) => {
    const { peer, sipp, phone, hangUp } = await inEcho(
      scope,
      gateway(),
      answering.holds(pcmu, 'RTP/AVP 0', { ms: 5_000 }),
    );
    const offered = Number(/a=rtpmap:(\d+) speex\/16000/i.exec((await sipp.received(/^INVITE/)).text)?.[1]);
    await sipp.received(/^SIP\/2\.0 [24][\s\S]*CSeq: 1 INVITE/);
    await expectEcho(phone);
    await sipp.received(/^SIP\/2\.0 [24][\s\S]*CSeq: 2 INVITE/);
    peer.echoAs = offered;
    await expectEcho(phone);
    await hangUp();
  });

  test.concurrent('the far end offers a codec that nobody has: refused, and the call goes on', async ({ scope }) => {
    const { phone, sipp, hangUp } = await inEcho(scope, gateway(), answering.changesToUnknown(pcmu));
    await sipp.received(/^SIP\/2\.0 [24][\s\S]*CSeq: 1 INVITE/);
    await expectEcho(phone);
    await hangUp();
  });

  test.concurrent('the far end asks for our offer', async ({ scope }) => {
    const { phone, sipp, hangUp } = await inEcho(scope, gateway(), answering.asksForOffer(pcmu, pcmu));
    await sipp.received(/^SIP\/2\.0 [24][\s\S]*CSeq: 1 INVITE/);
    await expectEcho(phone);
    await hangUp();
  });

  test.concurrent('a caller is answered, heard and held', async ({ scope }) => {
    const { phone, hangUp } = await calledByEcho(scope, gateway(), calling.isHeld(pcmu));
    await expectEcho(phone);
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true });
    await expectSilence(phone);
    await hangUp();
  });

  test.concurrent('a caller without an offer gets ours', async ({ scope }) => {
    const { phone, hangUp } = await calledByEcho(scope, gateway(), calling.offersNothing(pcmu, 'a=rtpmap:0 pcmu/8000'));
    await expectEcho(phone);
    await hangUp();
  });

  test('every call has ended, once, and no channel is left', async () => {
    await expectOneEndPerCall(gateway());
    await freeSwitch().waitChannels(0);
  });
});
