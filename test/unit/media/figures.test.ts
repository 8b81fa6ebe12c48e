import { expect } from 'vitest';
import type { MediaReport, MediaSession } from '../../../plugin/call/ports.js';
import { DirectMedia } from '../../../plugin/media/direct.js';
import { freePortRange } from '../../support/ports.js';
import { documentedFigures } from '../../support/readme-figures.js';
import { test } from '../../support/scope.js';
import { speexCodec } from '../../support/speex.js';
import { FakeClock } from './fake-clock.js';
import { flv, wideband } from './speex-frames.js';

test('the figures of a call are those that the README explains', async ({ scope }) => {
  const clock = new FakeClock();
  const codec = await speexCodec();
  const ports = await freePortRange(8);
  const media = new DirectMedia({ host: '127.0.0.1', ports, clock, transcoding: { codec }, srtp: 'offer' });
  let heard = 0;
  const open = () =>
    media.open({ callId: 'test', player: { play: () => ++heard > 0 }, lost: (reason) => expect.fail(reason) });
  const [caller, callee] = [await open(), await open()];
  await caller.accept(await callee.answer(caller.offer));
  const sessions = [caller, callee];
  scope.defer(() => void sessions.map((session) => session.close()));

  await settled();
  // Two rounds of reports: the first tells of packets, the second of the time that the answer to it took.
  const start = clock.now();
  let said = 0;
  for (let round = 0; round < 3; round++) {
    for (let frame = 0; frame < 5; frame++) {
      clock.advance(20);
      for (const session of sessions) say(session, clock.now() - start);
      said++;
      while (heard < said * 2) await new Promise(setImmediate);
    }
    clock.advance(8_000);
    await settled();
  }
  const report: MediaReport = caller.close();
  expect(report).toMatchObject({ engine: 'direct', codec: 'speex/16000', clientCodec: 'speex', heard: 'speex' });
  expect(report).toMatchObject({ packetsSent: said, packetsReceived: said, played: said, lost: 0, remoteLost: 0 });
  expect(Object.keys(report).sort()).toEqual(documentedFigures('figures').sort());
});

function say(session: MediaSession, timestamp: number): void {
  session.write({ kind: 'audio', timestamp, payload: flv(wideband(1)) });
}

/** Nothing that can be waited for tells of a report, or of an address found: over loopback it is there by then. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
}
