import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { callFigures } from './call-figures.js';
import { callEcho, callRelay, type EchoCall } from './echo-call.js';
import { Figures, ms, percent, progress, quantile } from './figures.js';
import { freePort, type MeasuredGateway, startGateway } from './gateway.js';
import { MeasuredProcess } from './measured-process.js';
import { LoadPhone } from './phone.js';
import { SipSink } from './sip-sink.js';
import { transcodedCalls } from './transcoded-calls.js';

/**
 * `npm run bench`: the gateway's figures, one table. The gateway, the far end and the load are processes of their own.
 * SECONDS (default 20) is how long calls last, CALLS (default 100,300) how many there are at once.
 */
const seconds = Number(process.env.SECONDS ?? 20);
const callCounts = (process.env.CALLS ?? '100,300').split(',').map(Number);

/** Frames that each call sends before it is measured: code is compiled while it runs. */
const warmUpFrames = 150;

const figures = new Figures();

/** From the dial command leaving the phone to the INVITE arriving at a SIP socket. */
async function dialToInvite({ rtmpPort }: MeasuredGateway): Promise<void> {
  progress('dial to INVITE, 200 calls one after the other');
  const sink = await SipSink.start();
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const ended = new Promise<void>((resolve) => {
      phone.onStatus = (status) => status === 0 && resolve();
    });
    const started = performance.now();
    phone.dial(`sip:bench@127.0.0.1:${sink.port}`);
    times.push((await sink.nextInvite()) - started);
    await ended;
  }
  phone.close();
  sink.close();
  figures.add('dial to INVITE on the wire, median', ms(quantile(times, 0.5)), 'under 5 ms');
  figures.add('dial to INVITE on the wire, p99', ms(quantile(times, 0.99)));
}

/** From the dial command to status 2, of a callee that answers at once. */
async function dialToAnswered({ rtmpPort }: MeasuredGateway, uri: string): Promise<void> {
  progress('dial to answered, 100 calls one after the other');
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const status = (wanted: number) =>
    new Promise<void>((resolve) => {
      phone.onStatus = (reached) => reached === wanted && resolve();
    });
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const connected = status(2);
    const started = performance.now();
    phone.dial(uri);
    await connected;
    times.push(performance.now() - started);
    const ended = status(0);
    phone.hangup();
    await ended;
  }
  phone.close();
  figures.add('dial to answered, median', ms(quantile(times, 0.5)), 'under 8 ms');
}

/** Resident memory that one connected phone without a call costs. */
async function idleMemory(): Promise<void> {
  const count = 1_000;
  progress(`memory of ${count} idle connections`);
  const { process, rtmpPort } = await startGateway();
  await sleep(1_000);
  const before = process.memory();
  const phones: LoadPhone[] = [];
  for (let i = 0; i < count; i++) phones.push(await LoadPhone.connect('127.0.0.1', rtmpPort));
  await sleep(2_000);
  figures.add('memory per idle connection', `${((process.memory() - before) / count).toFixed(1)} kB`, 'under 20 kB');
  for (const phone of phones) phone.close();
  await process.stop();
}

/** Resident memory of a call that talks: what 200 calls more need, once some have been served. */
async function callMemory(uri: string): Promise<void> {
  const more = 200;
  progress(`memory of ${more} calls`);
  const { process, rtmpPort } = await startGateway();
  const calls: EchoCall[] = [];
  const talk = async (count: number) => {
    for (let i = 0; i < count; i++) calls.push(await callEcho(rtmpPort, uri));
    await Promise.all(calls.map((call, index) => call.talk.run(warmUpFrames, (index * 20) / calls.length)));
    return process.memory();
  };
  const some = await talk(100);
  const all = await talk(more);
  figures.add('memory per call', `${((all - some) / more).toFixed(1)} kB`, 'under 100 kB');
  for (const call of calls) call.end();
  await sleep(500);
  await process.stop();
}

interface Load {
  /** Share of one core per call. */
  readonly cpu: number;
  readonly delays: readonly number[];
  readonly sent: number;
}

/** Calls that talk at the same time, their frames spread evenly over 20 ms. */
async function load(process: MeasuredProcess, count: number, start: () => Promise<EchoCall>): Promise<Load> {
  const calls: EchoCall[] = [];
  for (let i = 0; i < count; i++) calls.push(await start());
  const talk = (frames: number) => Promise.all(calls.map((call, index) => call.talk.run(frames, (index * 20) / count)));
  await talk(warmUpFrames);
  await sleep(500);
  for (const call of calls) call.talk.delays.length = 0;
  const cpuBefore = process.cpuSeconds();
  const began = performance.now();
  await talk(seconds * 50);
  const elapsed = (performance.now() - began) / 1000;
  const cpu = (process.cpuSeconds() - cpuBefore) / elapsed / count;
  await sleep(500);
  for (const call of calls) call.end();
  await sleep(1_000);
  return { cpu, delays: calls.flatMap(({ talk }) => talk.delays), sent: count * seconds * 50 };
}

/** Calls to an echo: Speex passes through the gateway there and back. */
async function passThrough(uri: string, echoPort: number): Promise<void> {
  for (const count of callCounts) {
    progress(`${count} calls to echo for ${seconds} s, then as many connections over a bare relay`);
    const gateway = await startGateway();
    const calls = await load(gateway.process, count, () => callEcho(gateway.rtmpPort, uri));
    await gateway.process.stop();
    const relayPort = await freePort();
    const relay = await startScript('relay.ts', [relayPort, echoPort]);
    const bare = await load(relay, count, () => callRelay(relayPort));
    await relay.stop();
    const { sent, delays } = calls;
    figures.add(`${count} echo calls, ${seconds} s: frames lost`, `${sent - delays.length} of ${sent}`, 'none');
    figures.add('  frames later than 20 ms', String(delays.filter((delay) => delay > 20).length), 'none');
    figures.add(
      '  round trip, median',
      `${ms(quantile(delays, 0.5))}, relay ${ms(quantile(bare.delays, 0.5))}`,
      'under 3 ms',
    );
    figures.add('  round trip, p99', `${ms(quantile(delays, 0.99))}, relay ${ms(quantile(bare.delays, 0.99))}`);
    figures.add('  processor per call, of one core', percent(calls.cpu, 3), '0.175 %');
    figures.add('  processor per connection of the bare relay', percent(bare.cpu, 3));
    figures.add('  gateway : relay', (calls.cpu / bare.cpu).toFixed(2), 'at most 1.5');
  }
}

/** Speex on one side, PCMU on the other. */
async function transcoded(uri: string): Promise<void> {
  const count = Math.min(...callCounts);
  progress(`${count} calls between Speex and PCMU for ${seconds} s`);
  const gateway = await startGateway();
  const { cpu, inCodec, sent, received } = await transcodedCalls(gateway, uri, {
    calls: count,
    frames: seconds * 50,
    warmUpFrames,
  });
  await gateway.process.stop();
  figures.add(`${count} transcoded calls, ${seconds} s: frames lost`, `${sent - received} of ${sent}`, 'none');
  figures.add('  processor per call, of one core', percent(cpu, 3), 'under 1.2 %');
  figures.add('  calls on a core', (1 / cpu).toFixed(0), 'over 83');
  figures.add('  of that in the codec', percent(inCodec, 0), '80 %');
}

function startScript(name: string, args: readonly number[]): Promise<MeasuredProcess> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return MeasuredProcess.start(script, { args: args.map(String), nodeOptions: ['--import', 'tsx'] });
}

const [farSipPort, pcmuPort, echoPort] = [await freePort(), await freePort(), await freePort()];
const farEnd = await startScript('far-end.ts', [farSipPort, pcmuPort, echoPort]);
const uri = `sip:echo@127.0.0.1:${farSipPort}`;
const gateway = await startGateway();
await dialToInvite(gateway);
await dialToAnswered(gateway, uri);
await gateway.process.stop();
await callFigures(figures);
await idleMemory();
await callMemory(uri);
await passThrough(uri, echoPort);
await transcoded(`sip:pcmu@127.0.0.1:${pcmuPort}`);
await farEnd.stop();
figures.print();
