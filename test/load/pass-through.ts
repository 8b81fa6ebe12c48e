import { callEcho, callRelay } from './echo-call.js';
import { EchoLoad } from './echo-load.js';
import { type Figures, ms, percent, progress, quantile } from './figures.js';
import { freePort, startGateway } from './gateway.js';
import { canPin, startScript } from './measured-process.js';

export interface FarEndPorts {
  /** An address that answers with Speex and sends back what it hears. */
  readonly uri: string;
  /** A UDP port that does. */
  readonly echoPort: number;
}

/** Gateway and relay take so many turns: what else the machine does meets both. */
const turns = 10;

/** Speex through the gateway to an echo and back, and as many octets over the bare relay. */
export async function passThrough(
  figures: Figures,
  { uri, echoPort }: FarEndPorts,
  count: number,
  seconds: number,
): Promise<void> {
  progress(`${count} calls to echo and as many connections over a bare relay, ${seconds} s each`);
  const { process, rtmpPort } = await startGateway();
  const relayPort = await freePort();
  const calls = new EchoLoad(process);
  const relay = new EchoLoad(await startScript('relay.ts', [relayPort, echoPort]));
  await calls.add(count, () => callEcho(rtmpPort, uri));
  await relay.add(count, () => callRelay(relayPort));
  for (let turn = 0; turn < turns; turn++) {
    await calls.run(seconds / turns);
    await relay.run(seconds / turns);
  }
  await calls.end();
  await relay.end();
  const ratios = calls.cpu.map((cpu, turn) => cpu / (relay.cpu[turn] ?? Number.NaN));
  const both = (q: number) => `${ms(quantile(calls.delays, q))}, relay ${ms(quantile(relay.delays, q))}`;
  const late = ({ delays }: EchoLoad) => delays.filter((delay) => delay > 20).length;
  figures.add(`${count} echo calls, ${seconds} s: frames lost`, `${calls.lost} of ${calls.sent}`, 'none');
  figures.add('  frames later than 20 ms', `${late(calls)}, relay ${late(relay)}`, 'none');
  figures.add('  round trip, median', both(0.5), 'under 3 ms');
  figures.add('  round trip, p99', both(0.99));
  figures.add('  processor per call, of one core', percent(quantile(calls.cpu, 0.5), 3), '0.175 %');
  figures.add('  processor per connection of the bare relay', percent(quantile(relay.cpu, 0.5), 3));
  figures.add('  gateway : relay', quantile(ratios, 0.5).toFixed(2), 'at most 1.5');
}

const step = 100;
const most = 1_000;

/** Adds calls to a gateway on one core until frames are lost. */
export async function mostCalls(figures: Figures, { uri }: FarEndPorts, seconds: number): Promise<void> {
  const { process, rtmpPort } = await startGateway({}, 0);
  const load = new EchoLoad(process);
  let value = `fewer than ${step}`;
  for (let count = step; count <= most; count += step) {
    progress(`${count} calls at once on one core`);
    await load.add(step, () => callEcho(rtmpPort, uri));
    await load.run(seconds);
    if (load.lost > 0) break;
    value = `${count}, ${percent((load.cpu.at(-1) ?? Number.NaN) * count, 0)} of the core`;
  }
  await load.end();
  figures.add(`most calls on one core${canPin ? '' : ' (taskset is missing: on all)'} without a frame lost`, value);
}
