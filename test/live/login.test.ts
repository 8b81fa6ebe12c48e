import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { Gateway } from '../support/gateway.js';
import { LibrtmpPhone } from '../support/librtmp-phone.js';
import { freePort } from '../support/ports.js';
import { type Scope, test } from '../support/scope.js';
import { settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { gatewayEnvironment } from './settings.js';

useDrachtioServer(settings);

const started = async (scope: Scope, env: Readonly<Record<string, string>>): Promise<Gateway> => {
  const gateway = await Gateway.launch(scope, { env: { ...gatewayEnvironment(settings), ...env } });
  await gateway.log.find('the failed login', ({ msg }) => msg.startsWith('no connection to the SIP server'));
  return gateway;
};

describe.for([
  {
    name: 'a wrong secret',
    env: () => ({ SONO_DRACHTIO_SECRET: 'not-the-secret' }),
    reason: /refused the login.*authenticate/,
  },
  {
    name: 'no server there',
    env: async () => ({ SONO_DRACHTIO_PORT: String(await freePort()) }),
    reason: /ECONNREFUSED/,
  },
])('with $name', ({ env, reason }) => {
  test('the log says why, /readyz is 503, and a dial is refused', async ({ scope }) => {
    const gateway = await started(scope, await env());
    expect(gateway.log.all.map((line) => line.reason)).toContainEqual(expect.stringMatching(reason));
    const response = await gateway.http('/readyz');
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/drachtio server at/);
    expect((await gateway.http('/healthz')).status).toBe(200);
    const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
    expect(await phone.request('dial', 'sip:bob@127.0.0.1')).toMatchObject({
      name: '_error',
      info: { code: 'Sono.Call.Failed', description: expect.stringContaining('SIP server') },
    });
    expect(gateway.errors.join('\n')).not.toContain('not-the-secret');
  });

  test('the log has one line, not one per attempt', async ({ scope }) => {
    const gateway = await started(scope, await env());
    await sleep(3_000);
    const lines = gateway.log.all.filter(({ level }) => level === 'warn' || level === 'error');
    expect(lines.map((line) => line.reason)).toEqual([expect.stringMatching(reason)]);
  });

  test('SIGTERM stops the gateway with exit code 0', async ({ scope }) => {
    const gateway = await started(scope, await env());
    gateway.signal('SIGTERM');
    expect(await gateway.exit(6_000)).toEqual({ code: 0, signal: null });
  });
});
