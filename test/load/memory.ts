import { setTimeout as sleep } from 'node:timers/promises';
import { callEcho } from './echo-call.js';
import { EchoLoad } from './echo-load.js';
import { type Figures, progress } from './figures.js';
import { startGateway } from './gateway.js';
import { LoadPhone } from './phone.js';

/** As many as the gateway lets in from one address by default. */
const perAddress = 1_000;

/** Resident memory that one connected phone without a call costs. */
export async function idleMemory(figures: Figures, count: number): Promise<void> {
  progress(`memory of ${count} idle connections`);
  const { process, rtmpPort } = await startGateway();
  await sleep(1_000);
  const before = process.memory();
  const phones: LoadPhone[] = [];
  for (let i = 0; i < count; i++) {
    const address = `127.0.0.${2 + Math.floor(i / perAddress)}`;
    phones.push(await LoadPhone.connect('127.0.0.1', rtmpPort, {}, address));
  }
  await sleep(2_000);
  const each = (process.memory() - before) / count;
  figures.add(`memory per idle connection, of ${count}`, `${each.toFixed(1)} kB`, 'under 20 kB');
  for (const phone of phones) phone.close();
  await process.stop();
}

/** Resident memory of a call that talks: what 200 calls more need, once 100 have been served. */
export async function callMemory(figures: Figures, uri: string): Promise<void> {
  const [some, more] = [100, 200];
  progress(`memory of ${more} calls`);
  const { process, rtmpPort } = await startGateway();
  const load = new EchoLoad(process);
  await load.add(some, () => callEcho(rtmpPort, uri));
  const before = process.memory();
  await load.add(more, () => callEcho(rtmpPort, uri));
  figures.add('memory per call', `${((process.memory() - before) / more).toFixed(1)} kB`, 'under 100 kB');
  await load.end();
}
