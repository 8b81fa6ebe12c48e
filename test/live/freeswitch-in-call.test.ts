import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { callFrom } from '../interop/phone/support/callers.js';
import { compareSpeech } from '../support/compare-speech.js';
import { RtpPeer } from '../support/rtp-peer.js';
import { test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { answering, calling } from '../support/sipp-in-call.js';
import { callee, caller } from '../support/sipp-scenarios.js';
import { encodeSpeex } from '../support/speech.js';
import { encodeG711 } from '../support/telephone.js';
import { connectPhone, expectOneEndPerCall, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import {
  calledByEcho,
  engines,
  expectAlike,
  expectEcho,
  heardBy,
  inEcho,
  pcmu,
  silence,
  theirs,
  useGatewayOf,
} from './freeswitch-calls.js';
import { useFreeSwitch } from './freeswitch-server.js';

useDrachtioServer(settings);
const freeSwitch = useFreeSwitch();

/** G.711 packets of 20 ms: FFmpeg's messages are of uneven length. */
async function packetsOf(speech: Int16Array): Promise<Buffer[]> {
  const octets = Buffer.concat((await encodeG711(speech, 'PCMU')).map(({ body }) => body.subarray(1)));
  return Array.from({ length: Math.floor(octets.length / 160) }, (_, at) => octets.subarray(at * 160, at * 160 + 160));
}

/** Sends these packets at their pace, to where the gateway's description says. */
async function say(peer: RtpPeer, to: number, packets: readonly Buffer[]): Promise<void> {
  const start = performance.now();
  for (const [sequence, payload] of packets.entries()) {
    await sleep(Math.max(0, start + sequence * 20 - performance.now()));
    peer.send({ marker: sequence === 0, ssrc: 7, payloadType: 0, payload, sequence, timestamp: sequence * 160 }, to);
  }
}

const portIn = (text: string) => Number(/m=audio (\d+)/.exec(text)?.[1]);

/** The keys that telephone-event packets of a number are (RFC 4733), each once. */
function keysTo(peer: RtpPeer, payloadType: number): number[] {
  const events = peer.packets.all.filter((packet) => packet.payloadType === payloadType);
  const starts = events.filter(({ timestamp }, at) => timestamp !== events[at - 1]?.timestamp);
  return starts.map(({ payload }) => payload[0] ?? -1);
}

describe.for(engines)('%s', (media) => {
  const gateway = useGatewayOf(media);

  test.concurrent('keys of the client reach the far end as telephone-event', async ({ scope }) => {
    const { peer, phone, hangUp } = await inEcho(scope, gateway(), answering.withEvents(101, pcmu));
    peer.echoAs = undefined;
    phone.startSending(await encodeSpeex(silence(3)));
    await peer.waitPackets(10);
    phone.call('sendDTMF', '1#A', 100);
    await peer.packets.find('the third key', () => keysTo(peer, 101).length >= 3);
    await hangUp();
    expect(keysTo(peer, 101)).toEqual([1, 11, 12]);
  });

  test.concurrent('keys of the client reach by INFO a far end that has no telephone-event', async ({ scope }) => {
    const { sipp, phone, hangUp } = await inEcho(scope, gateway(), answering.takesKeys('1', '#'));
    phone.call('sendDTMF', '1#', 60);
    await sipp.received(/^INFO[\s\S]*Signal=#/);
    await hangUp();
  });

  test.concurrent('keys of the far end reach the client, by INFO and as telephone-event', async ({ scope }) => {
    const info = await inEcho(scope, gateway(), answering.pressesKeys(pcmu));
    expect(await info.phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '5' });
    expect(await info.phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '#' });
    await info.sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 4 INFO/);
    await info.hangUp();

    const { peer, sipp, phone, hangUp } = await inEcho(scope, gateway(), answering.withEvents(101, pcmu));
    peer.echoAs = undefined;
    const to = portIn((await sipp.received(/^INVITE/)).text);
    const quiet = Buffer.alloc(160, 0xff);
    await say(peer, to, new Array(25).fill(quiet));
    let sequence = 25;
    for (const key of [7, 10]) {
      const timestamp = sequence * 160;
      for (const step of [1, 2, 3, 4, 5, 5, 5]) {
        const end = step === 5 ? 0x80 : 0;
        const payload = Buffer.from([key, end | 10, (step * 160) >> 8, (step * 160) & 0xff]);
        peer.send({ marker: step === 1, ssrc: 7, payloadType: 101, payload, sequence: sequence++, timestamp }, to);
        await sleep(20);
      }
      for (let pause = 0; pause < 10; pause++, sequence++) {
        peer.send({ marker: false, ssrc: 7, payloadType: 0, payload: quiet, sequence, timestamp: sequence * 160 }, to);
        await sleep(20);
      }
    }
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '7' });
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '*' });
    await hangUp();
  });

  test.concurrent('an announcement before the answer is heard, and its keys', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const phone = await connectPhone(scope, gateway());
    const early = { ...pcmu, events: 101 };
    const sipp = await Sipp.start(scope, { scenario: answering.ringsReliably(early, 5_500), rtpPort: peer.port });
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    await phone.waitStreams();
    const to = portIn((await sipp.received(/^INVITE/)).text);
    phone.call('sendDTMF', '7');
    const said = theirs.slice(0, 32_000);
    await say(peer, to, [
      ...(await packetsOf(silence(0.3))),
      ...(await packetsOf(said)),
      ...(await packetsOf(silence(1))),
    ]);
    expectAlike(compareSpeech(said, await heardBy(phone)));
    expect(keysTo(peer, 101)).toEqual([7]);
    await phone.waitStatus(2);
    peer.echoAs = 0;
    await expectEcho(phone);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('two phones of one number: the one that answers is heard', async ({ scope }) => {
    const [first, second] = [await RtpPeer.open(scope), await RtpPeer.open(scope)];
    second.echoAs = 0;
    const forks = answering.forks({ ...pcmu, port: first.port }, { ...pcmu, port: second.port });
    const sipp = await Sipp.start(scope, { scenario: forks });
    const phone = await connectPhone(scope, gateway());
    phone.dial(sipp.uri());
    await phone.waitStatus(4);
    await phone.waitStreams();
    await phone.waitStatus(2);
    await expectEcho(phone);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('the client passes the call on', async ({ scope }) => {
    const to = 'sip:carol@192.0.2.9';
    const { sipp, phone } = await inEcho(scope, gateway(), answering.isTransferred(to, '200 OK', pcmu));
    phone.call('transfer', to);
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: to });
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent.for([
    ['of the same codec', pcmu],
    ['of another codec', { payloadType: 8, codec: 'PCMA/8000' }],
    ['of Speex', {}],
  ] as const)('the far end passes the call on to a phone %s', async ([, answer], { scope }) => {
    const peer = await RtpPeer.open(scope);
    const other = await Sipp.start(scope, { scenario: callee.answers(answer), rtpPort: peer.port });
    const { sipp, phone } = await inEcho(scope, gateway(), answering.transfers(other.uri(), 200, pcmu));
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: other.uri() });
    await sipp.done();
    const { text } = await other.received(/^INVITE/);
    peer.echoAs = 'payloadType' in answer ? answer.payloadType : Number(/a=rtpmap:(\d+) speex\/16000/i.exec(text)?.[1]);
    await expectEcho(phone);
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
  });

  test.concurrent.for([
    ['that called', false],
    ['that was called', true],
  ] as const)('somebody takes over the far end %s', async ([, outgoing], { scope }) => {
    const { sipp, phone } = outgoing
      ? await inEcho(scope, gateway(), callee.answers(pcmu))
      : await calledByEcho(scope, gateway(), caller.isHungUpOn(pcmu));
    const { text } = await sipp.received(outgoing ? /^ACK/ : /^SIP\/2\.0 200/);
    const part = (pattern: RegExp) => pattern.exec(text)?.[1];
    const [from, to] = [part(/^From:.*;tag=(\S+)/im), part(/^To:.*;tag=(\S+)/im)];
    const tags = outgoing ? `to-tag=${from};from-tag=${to}` : `to-tag=${to};from-tag=${from}`;
    const replaces = `${part(/^Call-ID: *(\S+)/im)};${tags}`;
    const anybody = await connectPhone(scope, gateway());
    const peer = await RtpPeer.open(scope);
    peer.echoAs = 8;
    const pcma = { payloadType: 8, codec: 'PCMA/8000' };
    const second = await callFrom(scope, await anybody.register(), calling.takesOver(replaces, pcma), {
      rtpPort: peer.port,
    });
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: second.uri() });
    await sipp.done();
    await expectEcho(phone);
    phone.hangup();
    await phone.waitStatus(0);
    await second.done();
  });

  test.concurrent('a caller gives up while the phone rings', async ({ scope }) => {
    const phone = await connectPhone(scope, gateway());
    const sipp = await callFrom(scope, await phone.register(), caller.cancels());
    await phone.waitIncoming();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test('every call has ended, once, and no channel is left', async () => {
    await expectOneEndPerCall(gateway());
    await freeSwitch().waitChannels(0);
  });
});
