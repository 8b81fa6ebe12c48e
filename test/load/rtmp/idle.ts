import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../support/scope-class.js';
import { type Figures, progress } from '../figures.js';
import { LoadPhone } from '../phone.js';
import { startRelay } from './relay.js';

/** As many as the server lets in from one address by default. */
const perAddress = 1_000;

/** Resident memory of connections that have said connect and nothing since. */
export async function measureIdle(figures: Figures, scope: Scope, count: number): Promise<void> {
  progress(`${count} idle connections`);
  const { process, port } = await startRelay(scope);
  await sleep(1_000);
  const before = process.memory();
  const phones: LoadPhone[] = [];
  for (let index = 0; index < count; index++) {
    const address = `127.0.0.${2 + Math.floor(index / perAddress)}`;
    phones.push(await LoadPhone.connect('127.0.0.1', port, {}, address));
  }
  await sleep(2_000);
  const each = (process.memory() - before) / count;
  figures.add(`memory of ${count} idle connections`, `${each.toFixed(1)} kB each`, 'under 20 kB');
  const cpu = process.cpuSeconds();
  await sleep(35_000);
  figures.add('  processor in 35 s with a ping to each', `${(process.cpuSeconds() - cpu).toFixed(2)} s`);
  for (const phone of phones) phone.close();
}
