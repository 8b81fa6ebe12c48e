import { expect } from 'vitest';
import { callFrom, flowOf } from '../interop/phone/support/callers.js';
import { goOn } from '../interop/phone/support/go-on.js';
import type { LibrtmpPhone } from './librtmp-phone.js';
import { RtpPeer } from './rtp-peer.js';
import type { Scope } from './scope.js';
import type { Sipp } from './sipp.js';
import { oneOfTwo, type PartOfTwo } from './sipp-in-call.js';
import { caller } from './sipp-scenarios.js';

interface Setting {
  readonly scope: Scope;
  readonly phone: LibrtmpPhone;
  /** One second of speech, as a phone's microphone sends it. */
  readonly frames: readonly Uint8Array[];
}

/** What a phone with call waiting does, with SIPp at the far ends. */
export interface TwoCallsScenario {
  readonly name: string;
  readonly run: (setting: Setting) => Promise<void>;
}

const payloadType = 117;

/** A phone that takes calls beside its call, and its first caller. */
async function inCall({ scope, phone }: Setting, ...steps: readonly PartOfTwo[]) {
  const peer = await RtpPeer.open(scope);
  const uri = await phone.register();
  const sipp = await callFrom(scope, uri, oneOfTwo(...steps), { rtpPort: peer.port });
  await phone.acceptAndConnect();
  expect(await phone.request('callWaiting', true)).toMatchObject({ name: '_result' });
  return { sipp, peer, uri };
}

/** Somebody calls beside. */
async function waiting({ scope, phone }: Setting, uri: string, scenario: string) {
  const peer = await RtpPeer.open(scope);
  const sipp = await callFrom(scope, uri, scenario, { rtpPort: peer.port });
  expect(await phone.waitPush('Sono.Call.Waiting')).toMatchObject({
    uri: uri.replace(/^sip:|@.*$/g, ''),
    from: sipp.uri(),
  });
  return { sipp, peer };
}

/** The phone has a call, holds it, and talks to another. */
async function switched(setting: Setting, held: readonly PartOfTwo[], active: readonly PartOfTwo[]) {
  const first = await inCall(setting, ...held);
  const second = await waiting(setting, first.uri, oneOfTwo(...active));
  setting.phone.accept();
  await nowWith(setting, second.sipp);
  return { first, second };
}

async function nowWith({ phone }: Setting, sipp: Sipp): Promise<void> {
  expect(await phone.waitPush('Sono.Call.Switched')).toMatchObject({ uri: sipp.uri(), from: sipp.uri() });
}

async function hungUp({ phone }: Setting, ...sipps: readonly Sipp[]): Promise<void> {
  phone.hangup();
  await phone.waitStatus(0);
  for (const sipp of sipps) await sipp.done();
}

/** Hears and speaks with this far end, and with nobody else. */
async function talksTo({ phone, frames }: Setting, peer: RtpPeer, other: RtpPeer, timestamp: number): Promise<void> {
  peer.echoAs = payloadType;
  const before = { other: other.packets.all.length, heard: phone.audio.length, here: peer.packets.all.length };
  await phone.send(frames, { timestamp });
  await peer.waitPackets(before.here + frames.length / 2);
  const heard = await phone.waitAudio(before.heard + frames.length / 2);
  expect(other.packets.all.length).toBe(before.other);
  const timestamps = heard.map((audio) => audio.timestamp);
  expect(timestamps).toEqual([...timestamps].sort((a, b) => a - b));
  peer.echoAs = undefined;
}

export const twoCalls: readonly TwoCallsScenario[] = [
  {
    name: 'a second caller rings, a third finds the line busy, the second is rejected',
    run: async (setting) => {
      const { sipp, uri } = await inCall(setting, 'isHungUpOn');
      const second = await waiting(setting, uri, caller.isRefused(603, { payloadType, codec: 'speex/16000' }));
      const third = await callFrom(setting.scope, uri, caller.isRefused(486));
      await third.done();
      setting.phone.call('reject', 603);
      expect(await setting.phone.waitPush('Sono.Call.WaitingEnded')).toMatchObject({
        from: second.sipp.uri(),
        reason: 'declined by the client',
      });
      await second.sipp.done();
      await hungUp(setting, sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
      expect(await flowOf(second.sipp)).toEqual(['< INVITE', '> 100', '> 180', '> 603', '< ACK']);
    },
  },
  {
    name: 'a second caller finds the line busy when call waiting is turned off again',
    run: async (setting) => {
      const { sipp, uri } = await inCall(setting, 'isHungUpOn');
      expect(await setting.phone.request('callWaiting', false)).toMatchObject({ name: '_result' });
      const second = await callFrom(setting.scope, uri, caller.isRefused(486));
      await second.done();
      await hungUp(setting, sipp);
    },
  },
  {
    name: 'a waiting caller gives up',
    run: async (setting) => {
      const { sipp, uri } = await inCall(setting, 'isHungUpOn');
      const second = await waiting(setting, uri, caller.cancels());
      expect(await setting.phone.waitPush('Sono.Call.WaitingEnded')).toMatchObject({
        from: second.sipp.uri(),
        reason: 'cancelled by the caller',
      });
      await second.sipp.done();
      await hungUp(setting, sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'the phone takes the second call, holds the first, and goes to and fro; each is heard in turn',
    run: async (setting) => {
      const { first, second } = await switched(
        setting,
        ['isHeld', 'isTakenBack', 'isHeldAgain', 'isHungUpOn'],
        ['isHeld', 'isTakenBack', 'isHungUpOn'],
      );
      await talksTo(setting, second.peer, first.peer, 1_000);
      setting.phone.call('swap');
      await nowWith(setting, first.sipp);
      await setting.phone.waitPush('Sono.Call.Hold');
      await talksTo(setting, first.peer, second.peer, 4_000);
      setting.phone.call('swap');
      await nowWith(setting, second.sipp);
      await setting.phone.waitPush('Sono.Call.Hold');
      await talksTo(setting, second.peer, first.peer, 7_000);
      setting.phone.disconnect();
      await Promise.all([first.sipp.done(), second.sipp.done()]);
      expect(setting.phone.statuses).toEqual([4, 2]);
    },
  },
  {
    name: 'the phone hangs up the second call, and goes on with the first',
    run: async (setting) => {
      const { first, second } = await switched(setting, ['isHeld', 'isTakenBack', 'isHungUpOn'], ['isHungUpOn']);
      setting.phone.hangup();
      await nowWith(setting, first.sipp);
      await second.sipp.done();
      await setting.phone.waitPush('Sono.Call.Hold');
      await talksTo(setting, first.peer, second.peer, 1_000);
      await hungUp(setting, first.sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'the second far end hangs up, and the phone goes on with the first',
    run: async (setting) => {
      const { first, second } = await switched(setting, ['isHeld', 'isTakenBack', 'isHungUpOn'], ['hangsUp']);
      await goOn(second.sipp);
      await nowWith(setting, first.sipp);
      await second.sipp.done();
      await setting.phone.waitPush('Sono.Call.Hold');
      await hungUp(setting, first.sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'the held far end hangs up',
    run: async (setting) => {
      const { first, second } = await switched(setting, ['isHeld', 'hangsUp'], ['isHungUpOn']);
      // Of the re-INVITE: before it the far end waits for nothing else.
      await first.sipp.received(/^ACK/);
      await goOn(first.sipp);
      expect(await setting.phone.waitPush('Sono.Call.WaitingEnded')).toMatchObject({ from: first.sipp.uri() });
      await first.sipp.done();
      expect(await setting.phone.request('swap')).toMatchObject({
        name: '_error',
        info: { code: 'Sono.Call.Failed', description: expect.stringMatching(/held/) },
      });
      await hungUp(setting, second.sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'the first far end refuses to be held: it hears silence',
    run: async (setting) => {
      const { first, second } = await switched(setting, ['refusesHold', 'isHungUpOn'], ['isHungUpOn']);
      await talksTo(setting, second.peer, first.peer, 1_000);
      setting.phone.hangup();
      await nowWith(setting, first.sipp);
      await second.sipp.done();
      await talksTo(setting, first.peer, second.peer, 4_000);
      await hungUp(setting, first.sipp);
    },
  },
  {
    name: 'the phone hangs up while somebody waits: 3, 0, then an ordinary call',
    run: async (setting) => {
      const { sipp, uri } = await inCall(setting, 'isHungUpOn');
      const second = await waiting(setting, uri, oneOfTwo('isHungUpOn'));
      await hungUp(setting, sipp);
      expect(await setting.phone.waitIncoming()).toMatchObject({ from: second.sipp.uri() });
      setting.phone.accept();
      await setting.phone.waitStatus(2);
      await hungUp(setting, second.sipp);
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0, 4, 2, 3, 0]);
    },
  },
  {
    name: 'the far end hangs up while somebody waits: 0, then an ordinary call',
    run: async (setting) => {
      const { sipp, uri } = await inCall(setting, 'hangsUp');
      const second = await waiting(setting, uri, oneOfTwo('isHungUpOn'));
      await goOn(sipp);
      await setting.phone.waitStatus(0);
      await sipp.done();
      expect(await setting.phone.waitIncoming()).toMatchObject({ from: second.sipp.uri() });
      setting.phone.accept();
      await setting.phone.waitStatus(2);
      await hungUp(setting, second.sipp);
    },
  },
  {
    name: 'the phone vanishes: both calls end',
    run: async (setting) => {
      const { first, second } = await switched(setting, ['isHeld', 'isHungUpOn'], ['isHungUpOn']);
      await first.sipp.received(/^ACK/);
      await setting.phone.vanish();
      await Promise.all([first.sipp.done(), second.sipp.done()]);
    },
  },
];
