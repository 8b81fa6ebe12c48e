import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { compareSpeech } from '../../support/compare-speech.js';
import { Gateway, useGateway } from '../../support/gateway.js';
import { freePort } from '../../support/ports.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { readAudio, speak, writeWav } from '../../support/speech.js';
import { callFrom } from '../phone/support/callers.js';
import { ended, lineOf, startPhone, temporaryFolder } from './support.js';

// Each phone is a process that starts by itself, and the calls last for seconds.
vi.setConfig({ testTimeout: 60_000 });

const gateway = useGateway();
const speech = await speak('The quick brown fox jumps over the lazy dog.');
const otherSpeech = await speak('Pack my box with five dozen liquor jugs.', 'en-us');

const dialling = (user: string) => ['--url', gateway().rtmpUrl(), '--dial', gateway().sipUri(user), '--json'];

async function speechFiles(scope: Scope, samples = speech) {
  const folder = temporaryFolder(scope);
  const files = { said: join(folder, 'in.wav'), heard: join(folder, 'out.wav') };
  await writeFile(files.said, await writeWav(samples));
  return files;
}

test('a call to the echo: statuses, figures and the speech that comes back', async ({ scope }) => {
  const { said, heard } = await speechFiles(scope);
  const phone = await startPhone(scope, [...dialling('echo'), '--wav', said, '--record', heard]);
  const { code, lines, statuses, summary } = await ended(phone);
  expect(code).toBe(0);
  expect(statuses).toEqual([1, 4, 2, 3, 0]);
  expect(lines.filter(({ event }) => event !== 'status').map(({ event }) => event)).toEqual([
    ...['connecting', 'connected', 'registered', 'dialling', 'hanging up', 'summary'],
  ]);
  expect(summary).toMatchObject({ exitCode: 0, answered: true, audible: true, unusable: 0 });
  // One frame of 20 ms each, by the clock: neither a timer's delays nor a busy machine make them fewer.
  const due = summary.durationMs / 20;
  expect(Math.abs(summary.sent + summary.dropped - due)).toBeLessThan(5 + due * 0.05);
  expect(summary.received).toBeGreaterThan(summary.sent * 0.9);
  expect(summary.roundTripMs).toBeGreaterThan(0);
  expect(summary.roundTripMs).toBeLessThan(1000);
  const recording = await readFile(heard);
  expect(recording.subarray(0, 4).toString()).toBe('RIFF');
  expect(recording.readUInt32LE(4)).toBe(recording.length - 8);
  const { correlation, covered, longestGapMs } = compareSpeech(speech, await readAudio(recording));
  expect(correlation).toBeGreaterThan(0.8);
  expect(covered).toBeGreaterThan(0.9);
  expect(longestGapMs).toBeLessThan(300);
});

test.concurrent.for([
  ['pcmu', 'ws'],
  ['pcma', 'rtmpt'],
  ['speex', 'rtmpe'],
] as const)('%s by %s comes back too', async ([codec, protocol], { scope }) => {
  const { said, heard } = await speechFiles(scope);
  const url = gateway().rtmpUrl().replace('rtmp', protocol);
  const args = ['--url', url, '--dial', gateway().sipUri('echo'), '--codec', codec, '--json'];
  const { code, summary, lines } = await ended(await startPhone(scope, [...args, '--wav', said, '--record', heard]));
  expect(lines).toContainEqual(expect.objectContaining({ event: 'connected', protocol }));
  expect(code).toBe(0);
  expect(summary.roundTripMs).toBeGreaterThan(0);
  expect(compareSpeech(speech, await readAudio(await readFile(heard))).correlation).toBeGreaterThan(0.75);
});

test.concurrent('without a file it says something that the echo returns, and tells it to a person', async ({
  scope,
}) => {
  const args = ['--url', gateway().rtmpUrl(), '--dial', gateway().sipUri('echo'), '--seconds', '2.5'];
  const phone = await startPhone(scope, args);
  expect((await phone.end()).code).toBe(0);
  const told = phone.stdout.all.join('\n');
  expect(told).toMatch(/^ +\d\.\d{3} s {2}status 1 IN_PROGRESS$/m);
  expect(told).toMatch(/^ +\d\.\d{3} s {2}status 2 CONNECTED$/m);
  expect(told).toMatch(/^ {2}result +answered and heard/m);
  expect(told).toMatch(/^ {2}packets sent +1\d\d, \d+ dropped$/m);
  expect(told).toMatch(/^ {2}round trip +\d+ ms$/m);
});

test.concurrent('a busy line: 486, exit code 4', async ({ scope }) => {
  const { code, statuses, summary } = await ended(await startPhone(scope, dialling('busy')));
  expect(code).toBe(4);
  expect(statuses).toEqual([1, 0]);
  expect(summary).toMatchObject({ answered: false, sipStatus: 486, reason: 'Busy Here' });
});

test.concurrent('an address that makes no sense is refused by the gateway: exit code 4', async ({ scope }) => {
  const args = ['--url', gateway().rtmpUrl(), '--dial', 'no address at all', '--json'];
  const { code, summary } = await ended(await startPhone(scope, args));
  expect(code).toBe(4);
  expect(summary.reason).toContain('Sono.Call.Failed');
});

test.concurrent('a registrar that does not answer: exit code 4, and the password is not told', async ({ scope }) => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const register = ['--username', 'bob', '--registrar', nobody, '--password-env', 'PHONE_PASSWORD'];
  const phone = await startPhone(scope, [...dialling('echo'), ...register], { PHONE_PASSWORD: 'tell-nobody' });
  const { code, summary } = await ended(phone);
  expect(code).toBe(4);
  expect(summary.reason).toContain('Sono.Registration.Failed');
  expect([...phone.stdout.all, ...phone.stderr.all].join('\n')).not.toContain('tell-nobody');
});

test.concurrent('nobody at the address, or somebody else: exit code 3', async ({ scope }) => {
  const nobody = await ended(
    await startPhone(scope, ['--url', `rtmp://127.0.0.1:${await freePort()}/sono`, '--dial', 'sip:a@b', '--json']),
  );
  expect(nobody.code).toBe(3);
  expect(nobody.summary.reason).toContain('ECONNREFUSED');
  const wrongPort = `rtmp://127.0.0.1:${gateway().httpPort}/sono`;
  expect((await ended(await startPhone(scope, ['--url', wrongPort, '--dial', 'sip:a@b', '--json']))).code).toBe(3);
});

test.concurrent('a far end that answers and says nothing: exit code 5', async ({ scope }) => {
  const mute = await RtpPeer.open(scope);
  const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: mute.port });
  const args = ['--url', gateway().rtmpUrl(), '--dial', sipp.uri(), '--seconds', '1', '--json'];
  const { code, summary, statuses } = await ended(await startPhone(scope, args));
  await sipp.done();
  expect(code).toBe(5);
  expect(statuses).toEqual([1, 1, 4, 2, 3, 0]);
  expect(summary).toMatchObject({ answered: true, audible: false });
  expect(summary.ringMs).toBeGreaterThan(0);
  expect(summary.roundTripMs).toBeUndefined();
});

test.concurrent('a far end that hangs up first is no failure', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.hangsUp(1500) });
  const args = ['--url', gateway().rtmpUrl(), '--dial', sipp.uri(), '--json'];
  const { code, statuses } = await ended(await startPhone(scope, args));
  await sipp.done();
  expect(code).toBe(0);
  expect(statuses.at(-1)).toBe(0);
  expect(statuses).not.toContain(3);
});

test.concurrent('it waits, is called by a SIP phone, accepts and hears', async ({ scope }) => {
  const phone = await startPhone(scope, ['--url', gateway().rtmpUrl(), '--wait', '--json']);
  const { uri } = await lineOf(phone.stdout, 'registered');
  const sipp = await callFrom(scope, String(uri), caller.talks({ ms: 1500, displayName: '"Bob"' }));
  const { code, lines, statuses } = await ended(phone);
  await sipp.done();
  expect(code).toBe(0);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'incoming', displayName: 'Bob' }));
  expect(statuses).toEqual([4, 2, 0]);
});

test.concurrent('two of them talk to each other', async ({ scope }) => {
  const [own, other] = [await speechFiles(scope), await speechFiles(scope, otherSpeech)];
  const url = ['--url', gateway().rtmpUrl(), '--json', '--seconds', '5'];
  const waits = await startPhone(scope, [...url, '--wait', '--wav', other.said, '--record', other.heard]);
  const { uri } = await lineOf(waits.stdout, 'registered');
  const dials = await startPhone(scope, [...url, '--dial', String(uri), '--wav', own.said, '--record', own.heard]);
  const [called, calling] = [await ended(waits), await ended(dials)];
  expect([called.code, calling.code]).toEqual([0, 0]);
  expect([called.summary.roundTripMs, calling.summary.roundTripMs]).toEqual([undefined, undefined]);
  const [atOther, atOwn] = await Promise.all(
    [other.heard, own.heard].map(async (file) => readAudio(await readFile(file))),
  );
  expect(compareSpeech(speech, atOther ?? new Int16Array()).correlation).toBeGreaterThan(0.8);
  expect(compareSpeech(otherSpeech, atOwn ?? new Int16Array()).correlation).toBeGreaterThan(0.8);
});

test.concurrent('SIGINT in a call hangs up, then exits as the call went', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  const args = ['--url', gateway().rtmpUrl(), '--dial', sipp.uri(), '--seconds', '3600', '--json'];
  const phone = await startPhone(scope, args);
  await lineOf(phone.stdout, 'status', '"code":2');
  await sipp.received(/^ACK/);
  phone.signal('SIGINT');
  const { code, statuses } = await ended(phone);
  await sipp.done();
  expect(statuses.slice(-2)).toEqual([3, 0]);
  expect([0, 5]).toContain(code);
});

test.concurrent('SIGINT while it rings cancels the call: exit code 130', async ({ scope }) => {
  const sipp = await Sipp.start(scope, { scenario: callee.rings() });
  const phone = await startPhone(scope, ['--url', gateway().rtmpUrl(), '--dial', sipp.uri(), '--json']);
  await sipp.received(/^INVITE/);
  await lineOf(phone.stdout, 'status', '"code":1');
  phone.signal('SIGINT');
  const { code, summary } = await ended(phone);
  await sipp.done();
  expect(code).toBe(130);
  expect(summary).toMatchObject({ answered: false, reason: 'stopped by a signal' });
});

test.concurrent('SIGINT while nobody calls ends it: exit code 130', async ({ scope }) => {
  const phone = await startPhone(scope, ['--url', gateway().rtmpUrl(), '--wait', '--json']);
  await lineOf(phone.stdout, 'registered');
  phone.signal('SIGINT');
  expect((await ended(phone)).code).toBe(130);
});

test('a gateway that is gone in a call: exit code 3', async ({ scope }) => {
  const dying = await Gateway.start(scope);
  const args = ['--url', dying.rtmpUrl(), '--dial', dying.sipUri('echo'), '--seconds', '3600', '--json'];
  const phone = await startPhone(scope, args);
  await lineOf(phone.stdout, 'status', '"code":2');
  dying.signal('SIGKILL');
  const { code, summary } = await ended(phone);
  expect(code).toBe(3);
  expect(summary).toMatchObject({ answered: true });
});
