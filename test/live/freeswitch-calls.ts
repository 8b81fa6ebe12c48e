import { expect } from 'vitest';
import { inCall } from '../interop/in-call/support.js';
import { callFrom } from '../interop/phone/support/callers.js';
import { compareSpeech, type SpeechComparison } from '../support/compare-speech.js';
import { Gateway, type GatewayOptions, useGateway } from '../support/gateway.js';
import type { LibrtmpPhone } from '../support/librtmp-phone.js';
import { RtpPeer } from '../support/rtp-peer.js';
import type { Scope } from '../support/scope.js';
import { decodeSpeex, encodeSpeex, sampleRate, speak } from '../support/speech.js';
import { connectPhone, settings } from './calls.js';
import type { FreeSwitchServer } from './freeswitch-server.js';
import { gatewayEnvironment, readFreeSwitch } from './settings.js';

/** Who carries the media: each call FreeSWITCH, or FreeSWITCH where no codec is shared. */
export const engines = ['freeswitch', 'auto'] as const;
export type Engine = (typeof engines)[number];

/** A codec that FreeSWITCH transcodes for a client of Speex, whoever faces the far end. */
export const pcmu = { payloadType: 0, codec: 'PCMU/8000' } as const;

export const [ours, theirs] = await Promise.all([
  speak(),
  speak('Nothing of all this was ever mentioned by anybody over there.'),
]);
export const silence = (seconds: number): Int16Array => new Int16Array(seconds * sampleRate);
export const joined = (...parts: readonly Int16Array[]): Int16Array =>
  Int16Array.from(parts.flatMap((part) => [...part]));

/** A gateway whose FreeSWITCH server takes calls. */
export async function startGateway(
  scope: Scope,
  media: Engine,
  server: FreeSwitchServer,
  { env, ...options }: GatewayOptions = {},
): Promise<Gateway> {
  const gateway = await Gateway.start(scope, {
    ...options,
    env: { SONO_MEDIA: media, SONO_FREESWITCH_HOST: server.address, ...env },
  });
  await gateway.log.find('FreeSWITCH', ({ msg }) => msg === 'FreeSWITCH server takes calls');
  return gateway;
}

/** A gateway with the server for the tests of a suite, which are skipped where there is none. */
export function useGatewayOf(media: Engine): () => Gateway {
  const server = readFreeSwitch();
  if (server === undefined) {
    return () => {
      throw new Error('there is no FreeSWITCH server');
    };
  }
  const { host, port, secret } = server;
  return useGateway({
    env: { ...gatewayEnvironment(settings), SONO_MEDIA: media, SONO_FREESWITCH_HOST: `${host}:${port}:${secret}` },
  });
}

/** A phone puts silence in the place of each packet that a busy machine brings too late. */
export function expectAlike({ correlation, covered, longestGapMs }: SpeechComparison): void {
  expect(correlation).toBeGreaterThan(0.7);
  expect(covered).toBeGreaterThan(0.95);
  expect(longestGapMs).toBeLessThanOrEqual(100);
}

/** A second of speech that an echo gives back. */
const said = ours.slice(0, Math.round(1.4 * sampleRate));
/** FreeSWITCH takes a quarter of a second to take a channel off hold. */
const spoken = await encodeSpeex(joined(silence(0.5), said, silence(0.8)));

/** The far end gives back what it hears: the phone hears what it says, both ways through FreeSWITCH. */
export async function expectEcho(phone: LibrtmpPhone): Promise<void> {
  expectAlike(compareSpeech(said, await speakAndListen(phone)));
}

/** What the phone hears is silence, whatever it says. */
export async function expectSilence(phone: LibrtmpPhone): Promise<void> {
  const heard = await speakAndListen(phone);
  // Levels of 16 bit: an echo of the speech would have thousands.
  expect(heard.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0)).toBeLessThan(200);
}

/** Since when each phone speaks: its timestamps go on in the pauses. */
const starts = new WeakMap<LibrtmpPhone, number>();

async function speakAndListen(phone: LibrtmpPhone): Promise<Int16Array> {
  const now = Math.round(performance.now());
  const start = starts.get(phone) ?? now;
  starts.set(phone, start);
  const before = phone.audio.length;
  await phone.send(spoken, { timestamp: now - start });
  return await heardBy(phone, before);
}

/** What the phone has heard since a message. */
export async function heardBy(phone: LibrtmpPhone, from = 0): Promise<Int16Array> {
  const packets = phone.audio.slice(from).map(({ hex }) => Buffer.from(hex, 'hex').subarray(1));
  return packets.length === 0 ? new Int16Array(0) : await decodeSpeex(packets);
}

/** A phone in a call with SIPp, whose media comes back. */
export async function inEcho(scope: Scope, gateway: Gateway, scenario: string) {
  const peer = await RtpPeer.open(scope);
  peer.echoAs = pcmu.payloadType;
  return { peer, ...(await inCall(scope, gateway, scenario, peer.port)) };
}

/** SIPp has called a phone, which answers; its media comes back. */
export async function calledByEcho(scope: Scope, gateway: Gateway, scenario: string) {
  const peer = await RtpPeer.open(scope);
  peer.echoAs = pcmu.payloadType;
  const phone = await connectPhone(scope, gateway);
  const sipp = await callFrom(scope, await phone.register(), scenario, { rtpPort: peer.port });
  await phone.acceptAndConnect();
  const hangUp = async () => {
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  };
  return { peer, sipp, phone, hangUp };
}
