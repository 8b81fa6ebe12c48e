import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeConnectOptions } from 'rtmp-server-ts';
import { makeCertificate } from '../../support/certificate.js';
import { runNginxRtmp } from '../../support/nginx.js';
import type { Scope } from '../../support/scope-class.js';
import { type Figures, percent, progress } from '../figures.js';
import { freePort } from '../gateway.js';
import { childrenOf, cpuSeconds, MeasuredProcess } from '../measured-process.js';
import { Audience, type Programme } from './audience.js';
import { howToGet, nodeMediaServer } from './node-media-server.js';
import { plainNodeOptions } from './plain-node.js';

/** A server, or a way to one, and what it used while it was its turn. */
interface Contender {
  readonly name: string;
  readonly audience: Audience;
  cpuSeconds(): number;
  used: number;
  sent: number;
  received: number;
}

const audio = { perSecond: 50, payload: new Uint8Array(100).fill(0xb2) };
// An inter frame of H.264: nobody keeps it for those who come later.
const video = { perSecond: 30, payload: Uint8Array.of(0x27, 1, 0, 0, 0, ...new Uint8Array(7_995).fill(7)) };

const rounds = 3;
const secondsOfRound = 4;

/** One publisher's audio, then audio and video, to all players: against the other servers in the same minute. */
export async function measureRelay(figures: Figures, scope: Scope, players: number): Promise<void> {
  const ours = await startRelay(scope);
  const contenders = [await contender('this package', `rtmp://127.0.0.1:${ours.port}/live`, players, ours.cpuSeconds)];
  const nms = await startNodeMediaServer(scope);
  if (nms === undefined) progress(howToGet);
  else
    contenders.push(await contender('node-media-server', `rtmp://127.0.0.1:${nms.port}/live`, players, nms.cpuSeconds));
  const nginx = await runNginxRtmp(scope);
  const nginxCpu = () => childrenOf(nginx.pid).reduce((sum, pid) => sum + cpuSeconds(pid), cpuSeconds(nginx.pid));
  contenders.push(await contender('nginx', `rtmp://127.0.0.1:${nginx.port}/live`, players, nginxCpu));
  await measure(figures, `audio to ${players} players`, { audio }, contenders);
  await measure(figures, `audio and video to ${players} players`, { audio, video }, contenders);
  for (const { audience } of contenders) audience.close();
}

/** The same relay over TLS and over RTMPE, relative to plain RTMP. */
export async function measureEncryption(figures: Figures, scope: Scope, players: number): Promise<void> {
  // One server for each: all that play get all that is published.
  const [plain, tls, encrypted] = [await startRelay(scope), await startRelay(scope), await startRelay(scope)];
  const anyCertificate = { tls: { rejectUnauthorized: false } };
  const contenders = [
    await contender('rtmp', `rtmp://127.0.0.1:${plain.port}/live`, players, plain.cpuSeconds),
    await contender('rtmps', `rtmps://127.0.0.1:${tls.tlsPort}/live`, players, tls.cpuSeconds, anyCertificate),
    await contender('rtmpe', `rtmpe://127.0.0.1:${encrypted.port}/live`, players, encrypted.cpuSeconds),
  ];
  await measure(figures, `audio to ${players} players, encrypted`, { audio }, contenders);
  await measure(figures, `audio and video to ${players} players, encrypted`, { audio, video }, contenders);
  for (const { audience } of contenders) audience.close();
}

async function contender(
  name: string,
  url: string,
  players: number,
  cpu: () => number,
  options?: NodeConnectOptions,
): Promise<Contender> {
  progress(`${players} players of ${name}`);
  const audience = await Audience.gather(url, players, options);
  return { name, audience, cpuSeconds: cpu, used: 0, sent: 0, received: 0 };
}

/** The contenders take turns, so that what else the machine does hits all; the first round is not counted. */
async function measure(figures: Figures, what: string, programme: Programme, contenders: Contender[]): Promise<void> {
  progress(what);
  for (const one of contenders) [one.used, one.sent, one.received] = [0, 0, 0];
  for (let round = 0; round <= rounds; round++) {
    for (const one of contenders) {
      const [used, received] = [one.cpuSeconds(), one.audience.received];
      const sent = await one.audience.send(programme, secondsOfRound);
      await sleep(500);
      if (round === 0) continue;
      one.used += one.cpuSeconds() - used;
      one.sent += sent;
      one.received += one.audience.received - received;
    }
  }
  const base = contenders[0]?.used ?? Number.NaN;
  for (const [index, { name, used, sent, received }] of contenders.entries()) {
    const share = percent(used / rounds / secondsOfRound);
    const each = ((used * 1e6) / received).toFixed(1);
    const times = index === 0 ? '' : `, ${(used / base).toFixed(2)} times the first`;
    figures.add(`${what}: ${name}`, `${share} of a core, ${each} us a message, ${sent} sent, ${received} got${times}`);
  }
}

interface Relay {
  readonly port: number;
  readonly tlsPort: number;
  readonly cpuSeconds: () => number;
}

export async function startRelay(scope: Scope): Promise<Relay & { readonly process: MeasuredProcess }> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { cert, key } = await makeCertificate(scope);
  const process = await startScript(scope, 'relay-server.ts', [String(port), String(tlsPort), cert, key]);
  return { port, tlsPort, process, cpuSeconds: () => process.cpuSeconds() };
}

async function startNodeMediaServer(scope: Scope): Promise<Omit<Relay, 'tlsPort'> | undefined> {
  const path = nodeMediaServer();
  if (path === undefined) return undefined;
  const port = await freePort();
  const store = mkdtempSync(join(tmpdir(), 'node-media-server-'));
  scope.defer(() => rmSync(store, { recursive: true, force: true }));
  const process = await startScript(scope, 'nms-server.ts', [path, String(port), store]);
  await sleep(1_000);
  return { port, cpuSeconds: () => process.cpuSeconds() };
}

async function startScript(scope: Scope, name: string, args: readonly string[]): Promise<MeasuredProcess> {
  const [script = '', ...own] = (await plainNodeOptions(new URL(name, import.meta.url))).toReversed();
  const profile = process.env.PROFILE;
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = await MeasuredProcess.start(script, { args, nodeOptions: [...profiling, ...own.toReversed()] });
  scope.defer(() => child.stop());
  return child;
}
