import { callFigures } from './call-figures.js';
import { dialToAnswered, dialToInvite } from './dialling.js';
import { warmUpFrames } from './echo-load.js';
import { Figures, ms, percent, progress, quantile } from './figures.js';
import { freePort, startGateway } from './gateway.js';
import { startScript } from './measured-process.js';
import { callMemory, idleMemory } from './memory.js';
import { oneWay } from './one-way.js';
import { mostCalls, passThrough } from './pass-through.js';
import { transcodedCalls } from './transcoded-calls.js';
import { videoCalls } from './video-calls.js';

/**
 * `npm run bench`: the gateway's figures, one table. The gateway, the far end and the load are processes of their own.
 * SECONDS (default 20) is how long calls last, CALLS (default 100,300) how many there are at once; PARTS says which part of the
 * table, as the names below, with commas. PROFILE=FOLDER leaves CPU profiles of the gateway there.
 */
const seconds = Number(process.env.SECONDS ?? 20);
const callCounts = (process.env.CALLS ?? '100,300').split(',').map(Number);
const fewest = Math.min(...callCounts);

const figures = new Figures();
const [speexPort, pcmuPort, echoPort] = [await freePort(), await freePort(), await freePort()];
const farEnd = await startScript('far-end.ts', [speexPort, pcmuPort, echoPort]);
const uri = `sip:echo@127.0.0.1:${speexPort}`;

async function dialling(): Promise<void> {
  progress('calls one after the other');
  const { process, rtmpPort } = await startGateway();
  const invite = await dialToInvite(rtmpPort, 200);
  const answered = await dialToAnswered(rtmpPort, uri, 100);
  await process.stop();
  figures.add('dial to INVITE on the wire, median', ms(quantile(invite, 0.5)), 'under 5 ms');
  figures.add('  p99', ms(quantile(invite, 0.99)));
  figures.add('dial to answered, median', ms(quantile(answered, 0.5)), 'under 8 ms');
}

/** Speex on one side, PCMU on the other. */
async function transcoded(): Promise<void> {
  progress(`${fewest} calls between Speex and PCMU for ${seconds} s`);
  const gateway = await startGateway();
  const { cpu, inCodec, sent, received } = await transcodedCalls(gateway, `sip:pcmu@127.0.0.1:${pcmuPort}`, {
    calls: fewest,
    frames: seconds * 50,
    warmUpFrames,
  });
  await gateway.process.stop();
  figures.add(`${fewest} transcoded calls, ${seconds} s: frames lost`, `${sent - received} of ${sent}`, 'none');
  figures.add('  processor per call, of one core', percent(cpu, 3), 'under 1.2 %');
  figures.add('  calls on a core', (1 / cpu).toFixed(0), 'over 83');
  figures.add('  of that in the codec', percent(inCodec, 0), '80 %');
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  dialling,
  calls: () => callFigures(figures),
  idle: () => idleMemory(figures, 5_000),
  memory: () => callMemory(figures, uri),
  delay: () => oneWay(figures, fewest, seconds),
  passing: async () => {
    for (const count of callCounts) await passThrough(figures, { uri, echoPort }, count, seconds);
  },
  most: () => mostCalls(figures, { uri, echoPort }, Math.min(5, seconds)),
  transcoded,
  video: () => videoCalls(figures, 5, Math.min(10, seconds)),
};

for (const name of (process.env.PARTS ?? Object.keys(parts).join(',')).split(',')) {
  const part = parts[name];
  if (part === undefined) throw new Error(`PARTS has ${name}, it may have ${Object.keys(parts).join(', ')}`);
  await part();
}
await farEnd.stop();
figures.print();
