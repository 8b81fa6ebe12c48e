import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { compareSpeech, type SpeechComparison } from '../support/compare-speech.js';
import { Gateway } from '../support/gateway.js';
import { Linphone } from '../support/linphone.js';
import { RtpPeer } from '../support/rtp-peer.js';
import { type Scope, test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../support/speech.js';
import { answersWithEvents } from './callees.js';
import { callEnded, connectPhone, expectOneEndPerCall, frames, hexOf, servers, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { useFreeSwitch } from './freeswitch-server.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();

const [ours, theirs] = await Promise.all([
  speak(),
  speak('Nothing of all this was ever mentioned by anybody over there.'),
]);
const silence = (seconds: number) => new Int16Array(seconds * sampleRate);
const joined = (...parts: readonly Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

type Media = 'freeswitch' | 'auto';

async function start(scope: Scope, media: Media, env: Readonly<Record<string, string>> = {}): Promise<Gateway> {
  const gateway = await Gateway.start(scope, {
    env: { ...env, SONO_MEDIA: media, SONO_FREESWITCH_HOST: freeSwitch().address },
  });
  await gateway.log.find('FreeSWITCH', ({ msg }) => msg === 'FreeSWITCH server takes calls');
  return gateway;
}

/** Linphone's ear has holes of its own on a busy machine, which the gateway's side does not have. */
function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.7);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(100);
}

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
    const gateway = await start(scope, media, env);
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
    const packets = phone.audio.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
    expectAlike(compareSpeech(theirs, await decodeSpeex(packets)));
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
    const gateway = await start(scope, 'freeswitch', env);
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
    const gateway = await start(scope, 'freeswitch', env);
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

  test.for(['freeswitch', 'auto'] as const)(
    '%s: a key that the far end presses reaches the gateway',
    async (media, { scope }) => {
      const gateway = await start(scope, media, env);
      const peer = await RtpPeer.open(scope);
      const sipp = await Sipp.start(scope, { scenario: answersWithEvents(), rtpPort: peer.port });
      const phone = await connectPhone(scope, gateway);
      await phone.dialAndConnect(sipp.uri());
      const { text } = await sipp.received(/^INVITE/);
      const port = Number(/m=audio (\d+)/.exec(text)?.[1]);
      const packet = { marker: false, ssrc: 7, payloadType: 0, payload: Buffer.alloc(160, 0xff) };
      let sequence = 0;
      const speak = async (packets: number) => {
        for (let end = sequence + packets; sequence < end; sequence++) {
          peer.send({ ...packet, sequence, timestamp: sequence * 160 }, port);
          await sleep(20);
        }
      };
      await speak(40);
      // RFC 4733: digit 5 for 100 ms; its end is said three times.
      const timestamp = sequence * 160;
      for (const [duration, end] of [
        ...[160, 320, 480, 640].map((length) => [length, 0] as const),
        ...[800, 800, 800].map((length) => [length, 0x80] as const),
      ]) {
        const payload = Buffer.from([5, end | 10, duration >> 8, duration & 0xff]);
        peer.send(
          { ...packet, payloadType: 101, payload, sequence: sequence++, timestamp, marker: duration === 160 },
          port,
        );
        await sleep(20);
      }
      await speak(20);
      phone.hangup();
      await phone.waitStatus(0);
      await sipp.done();
      const { media: measured } = await callEnded(gateway, sipp.uri());
      expect(measured).toMatchObject({ engine: 'freeswitch', codec: 'pcmu/8000' });
      expect(measured?.telephoneEvents).toBeGreaterThan(3);
    },
  );

  test('freeswitch: a callee without a codec in common, one that is busy, one that rings and is given up', async ({
    scope,
  }) => {
    const gateway = await start(scope, 'freeswitch', env);
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

test('the operator pauses the server, and resumes', async ({ scope }) => {
  const gateway = await start(scope, 'freeswitch');
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
  const gateway = await start(scope, 'freeswitch');
  const phone = await connectPhone(scope, gateway);
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  await phone.dialAndConnect(sipp.uri());
  await freeSwitch().waitChannels(2);
  gateway.signal('SIGKILL');
  await freeSwitch().waitChannels(0, 70_000);
});

test('ten calls at once, and no channel is left', async ({ scope }) => {
  const gateway = await start(scope, 'freeswitch');
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
      const gateway = await start(scope, media);
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
