import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import type { Sipp } from '../../support/sipp.js';
import { answering, calling } from '../../support/sipp-in-call.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { callFrom } from '../phone/support/callers.js';
import { inCall } from './support.js';

const gateway = useGateway();
const frames = (await encodeSpeex(await speak('One, two, three.'))).slice(0, 40);
const hold = 'Sono.Call.Hold';

const calls = (scope: Scope, scenario: string, rtpPort?: number) => inCall(scope, gateway(), scenario, rtpPort);

/** The session id and versions of the descriptions that the gateway sent. */
async function originsOf(sipp: Sipp): Promise<{ ids: Set<string>; versions: number[] }> {
  const origins = (await sipp.messages()).flatMap(({ direction, text }) =>
    direction === 'received' ? [...text.matchAll(/^o=- (\d+) (\d+) /gm)] : [],
  );
  return { ids: new Set(origins.map(([, id = '']) => id)), versions: origins.map(([, , version]) => Number(version)) };
}

describe('the client holds the call', () => {
  test.concurrent('sendonly, then sendrecv: told both times, silent in between, the version counts up', async ({
    scope,
  }) => {
    const peer = await RtpPeer.open(scope);
    const { sipp, phone, hangUp } = await calls(scope, answering.isHeld(), peer.port);
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, local: true, remote: false });
    const before = peer.packets.all.length;
    await phone.send(frames.slice(0, 20));
    expect(peer.packets.all.length).toBe(before);
    phone.call('hold', false);
    expect(await phone.waitPush(hold)).toMatchObject({ held: false });
    await phone.send(frames.slice(0, 20), { timestamp: 5_000 });
    await peer.waitPackets(before + 5);
    await hangUp();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
    const { ids, versions } = await originsOf(sipp);
    expect(ids.size).toBe(1);
    expect(versions).toEqual([1, 2, 3]);
  });

  test.concurrent.for([['488 Not Acceptable Here'], ['500 Server Internal Error']] as const)(
    'the far end answers %s: the call goes on as before',
    async ([status], { scope }) => {
      const peer = await RtpPeer.open(scope);
      const { phone, hangUp } = await calls(scope, answering.refusesHold(status), peer.port);
      phone.call('hold', true);
      expect(await phone.waitPush(hold)).toMatchObject({ held: false, reason: status });
      await phone.send(frames);
      await peer.waitPackets(5);
      await hangUp();
    },
  );

  test.concurrent.for([['481 Call/Transaction Does Not Exist'], ['408 Request Timeout']] as const)(
    'the far end answers %s: the call has ended',
    async ([status], { scope }) => {
      const { sipp, phone } = await calls(scope, answering.refusesHold(status));
      phone.call('hold', true);
      expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringContaining(status.slice(0, 3)) });
      await sipp.done();
      expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
    },
  );

  test.concurrent('its offer collides with another (491): it is sent again', async ({ scope }) => {
    const { phone, sipp, hangUp } = await calls(scope, answering.collides());
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, local: true });
    await hangUp();
    const [first, second] = (await sipp.messages()).filter(({ text }) => /^SIP\/2\.0 491|^INVITE/.test(text)).slice(2);
    // RFC 3261 section 14.1: the side that made the Call-ID waits 2.1 to 4 s.
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2_000);
  });

  test.concurrent('the far end offers at the same time: it gets 491, and then answers', async ({ scope }) => {
    const { phone, hangUp } = await calls(scope, answering.offersAtTheSameTime());
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, local: true, remote: false });
    await hangUp();
  });

  test.concurrent('who called: the re-INVITE has the numbers of its offer', async ({ scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    const sipp = await callFrom(scope, await phone.register(), calling.isHeld());
    await phone.acceptAndConnect();
    phone.call('hold', true);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true });
    const { text } = await sipp.received(/^INVITE/);
    expect(text).toMatch(/^m=audio \d+ RTP\/AVP 117\r?$/m);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('hold outside a call, and of nonsense, is an error', async ({ scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    for (const argument of [true, 'yes', undefined]) {
      expect(await phone.request('hold', argument)).toMatchObject({
        name: '_error',
        info: { code: 'Sono.Call.Failed', description: expect.stringMatching(/./) },
      });
    }
  });
});

describe('the far end holds the call', () => {
  test.concurrent.for([
    ['sendonly', { direction: 'sendonly' }, 'a=recvonly'],
    ['inactive', { direction: 'inactive' }, 'a=inactive'],
    ['an address of zeros', { address: '0.0.0.0' }, 'm=audio [1-9]'],
    ['no audio port', { port: 0 }, 'm=audio 0 '],
  ] as const)('%s: the client hears of it, and of its end', async ([, media, expected], { scope }) => {
    const peer = await RtpPeer.open(scope);
    const { phone, hangUp } = await calls(scope, answering.holds(media, expected), peer.port);
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, local: false, remote: true });
    expect(await phone.waitPush(hold)).toMatchObject({ held: false, remote: false });
    const before = peer.packets.all.length;
    await phone.send(frames);
    await peer.waitPackets(before + 5);
    await hangUp();
    expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  });

  test.concurrent('by UPDATE, which also refreshes', async ({ scope }) => {
    const { sipp, phone, hangUp } = await calls(scope, answering.updates());
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, remote: true });
    await sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 2 UPDATE/);
    await hangUp();
  });
});

describe('the far end changes the media', () => {
  test.concurrent('wants to hear our offer: its answer counts', async ({ scope }) => {
    const { sipp, phone, hangUp } = await calls(scope, answering.asksForOffer({ direction: 'sendonly' }));
    expect(await phone.waitPush(hold)).toMatchObject({ held: true, remote: true });
    await hangUp();
    expect((await originsOf(sipp)).ids.size).toBe(1);
  });

  test.concurrent('has another port: what the client says goes there', async ({ scope }) => {
    const first = await RtpPeer.open(scope);
    const second = await RtpPeer.open(scope);
    const { phone, hangUp, sipp } = await calls(
      scope,
      answering.changes({ port: second.port }, 'a=sendrecv'),
      first.port,
    );
    await sipp.sent(/^ACK/);
    phone.startSending(frames);
    await second.waitPackets(5);
    await hangUp();
  });

  test.concurrent('takes another codec: the client is heard in that', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const media = { payloadType: 0, codec: 'PCMU/8000' };
    const { phone, hangUp, sipp } = await calls(scope, answering.changes(media, 'RTP/AVP 0'), peer.port);
    await sipp.sent(/^ACK/);
    phone.startSending(frames);
    await peer.packets.find('G.711', ({ payloadType }) => payloadType === 0);
    await hangUp();
  });

  test.concurrent('adds video: it is refused with port 0, the audio goes on', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const more = ['m=video 9078 RTP/AVP 99', 'a=rtpmap:99 H264/90000'];
    const { phone, hangUp } = await calls(scope, answering.changes({ more }, 'm=video 0 RTP/AVP 99'), peer.port);
    await phone.send(frames);
    await peer.waitPackets(5);
    await hangUp();
  });

  test.concurrent('offers nothing that we have: 488, the call goes on', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const { phone, hangUp } = await calls(scope, answering.changesToUnknown(), peer.port);
    await phone.send(frames);
    await peer.waitPackets(5);
    await hangUp();
  });

  test.concurrent('wants refreshes more often than every 90 s: 422', async ({ scope }) => {
    const { sipp, hangUp } = await calls(scope, answering.refreshesTooOften());
    await sipp.received(/^SIP\/2\.0 422/);
    await hangUp();
  });
});
