import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { compareSpeech } from '../support/compare-speech.js';
import { Linphone } from '../support/linphone.js';
import { RtpPeer } from '../support/rtp-peer.js';
import { test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { encodeSpeex } from '../support/speech.js';
import { callEnded, connectPhone, expectOneEndPerCall, frames, hexOf, servers, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { expectAlike, heardBy, joined, ours, silence, startGateway, theirs } from './freeswitch-calls.js';
import { useFreeSwitch } from './freeswitch-server.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();

describe.for(servers)('with $name', ({ env }) => {
  test.for([
    ['freeswitch', 'speex'],
    ['freeswitch', 'PCMU'],
    ['freeswitch', 'PCMA'],
    ['freeswitch', 'G722'],
    ['freeswitch', 'opus'],
    ['auto', 'speex'],
    ['auto', 'PCMU'],
    ['auto', 'PCMA'],
    ['auto', 'G722'],
    ['auto', 'opus'],
  ] as const)('%s: linphone of %s and an RTMP phone of Speex hear each other', async ([media, codec], { scope }) => {
    const gateway = await startGateway(scope, media, freeSwitch(), { env });
    const linphone = await Linphone.start(scope, { autoAnswer: true, ...(codec !== 'speex' && { only: codec }) });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(linphone.uri);
    await linphone.connected();
    await Promise.all([
      linphone.say(joined(silence(1), theirs, silence(1))),
      phone.send(await encodeSpeex(joined(silence(1), ours, silence(2)))),
    ]);
    phone.hangup();
    await phone.waitStatus(0);
    await linphone.ended();
    expectAlike(compareSpeech(theirs, await heardBy(phone)));
    expectAlike(compareSpeech(ours, await linphone.heard()));
    const { media: measured } = await callEnded(gateway, linphone.uri);
    expect(measured).toMatchObject({
      engine: media === 'auto' && codec === 'speex' ? 'direct' : 'freeswitch',
      codec: expect.stringContaining(codec.toLowerCase()),
      lost: 0,
    });
    await freeSwitch().waitChannels(0);
  });

  test('freeswitch: Speex passes through FreeSWITCH bit by bit', async ({ scope }) => {
    const gateway = await startGateway(scope, 'freeswitch', freeSwitch(), { env });
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    await phone.send([...frames, ...frames]);
    await sleep(300);
    const sent = new Set(hexOf(frames));
    const unchanged = phone.audio.filter(({ hex }) => sent.has(hex));
    // What is said while FreeSWITCH joins its channels, a tenth of a second, is not heard.
    expect(unchanged.length).toBeGreaterThan(2 * frames.length - 10);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test('freeswitch: a far end that receives under another number is heard', async ({ scope }) => {
    const gateway = await startGateway(scope, 'freeswitch', freeSwitch(), { env });
    const peer = await RtpPeer.open(scope);
    const payloadType = 121;
    const sipp = await Sipp.start(scope, { scenario: callee.answers({ payloadType }), rtpPort: peer.port });
    const phone = await connectPhone(scope, gateway);
    await phone.dialAndConnect(sipp.uri());
    const { text } = await sipp.received(/^INVITE/);
    peer.echoAs = Number(/a=rtpmap:(\d+) speex\/16000/i.exec(text)?.[1]);
    expect(peer.echoAs).not.toBe(payloadType);
    await phone.send([...frames, ...frames]);
    await phone.waitAudio(frames.length);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect(new Set(peer.packets.all.map((packet) => packet.payloadType))).toEqual(new Set([payloadType]));
  });

  test('freeswitch: a callee without a codec in common, one that is busy, one that rings and is given up', async ({
    scope,
  }) => {
    const gateway = await startGateway(scope, 'freeswitch', freeSwitch(), { env });
    const phone = await connectPhone(scope, gateway);
    for (const [scenario, result] of [
      [callee.answersWithoutCommonCodec(), 'no-codec'],
      [callee.refuses('486 Busy Here'), 'busy'],
    ] as const) {
      const sipp = await Sipp.start(scope, { scenario });
      phone.dial(sipp.uri());
      await phone.waitStatus(0);
      await sipp.done();
      expect(await callEnded(gateway, sipp.uri())).toMatchObject({ result });
    }
    const sipp = await Sipp.start(scope, { scenario: callee.rings() });
    phone.dial(sipp.uri());
    await phone.waitStatus(1);
    await phone.waitStatus(1);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    await freeSwitch().waitChannels(0);
    await expectOneEndPerCall(gateway);
  });
});
