import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RtmpClient } from 'rtmp-server-ts';
import { expect } from 'vitest';
import { PeerProcess, runProgram } from '../../support/process.js';
import { type Scope, test } from '../../support/scope.js';
import { flvTags, temporaryDirectory } from '../../unit/rtmp/relay.js';

const FOLDER = new URL('../../../plugin/rtmp-server-ts/examples/', import.meta.url);

test('the relay and the FLV publisher: a film arrives at rtmpdump byte for byte, in its own time', async ({
  scope,
}) => {
  const { url } = await startServer(scope, 'relay-server.ts');
  const folder = temporaryDirectory(scope);
  const [film, dumped] = [join(folder, 'film.flv'), join(folder, 'dumped.flv')];
  await runProgram('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=2'],
    ...['-f', 'lavfi', '-i', 'sine=duration=2', '-c:v', 'libx264', '-c:a', 'aac', film],
  ]);
  const player = await PeerProcess.start(scope, 'rtmpdump', ['--live', '-r', `${url}/cam`, '-o', dumped]);
  await player.stderr.find('the start of playing', (line) => line.includes('Starting Live Stream'));
  const begin = performance.now();
  const publisher = await runExample(scope, 'publish-flv.ts', film, url, 'cam');
  const sent = flvTags(readFileSync(film)).filter(({ type }) => type !== 'data');
  await publisher.stdout.find('the count', (line) => line === `${sent.length} messages sent, 0 dropped`);
  expect(await publisher.end()).toMatchObject({ code: 0 });
  expect(performance.now() - begin).toBeGreaterThan(1_800);
  expect(await player.end()).toMatchObject({ code: 0 });
  const received = flvTags(readFileSync(dumped)).filter(({ type }) => type !== 'data');
  // rtmpdump leaves out AVC's end of sequence.
  const hexes = sent.map(({ hex }) => hex).filter((hex) => hex !== '1702000000');
  expect(received.map(({ hex }) => hex)).toEqual(hexes);
});

test('the publisher says why it cannot go on', async ({ scope }) => {
  const publisher = await runExample(scope, 'publish-flv.ts', '/dev/null', 'rtmp://127.0.0.1:1/live', 'cam');
  await publisher.stderr.find('the reason', (line) => line.includes('ECONNREFUSED'));
  expect((await publisher.end()).code).not.toBe(0);
});

test('the RPC server: results, faults, pushes, and a call back', async ({ scope }) => {
  const { url } = await startServer(scope, 'rpc-server.ts');
  const [ann, ben] = [await RtmpClient.connect(url), await RtmpClient.connect(url)];
  expect(ann.information.since).toBeInstanceOf(Date);
  expect(await ann.call('add', 20, 22)).toEqual([42]);
  await expect(ann.call('fly')).rejects.toMatchObject({ info: [{ code: 'Rpc.NoSuchMethod', description: 'fly' }] });
  await ann.call('enter', 'ann');
  const pushed = new Promise((resolve) => ann.on('call', ({ name, args }) => resolve([name, ...args])));
  expect(await ben.call('enter', 'ben')).toEqual([['ann', 'ben']]);
  expect(await pushed).toEqual(['entered', 'ben']);
  ben.on('call', (call) => call.result(call.name === 'question' ? 'Ben' : null));
  expect(await ben.call('askMe')).toEqual(['Ben']);
  await expect(RtmpClient.connect(url.replace('/rpc', '/x'))).rejects.toMatchObject({ code: 'connect.rejected' });
  ann.close();
  ben.close();
});

async function startServer(scope: Scope, name: string): Promise<{ url: string }> {
  const server = await runExample(scope, name, '0');
  return { url: await server.stdout.find('its address', (line) => line.startsWith('rtmp://')) };
}

function runExample(scope: Scope, name: string, ...args: readonly string[]): Promise<PeerProcess> {
  const file = fileURLToPath(new URL(name, FOLDER));
  return PeerProcess.start(scope, process.execPath, ['--conditions=source', '--import', 'tsx', file, ...args]);
}
