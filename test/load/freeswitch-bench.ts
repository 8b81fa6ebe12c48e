import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { callee } from '../support/sipp-scenarios.js';
import { dialToAnswered } from './dialling.js';
import { callEcho, type EchoCall } from './echo-call.js';
import { Figures, ms, percent, progress, quantile } from './figures.js';
import { freePort, type MeasuredGateway, startGateway } from './gateway.js';
import { MeasuredProcess } from './measured-process.js';
import { talkAll } from './talk.js';

/**
 * What calls through a real FreeSWITCH cost: `SONO_LIVE_FREESWITCH=host:port[:secret] FREESWITCH_PID=... node --import tsx
 * test/load/freeswitch-bench.ts`. CALLS (default 20) is how many there are at once, SECONDS (default 15) how long they last.
 */
const seconds = Number(process.env.SECONDS ?? 15);
const count = Number(process.env.CALLS ?? 20);
const server = process.env.SONO_LIVE_FREESWITCH ?? '';
const serverPid = Number(process.env.FREESWITCH_PID);
const figures = new Figures();

const proc = (file: string) => readFileSync(`/proc/${serverPid}/${file}`, 'utf8');
function serverCpu(): number {
  const stat = proc('stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const serverMemory = () => Number(/^VmRSS:\s+(\d+)/m.exec(proc('status'))?.[1]);

async function dialling(name: string, { rtmpPort }: MeasuredGateway, uri: string): Promise<void> {
  const times = await dialToAnswered(rtmpPort, uri, 30);
  figures.add(`${name}: dial to answered, median, p90`, `${ms(quantile(times, 0.5))}, ${ms(quantile(times, 0.9))}`);
}

async function measure(name: string, gateway: MeasuredGateway, uri: string, roundTrip: boolean): Promise<void> {
  progress(`${name}: ${count} calls for ${seconds} s`);
  const memory = [gateway.process.memory(), serverMemory()];
  const calls: EchoCall[] = [];
  for (let call = 0; call < count; call++) calls.push(await callEcho(gateway.rtmpPort, uri));
  const talks = calls.map(({ talk }) => talk);
  const talk = (frames: number) => talkAll(talks, frames);
  await talk(150);
  for (const call of calls) call.talk.delays.length = 0;
  const before = { gateway: gateway.process.cpuSeconds(), server: serverCpu(), at: performance.now() };
  await talk(seconds * 50);
  const perCall = ((performance.now() - before.at) / 1000) * count;
  const delays = calls.flatMap((call) => call.talk.delays);
  figures.add(
    `${name}: processor per call, Sono`,
    percent((gateway.process.cpuSeconds() - before.gateway) / perCall, 2),
  );
  figures.add(`${name}: processor per call, FreeSWITCH`, percent((serverCpu() - before.server) / perCall, 2));
  const grown = [gateway.process.memory() - (memory[0] ?? 0), serverMemory() - (memory[1] ?? 0)];
  figures.add(
    `${name}: memory per call, Sono, FreeSWITCH`,
    grown.map((kB) => `${(kB / count).toFixed(0)} kB`).join(', '),
  );
  if (roundTrip) {
    figures.add(`${name}: round trip, median, p99`, `${ms(quantile(delays, 0.5))}, ${ms(quantile(delays, 0.99))}`);
    figures.add(`${name}: frames lost`, `${count * seconds * 50 - delays.length} of ${count * seconds * 50}`);
  }
  for (const call of calls) call.end();
  await sleep(1_500);
}

/** SIPp that answers every call with PCMU and sends back what it hears. */
async function startSipp(): Promise<{ readonly uri: string; stop(): void }> {
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'scenario.xml');
  writeFileSync(file, callee.answers({ payloadType: 0, codec: 'PCMU/8000' }));
  const [port, control, media] = [await freePort(), await freePort(), await freePort()];
  const host = '127.0.0.1';
  const sipp = spawn(
    'sipp',
    [
      ...['-sf', file, '-t', 'u1', '-i', host, '-p', String(port), '-ci', host, '-cp', String(control), '-nostdin'],
      ...[
        '-mi',
        host,
        '-mp',
        String(media - (media % 2)),
        '-rtp_echo',
        '-key',
        'rtp_port',
        String(media - (media % 2)),
      ],
    ],
    { stdio: 'ignore' },
  );
  await sleep(1_000);
  return { uri: `sip:sipp@${host}:${port}`, stop: () => sipp.kill('SIGKILL') };
}

const [sipPort, echoPort] = [await freePort(), await freePort()];
const script = fileURLToPath(new URL('far-end.ts', import.meta.url));
const farEnd = await MeasuredProcess.start(script, {
  args: [String(sipPort), String(echoPort)],
  nodeOptions: ['--import', 'tsx'],
});
const sipp = await startSipp();
for (const media of ['freeswitch', 'auto'] as const) {
  const gateway = await startGateway({ SONO_MEDIA: media, SONO_FREESWITCH_HOST: server });
  await sleep(1_000);
  const speexUri = `sip:echo@127.0.0.1:${sipPort}`;
  await dialling(`${media}, Speex`, gateway, speexUri);
  await dialling(`${media}, PCMU`, gateway, sipp.uri);
  await measure(`${media}, Speex`, gateway, speexUri, true);
  await measure(`${media}, PCMU`, gateway, sipp.uri, false);
  await gateway.process.stop();
}
await farEnd.stop();
figures.print();
sipp.stop();
