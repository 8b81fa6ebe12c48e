import { expect } from 'vitest';
import type { Gateway, LogLine } from '../support/gateway.js';
import { type Audio, LibrtmpPhone } from '../support/librtmp-phone.js';
import type { Scope } from '../support/scope.js';
import type { SipMessage } from '../support/sipp.js';
import { encodeSpeex, speak } from '../support/speech.js';
import { gatewayEnvironment, readSettings } from './settings.js';

export const settings = readSettings();

/** The same scenarios on both servers: what differs is a fault of the embedded one. */
export const servers: readonly { readonly name: string; readonly env: Readonly<Record<string, string>> }[] = [
  { name: 'the drachtio server', env: gatewayEnvironment(settings) },
  { name: 'the embedded server', env: {} },
];

/** One second of speech, as the phone's microphone sends it. */
export const frames = (await encodeSpeex(await speak())).slice(0, 50);
export const hexOf = (messages: readonly Uint8Array[]): string[] =>
  messages.map((message) => Buffer.from(message).toString('hex'));
export const heard = (audio: readonly Audio[]): string[] => audio.map(({ hex }) => hex);

export const connectPhone = (scope: Scope, gateway: Gateway): Promise<LibrtmpPhone> =>
  LibrtmpPhone.connect(scope, gateway.rtmpUrl());

/** Speaks, and waits until all of it has come back. */
export async function speakAndHear(phone: LibrtmpPhone): Promise<string[]> {
  const before = phone.audio.length;
  await phone.send(frames);
  return heard(await phone.waitAudio(before + frames.length)).slice(before);
}

/** How the call to this URI ended. Its log lines may come later than what the phone has seen. */
export async function callEnded(gateway: Gateway, uri: string): Promise<LogLine> {
  await gateway.log.find(`a call to ${uri}`, ({ msg, to }) => msg === 'call started' && to === uri);
  return await gateway.callEnded(uri);
}

/** SIP address of the server in use, as `host:port`. */
export async function sipAddress(gateway: Gateway): Promise<string> {
  const line = await gateway.log.find('the login', ({ msg }) => msg === 'connected to the SIP server');
  const { addresses } = line as LogLine & { readonly addresses: readonly string[] };
  return (addresses.find((address) => address.startsWith('udp/')) ?? '').replace('udp/', '');
}

/** All values of a header, in order. */
export function header({ text }: SipMessage, name: string): string[] {
  const [head = ''] = text.split(/\r?\n\r?\n/);
  return head.split(/\r?\n/).flatMap((line) => {
    const [key = '', ...value] = line.split(':');
    return key.trim().toLowerCase() === name.toLowerCase() ? [value.join(':').trim()] : [];
  });
}

/** Nothing is silently lost: each call has its result, and only one. */
export async function expectOneEndPerCall({ log }: Gateway): Promise<void> {
  const calls = (milestone: string) => log.all.flatMap(({ msg, call }) => (msg === milestone ? [call] : [])).sort();
  const started = calls('call started');
  expect(started.length).toBeGreaterThan(0);
  for (const call of started) await log.find('its end', (line) => line.msg === 'call ended' && line.call === call);
  expect(calls('call ended')).toEqual(started);
}
