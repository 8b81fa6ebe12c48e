import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { Gateway, type GatewayOptions } from '../support/gateway.js';
import { LibrtmpPhone } from '../support/librtmp-phone.js';
import { freePort, freePortRange, loopback, untilBound } from '../support/ports.js';
import { type Scope, test } from '../support/scope.js';
import { Sipp } from '../support/sipp.js';
import { callee } from '../support/sipp-scenarios.js';

describe('start', () => {
  test.concurrent('says in five lines what to open and what to dial, and is ready', async ({ scope }) => {
    const gateway = await Gateway.start(scope);
    expect(gateway.output.length).toBe(5);
    const told = gateway.output.join('\n');
    for (const port of [gateway.rtmpPort, gateway.httpPort, gateway.sipPort]) expect(told).toContain(String(port));
    expect(told).toContain('sip:echo@localhost');
    for (const path of ['/healthz', '/readyz']) {
      const response = await gateway.http(path);
      expect({ path, status: response.status }).toEqual({ path, status: 200 });
    }
    expect((await gateway.http('/nothing')).status).toBe(404);
  });

  test.concurrent('what it says can be dialled', async ({ scope }) => {
    const gateway = await Gateway.start(scope);
    const told = gateway.output.join('\n');
    const [url] = /rtmp:\/\/\S+/.exec(told) ?? [];
    const [number] = /sip:echo@\S+?(?=[\s,])/.exec(told) ?? [];
    const phone = await LibrtmpPhone.connect(scope, url ?? '');
    await phone.dialAndConnect(number ?? '');
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
  });

  test.concurrent('what may not be dialled is not told, nor offered by the web phone', async ({ scope }) => {
    const gateway = await Gateway.start(scope, { env: { SONO_DIAL_ALLOW: '*@example.com' } });
    expect(gateway.output.join('\n')).toMatch(/and dial +what SONO_DIAL_ALLOW allows$/m);
    expect(await (await gateway.http('/phone.json')).json()).toEqual({});
  });

  test.concurrent('with the drachtio server away it lives, is not ready, and refuses to dial', async ({ scope }) => {
    const env = {
      SONO_DRACHTIO_HOST: loopback,
      SONO_DRACHTIO_PORT: String(await freePort()),
      SONO_SIP_PORT: undefined,
    };
    const gateway = await Gateway.launch(scope, { env });
    const phone = await LibrtmpPhone.connect(scope, await reachable(gateway));
    const ready = await gateway.http('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/drachtio/);
    expect((await gateway.http('/healthz')).status).toBe(200);
    expect((await phone.request('dial', 'sip:bob@127.0.0.1')).info).toMatchObject({ code: 'Sono.Call.Failed' });
  });
});

/** The RTMP address, once something listens there. */
async function reachable(gateway: Gateway): Promise<string> {
  if (await untilBound('tcp', gateway.rtmpPort)) return gateway.rtmpUrl();
  throw new Error(`nothing listens for RTMP: ${gateway.errors.join('\n')}`);
}

describe('stop', () => {
  test.concurrent.for(['SIGTERM', 'SIGINT'] as const)(
    '%s ends the calls and exits within 5 s with code 0',
    async (signal, { scope }) => {
      const gateway = await Gateway.start(scope);
      const talking = await Sipp.start(scope, { scenario: callee.answers() });
      const ringing = await Sipp.start(scope, { scenario: callee.rings() });
      const [phone, waiting, idle] = await Promise.all(
        [1, 2, 3].map(() => LibrtmpPhone.connect(scope, gateway.rtmpUrl())),
      );
      if (!phone || !waiting || !idle) throw new Error('three phones');
      await phone.dialAndConnect(talking.uri());
      waiting.dial(ringing.uri());
      await waiting.waitStatus(1);
      await waiting.waitStatus(1);

      const began = performance.now();
      gateway.signal(signal);
      expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/shutting down/) });
      await waiting.waitStatus(0);
      expect(await gateway.exit()).toEqual({ code: 0, signal: null });
      expect(performance.now() - began).toBeLessThan(5000);
      await Promise.all([talking.done(), ringing.done()]);
      expect(phone.statuses).toEqual([1, 1, 4, 2, 0]);
      expect(waiting.statuses).toEqual([1, 1, 0]);
      const results = gateway.log.all.flatMap(({ msg, result }) => (msg === 'call ended' ? [result] : []));
      expect(results).toEqual(['shutdown', 'shutdown']);
      await idle.closed();
    },
  );

  /** A call whose far end says nothing more once it has answered. */
  async function withDeafCallee(scope: Scope): Promise<{ gateway: Gateway; sipp: Sipp }> {
    const gateway = await Gateway.start(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answersThenSilent() });
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(sipp.uri());
    return { gateway, sipp };
  }

  test.concurrent('a far end that does not confirm the BYE delays the exit, but not beyond 5 s', async ({ scope }) => {
    const { gateway, sipp } = await withDeafCallee(scope);
    const began = performance.now();
    gateway.signal('SIGTERM');
    await sipp.received(/^BYE/);
    expect((await gateway.exit()).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test.concurrent('a second signal exits at once', async ({ scope }) => {
    const { gateway, sipp } = await withDeafCallee(scope);
    gateway.signal('SIGTERM');
    await sipp.received(/^BYE/);
    // What comes sooner counts as the first signal again: a terminal and npm each send Ctrl-C.
    await sleep(400);
    const began = performance.now();
    gateway.signal('SIGTERM');
    const { code } = await gateway.exit();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(code).not.toBe(0);
  });

  test.concurrent('Ctrl-C that arrives twice, by the terminal and by npm, is one', async ({ scope }) => {
    const gateway = await Gateway.start(scope);
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    await phone.dialAndConnect(sipp.uri());
    gateway.signal('SIGINT');
    await sleep(10);
    gateway.signal('SIGINT');
    expect(await gateway.exit()).toEqual({ code: 0, signal: null });
    await sipp.done();
  });
});

describe('a start that cannot be', () => {
  /** It ends with code 2 and one line on standard error that names what has to be put right. */
  async function refused(scope: Scope, options: GatewayOptions, ...named: readonly (string | RegExp)[]): Promise<void> {
    const gateway = await Gateway.launch(scope, options);
    expect(await gateway.exit(20_000)).toEqual({ code: 2, signal: null });
    const told = gateway.errors.filter((line) => !line.startsWith('{'));
    expect(told.length, told.join('\n')).toBe(1);
    for (const name of named) expect(told[0]).toMatch(name);
    expect(gateway.output).toEqual([]);
  }

  test.concurrent.for(['SONO_RTMP_PORT', 'SONO_HTTP_PORT', 'SONO_SIP_PORT'])('%s is taken', async (env, { scope }) => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, loopback, resolve));
    scope.defer(() => other.close());
    await refused(scope, { env: { [env]: String(port) } }, env, String(port), /another program|in use/);
  });

  test.concurrent.for([
    ['an unknown variable', { SONO_RTPM_PORT: '1935' }, ['SONO_RTPM_PORT', 'SONO_RTMP_PORT']],
    ['a port that is a word', { SONO_RTMP_PORT: 'many' }, ['SONO_RTMP_PORT', 'many', 'port']],
    ['a port beyond all ports', { SONO_HTTP_PORT: '70000' }, ['SONO_HTTP_PORT', '70000', '65535']],
    ['a range the wrong way round', { SONO_RTP_PORTS: '3000-2000' }, ['SONO_RTP_PORTS', '3000-2000']],
    ['a host that is none', { SONO_HOST: 'here and there' }, ['SONO_HOST', 'here and there']],
    ['a log level that is none', { SONO_LOG_LEVEL: 'loud' }, ['SONO_LOG_LEVEL', 'loud', 'debug']],
  ] as const)('%s', async ([, env, named], { scope }) => {
    await refused(scope, { env }, ...named);
  });

  async function file(scope: Scope, name: string, content: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'sono-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, name), content);
    return join(folder, name);
  }

  test.concurrent.for([
    ['an unknown key in a file', 'rtmpPrt: 1935\n', ['rtmpPrt', 'rtmpPort']],
    ['a bad value in a file', 'logLevel: loud\n', ['logLevel', 'loud']],
    ['a file that is no YAML', 'a: [1, 2\n  b: "\n', ['sono.yaml']],
    ['a file that is a list', '- 1\n- 2\n', ['sono.yaml']],
    ['a nested section', 'rtmp:\n  port: 1935\n', ['rtmp']],
  ] as const)('%s', async ([, content, named], { scope }) => {
    const path = await file(scope, 'sono.yaml', content);
    await refused(scope, { args: ['--config', path], env: { SONO_LOG_LEVEL: undefined } }, ...named);
  });

  test.concurrent('a file that is not there', async ({ scope }) => {
    await refused(scope, { args: ['--config', '/nowhere/sono.yaml'] }, '/nowhere/sono.yaml');
  });

  test.concurrent('a folder instead of a file', async ({ scope }) => {
    await refused(scope, { args: ['--config', tmpdir()] }, tmpdir());
  });

  test.concurrent('an unknown option', async ({ scope }) => {
    await refused(scope, { args: ['--port', '1935'] }, '--port');
  });

  test.concurrent('no secret is told', async ({ scope }) => {
    const env = { SONO_DRACHTIO_HOST: 'a b', SONO_DRACHTIO_SECRET: 'hunter2' };
    const gateway = await Gateway.launch(scope, { env });
    await gateway.exit(20_000);
    expect(gateway.errors.join('\n')).not.toContain('hunter2');
  });

  test.concurrent('no token in the URL of a client is told', async ({ scope }) => {
    const gateway = await Gateway.start(scope, { env: { SONO_LOG_LEVEL: 'trace' } });
    await LibrtmpPhone.connect(scope, gateway.rtmpUrl('sono?token=hunter2'));
    await gateway.log.find('the client', ({ msg }) => msg === 'client connected');
    expect(gateway.errors.join('\n')).not.toContain('hunter2');
  });
});

describe('configuration', () => {
  test.concurrent('the file is used, and the environment wins over it', async ({ scope }) => {
    const folder = await mkdtemp(join(tmpdir(), 'sono-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'sono.json');
    const { min, max } = await freePortRange(2);
    await writeFile(
      path,
      JSON.stringify({ fromName: 'From the file', fromDomain: 'file.example', rtpPorts: `${min}-${max}` }),
    );
    const env = { SONO_FROM_DOMAIN: 'environment.example', SONO_RTP_PORTS: undefined };
    const gateway = await Gateway.start(scope, { args: ['-c', path], env });
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const [first, second] = await Promise.all([1, 2].map(() => LibrtmpPhone.connect(scope, gateway.rtmpUrl())));
    if (!first || !second) throw new Error('two phones');
    await first.dialAndConnect(sipp.uri());
    const { text } = await sipp.received(/^INVITE/);
    expect(text).toMatch(/^From: "From the file" <sip:[^@]+@environment\.example>/m);
    expect(text).toMatch(new RegExp(`^m=audio ${min} `, 'm'));
    // The one pair of RTP ports is in use: a second call cannot be, and says why.
    second.dial(sipp.uri());
    expect(await second.waitStatus(0)).toMatchObject({ reason: expect.stringMatching(/RTP port/) });
    first.hangup();
    await first.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('--version and --help answer with code 0', async () => {
    for (const [option, expected] of [
      ['--version', /^\d+\.\d+\.\d+\n$/],
      ['--help', /SONO_RTMP_PORT[\s\S]*SONO_LOG_LEVEL/],
    ] as const) {
      const output = await new Promise<string>((resolve, reject) => {
        execFile(process.execPath, ['dist/main.js', option], (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
      });
      expect(output).toMatch(expected);
    }
  });
});
