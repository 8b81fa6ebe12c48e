import { setTimeout as sleep } from 'node:timers/promises';
import { callEcho, type EchoCall } from './echo-call.js';
import { warmUpFrames } from './echo-load.js';
import { type Figures, ms, progress, quantile } from './figures.js';
import { startGateway } from './gateway.js';
import { readFrame, talkAll } from './talk.js';
import { Telephone } from './telephone.js';

const rtpHeaderLength = 12;

/** What the gateway adds to a frame's way, each direction on its own: phones and telephone are both in this process, with one clock. */
export async function oneWay(figures: Figures, count: number, seconds: number): Promise<void> {
  progress(`${count} calls for ${seconds} s, each direction on its own`);
  const { process, rtmpPort } = await startGateway();
  const calls: EchoCall[] = [];
  const toRtp: number[] = [];
  const telephone = await Telephone.start({
    codec: 'speex/16000',
    heard: (packet) => {
      // Reports come to the port above: all that comes here is audio.
      const { number, call } = readFrame(packet, rtpHeaderLength);
      const { sentAt } = calls[call]?.talk ?? { sentAt: [] };
      const [said, now] = [sentAt[number] ?? Number.NaN, performance.now()];
      if (Number.isNaN(said)) return;
      toRtp.push(now - said);
      // It goes back at once: from now on its way is the other one.
      sentAt[number] = now;
    },
  });
  for (let call = 0; call < count; call++) calls.push(await callEcho(rtmpPort, telephone.uri, call));
  const talks = calls.map(({ talk }) => talk);
  await talkAll(talks, warmUpFrames);
  for (const talk of talks) talk.forget();
  toRtp.length = 0;
  await talkAll(talks, seconds * 50);
  await sleep(500);
  const toRtmp = talks.flatMap(({ delays }) => delays);
  for (const call of calls) call.end();
  telephone.close();
  await process.stop();
  for (const [name, delays] of Object.entries({ 'RTMP to RTP': toRtp, 'RTP to RTMP': toRtmp })) {
    figures.add(`added delay ${name}, ${count} calls, median`, ms(quantile(delays, 0.5)), 'under 1 ms');
    figures.add('  p99', ms(quantile(delays, 0.99)), 'under 5 ms');
  }
}
