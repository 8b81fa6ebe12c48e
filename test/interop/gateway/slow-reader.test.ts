import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { amf0, command, connectCommand, RawRtmp } from '../../support/raw-rtmp.js';
import { test } from '../../support/scope.js';
import { encodeSpeex, frameMs, speak } from '../../support/speech.js';

const gateway = useGateway();
const frames = await encodeSpeex(await speak());

test.concurrent('a phone that does not read for a while hears fresh audio afterwards, not the old', async ({
  scope,
}) => {
  const stallMs = 3000;
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl(), { receiveBuffer: 4096 });
  await phone.dialAndConnect(gateway().sipUri('echo'));
  phone.startSending(frames);
  await phone.waitAudio(25);
  phone.stall(stallMs);
  await phone.events.find('the last frame to be sent', ({ event }) => event === 'sent');
  const last = frames.at(-1)?.toString('hex');
  await phone.events.find('the last frame', (event) => event.event === 'audio' && event.hex === last);
  phone.hangup();
  await phone.waitStatus(0);
  expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);

  // What was said during the stall is not heard, but for the half second that it takes to notice, and some.
  const missing = frames.length - phone.audio.length;
  expect(missing).toBeGreaterThan((stallMs - 1500) / frameMs);
  // In order, nothing twice, and in time again as soon as it reads.
  const began = phone.events.all.find(({ event }) => event === 'sending')?.at ?? 0;
  const index = new Map(frames.map((frame, position) => [frame.toString('hex'), position]));
  const delays = phone.audio.slice(-50).map(({ hex, at }) => at - began - (index.get(hex) ?? 0) * frameMs);
  expect(Math.max(...delays)).toBeLessThan(500);
  const { media } = await gateway().callEnded(gateway().sipUri('echo'));
  expect(media).toMatchObject({ droppedSlowReader: missing });
});

/** Kilobytes of memory that the process has in use. */
async function residentKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}

test.concurrent('a client that asks and never reads is cut off, and the memory comes back', async ({ scope }) => {
  const before = await residentKb(gateway().pid);
  const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
  client.write(connectCommand);
  await client.receivedText('NetConnection.Connect.Success');
  client.pause();
  // Each of these is answered with an error that names it.
  const question = command(`what is ${'x'.repeat(100)}`, 7, amf0.null);
  const questions = Buffer.concat(Array.from({ length: 100 }, () => question));
  for (let count = 0; count < 300 && !client.ended; count++) {
    client.write(questions);
    await sleep(5);
  }
  // The connection is gone, or slowed down to the commands per second that a client may send.
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(100)) {
    if ((await residentKb(gateway().pid)) < before + 64_000) break;
  }
  expect(await residentKb(gateway().pid)).toBeLessThan(before + 64_000);
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  expect(await phone.register()).toMatch(/^sip:/);
});
