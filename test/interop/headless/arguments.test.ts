import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { test } from '../../support/scope.js';
import { startPhone, temporaryFolder } from './support.js';

// Each phone is a process that starts by itself.
vi.setConfig({ testTimeout: 60_000 });

const gateway = useGateway();
const url = ['--url', 'rtmp://127.0.0.1:1/sono'];
const dial = [...url, '--dial', 'sip:echo@localhost'];

test.concurrent.for<[readonly string[], RegExp]>([
  [[], /required option '--url <url>'/],
  [url, /either --dial <uri>, to call somebody, or --wait/],
  [[...dial, '--wait'], /either --dial <uri>, to call somebody, or --wait/],
  [['--url', 'http://127.0.0.1/', '--wait'], /http/],
  [['--url', 'nonsense', '--wait'], /nonsense/],
  [[...dial, '--codec', 'opus'], /Allowed choices are speex, pcmu, pcma/],
  [[...dial, '--seconds', '0'], /number above 0/],
  [[...dial, '--seconds', '1e9'], /number above 0/],
  [[...dial, '--dtmf', '12x'], /0-9, \*, # and A-D/],
  [[...dial, '--registrar', 'example.com'], /--registrar needs --username/],
  [[...dial, '--password-env', 'NAME'], /--password-env needs --username/],
  [[...dial, '--username', 'bob', '--password-env', 'NO_SUCH_NAME'], /NO_SUCH_NAME is not set/],
  [[...dial, '--password', 'secret'], /unknown option '--password'/],
  [[...dial, '--wav', 'no-such-file.wav'], /no-such-file\.wav: ENOENT/],
  [[...dial, '--record', 'no-such-folder/out.wav'], /no-such-folder\/out\.wav: ENOENT/],
])('%j is told and ends with 2', async ([args, message], { scope }) => {
  const phone = await startPhone(scope, args);
  expect((await phone.end()).code).toBe(2);
  expect([...phone.stdout.all, ...phone.stderr.all].join('\n')).toMatch(message);
});

test.concurrent('a file that is no WAV is told and ends with 2', async ({ scope }) => {
  const file = join(temporaryFolder(scope), 'in.wav');
  await writeFile(file, 'ID3 and some music');
  const phone = await startPhone(scope, [...dial, '--wav', file]);
  expect((await phone.end()).code).toBe(2);
  expect(phone.stderr.all).toEqual([`phone: ${file}: this is no WAV file: it does not begin with RIFF and WAVE`]);
});

test.concurrent('--help names every option and every exit code', async ({ scope }) => {
  const phone = await startPhone(scope, ['--help']);
  expect((await phone.end()).code).toBe(0);
  const help = phone.stdout.all.join('\n');
  const options = ['url', 'dial', 'wait', 'username', 'registrar', 'password-env', 'wav', 'record', 'codec', 'seconds'];
  for (const option of [...options, 'dtmf', 'json', 'quiet', 'help', 'version']) expect(help).toContain(`--${option}`);
  for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(help).toMatch(new RegExp(`^ +${code} +\\w`, 'm'));
});

test.concurrent('--version is that of the gateway', async ({ scope }) => {
  const phone = await startPhone(scope, ['--version']);
  expect((await phone.end()).code).toBe(0);
  expect(phone.stdout.all.join('')).toMatch(/^\d+\.\d+\.\d+$/);
});

test.concurrent('--quiet says nothing when all went well, and one line when it did not', async ({ scope }) => {
  const call = (user: string) => ['--url', gateway().rtmpUrl(), '--dial', gateway().sipUri(user), '--quiet'];
  const well = await startPhone(scope, [...call('echo'), '--seconds', '1']);
  expect((await well.end()).code).toBe(0);
  expect([...well.stdout.all, ...well.stderr.all]).toEqual([]);
  const badly = await startPhone(scope, call('busy'));
  expect((await badly.end()).code).toBe(4);
  expect(badly.stdout.all).toEqual([]);
  expect(badly.stderr.all).toEqual(['phone: no call (486 Busy Here)']);
});
