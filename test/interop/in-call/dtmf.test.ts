import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { answering } from '../../support/sipp-in-call.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { inCall } from './support.js';

const gateway = useGateway();
const frames = (await encodeSpeex(await speak('One, two, three, four, five, six.'))).slice(0, 60);
const calls = (scope: Scope, scenario: string, rtpPort?: number) => inCall(scope, gateway(), scenario, rtpPort);
const dtmf = 'Sono.Call.DTMF';
const events = 110;

describe('keys of the client', () => {
  test.concurrent('go out in RTP: one event each, three last packets, and no audio in between', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const { phone, hangUp } = await calls(scope, answering.withEvents(events), peer.port);
    phone.startSending(frames);
    await peer.waitPackets(5);
    phone.call('sendDTMF', '1#', 100);
    const isEnd = (code: number) => (packet: { payloadType: number; payload: Buffer }) =>
      packet.payloadType === events && packet.payload[0] === code && (packet.payload[1] ?? 0) >= 0x80;
    await peer.packets.find('the end of #', isEnd(11));
    const from = peer.packets.all.length;
    await peer.packets.find('audio behind the keys', ({ payloadType }) => payloadType !== events, { from });
    await hangUp();

    const all = [...peer.packets.all].sort((a, b) => a.sequence - b.sequence);
    const first = all.findIndex(({ payloadType }) => payloadType === events);
    const last = all.findLastIndex(({ payloadType }) => payloadType === events);
    const keys = all.slice(first, last + 1);
    expect(keys.every(({ payloadType }) => payloadType === events)).toBe(true);
    for (const code of [1, 11]) {
      const key = keys.filter(({ payload }) => payload[0] === code);
      const durations = key.map(({ payload }) => payload.readUInt16BE(2));
      expect(new Set(key.map(({ timestamp }) => timestamp)).size).toBe(1);
      expect(key.map(({ marker }) => marker)).toEqual(key.map((_, index) => index === 0));
      expect(durations).toEqual([...durations].sort((a, b) => a - b));
      // 100 ms at 16 kHz.
      expect(durations.slice(-3)).toEqual([1600, 1600, 1600]);
      expect(key.filter(({ payload }) => (payload[1] ?? 0) >= 0x80)).toHaveLength(3);
    }
    expect(all.map(({ sequence }) => sequence)).toEqual(
      all.map((_, index) => ((all[0]?.sequence ?? 0) + index) & 0xffff),
    );
    expect(new Set(all.map(({ ssrc }) => ssrc)).size).toBe(1);
  });

  test.concurrent('go out by INFO, one after the other, to who takes no events', async ({ scope }) => {
    const { sipp, phone, hangUp } = await calls(scope, answering.takesKeys('4', '*', 'D'));
    phone.call('sendDTMF', '4*d', 60);
    await sipp.received(/^INFO[\s\S]*Signal=D/);
    await hangUp();
    const infos = (await sipp.messages()).filter(({ text }) => text.startsWith('INFO'));
    expect(infos[0]?.text).toMatch(/Content-Type: application\/dtmf-relay[\s\S]*Signal=4\r?\nDuration=60/i);
    // Each key is pressed for 60 ms before the next.
    for (const [index, { at }] of infos.entries())
      if (index > 0) expect(at - (infos[index - 1]?.at ?? 0)).toBeGreaterThan(60);
  });

  test.concurrent.for([
    [['12x'], /no telephone has/],
    [[''], /needs digits/],
    [[null], /needs digits/],
    [['1'.repeat(33)], /at most 32/],
    [['1', 10], /40 to 4000 ms/],
    [['1', 'long'], /40 to 4000 ms/],
    [['1'], /no call/],
  ] as const)('%j is an error', async ([args, description], { scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    expect(await phone.request('sendDTMF', ...args)).toMatchObject({
      name: '_error',
      info: { code: 'Sono.Call.Failed', description: expect.stringMatching(description) },
    });
  });
});

describe('keys of the far end', () => {
  test.concurrent('in RTP reach the client once each, also when last packets are lost', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const { sipp, phone, hangUp } = await calls(scope, answering.withEvents(events), peer.port);
    const { text } = await sipp.received(/^INVITE/);
    const port = Number(/^m=audio (\d+)/m.exec(text)?.[1]);
    const payloadType = Number(/^a=rtpmap:(\d+) telephone-event\/16000/m.exec(text)?.[1]);
    let sequence = 1;
    const press = (code: number, timestamp: number, durations: readonly number[], ends: number) => {
      const packet = (duration: number, end: boolean, marker: boolean) =>
        peer.send(
          {
            payload: Buffer.from([code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]),
            ...{ payloadType, marker, sequence: sequence++, timestamp, ssrc: 9 },
          },
          port,
        );
      for (const [index, duration] of durations.entries()) packet(duration, false, index === 0);
      for (let end = 0; end < ends; end++) packet(durations.at(-1) ?? 0, true, false);
    };
    press(5, 1_000, [320, 640, 1600], 3);
    expect(await phone.waitPush(dtmf)).toMatchObject({ digit: '5', duration: 100 });
    press(5, 9_000, [320, 640], 0);
    press(10, 20_000, [320], 1);
    expect(await phone.waitPush(dtmf)).toMatchObject({ digit: '5', duration: 40 });
    expect(await phone.waitPush(dtmf)).toMatchObject({ digit: '*', duration: 20 });
    await hangUp();
    const all = phone.events.all.filter((event) => JSON.stringify(event).includes(dtmf));
    expect(all).toHaveLength(3);
  });

  test.concurrent('by INFO reach the client; an INFO that nobody knows gets 415', async ({ scope }) => {
    const { sipp, phone, hangUp } = await calls(scope, answering.pressesKeys());
    expect(await phone.waitPush(dtmf)).toMatchObject({ digit: '5', duration: 240 });
    expect(await phone.waitPush(dtmf)).toMatchObject({ digit: '#', duration: 160 });
    await sipp.received(/^SIP\/2\.0 200[\s\S]*CSeq: 4 INFO/);
    await hangUp();
  });
});
