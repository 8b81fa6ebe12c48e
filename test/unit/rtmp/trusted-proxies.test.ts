import { request } from 'node:http';
import { type RtmpLogEvent, RtmpServer } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import { startNginx } from '../../support/nginx.js';
import { type Scope, test } from '../../support/scope.js';
import { serve } from './serve.js';

const LOOPBACK = ['127.0.0.1'];

describe.each(['RTMPT', 'WebSocket'] as const)('%s', (kind) => {
  test.for([
    { name: 'nobody is believed', proxies: undefined, forwarded: '192.0.2.1', address: '127.0.0.1' },
    { name: 'another is believed', proxies: ['10.0.0.0/8', '::1'], forwarded: '192.0.2.1', address: '127.0.0.1' },
    { name: 'the proxy is believed', proxies: LOOPBACK, forwarded: '192.0.2.1', address: '192.0.2.1' },
    { name: 'the network is believed', proxies: ['127.0.0.0/8'], forwarded: '192.0.2.1', address: '192.0.2.1' },
    { name: 'the client lies', proxies: LOOPBACK, forwarded: '10.1.1.1, 192.0.2.1', address: '192.0.2.1' },
    {
      name: 'there are two proxies',
      proxies: ['127.0.0.1', '10.0.0.0/8'],
      forwarded: '192.0.2.9, 192.0.2.1, 10.0.0.7',
      address: '192.0.2.1',
    },
    { name: 'there is a port', proxies: LOOPBACK, forwarded: '192.0.2.1:5000', address: '192.0.2.1' },
    { name: 'there is IPv6', proxies: LOOPBACK, forwarded: '[2001:db8::1]:5000', address: '2001:db8::1' },
    { name: 'IPv4 comes as IPv6', proxies: LOOPBACK, forwarded: '::ffff:192.0.2.1', address: '192.0.2.1' },
    { name: 'it is no address', proxies: LOOPBACK, forwarded: 'unknown', address: '127.0.0.1' },
    { name: 'there is none', proxies: LOOPBACK, forwarded: '', address: '127.0.0.1' },
  ])('counts from $address when $name', async ({ proxies, forwarded, address }, { scope }) => {
    const log: RtmpLogEvent[] = [];
    const { port } = await serve(scope, {
      ...(proxies && { trustedProxies: proxies }),
      logger: (event) => log.push(event),
    });
    expect(await open(scope, kind, port, forwarded)).toBe(true);
    await expect.poll(() => log).toMatchObject([{ event: 'session.opened', remoteAddress: address }]);
    if (address !== '127.0.0.1') expect(log[0]).toMatchObject({ remotePort: 0 });
  });

  test('each client behind the proxy has its own limit, and the proxy none', async ({ scope }) => {
    const { server, port } = await serve(scope, {
      trustedProxies: LOOPBACK,
      limits: { connectionsPerAddress: 2, tunnelTimeout: 1e6 },
    });
    const opened = [];
    for (const last of [1, 1, 1, 2, 2, 2]) opened.push(await open(scope, kind, port, `192.0.2.${last}`));
    expect(opened).toEqual([true, true, false, true, true, false]);
    expect(server.counters['server.connections-per-address']).toBe(2);
    for (const session of server.sessions) session.close();
    await expect.poll(() => server.sessions.size).toBe(0);
    await expect.poll(() => open(scope, kind, port, '192.0.2.1')).toBe(true);
  });
});

test('nginx says for whom it asks', async ({ scope }) => {
  const { server, port } = await serve(scope, { trustedProxies: LOOPBACK });
  const proxy = await startNginx(scope, port);
  expect(await open(scope, 'RTMPT', proxy, '192.0.2.1')).toBe(true);
  // What the client itself said came first; who asked nginx comes last, and is 127.0.0.1, a proxy like the one before.
  expect([...server.sessions].map(({ remoteAddress }) => remoteAddress)).toEqual(['192.0.2.1']);
});

test.for(['', 'localhost', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/8/8', '10.0.0.0/'])(
  '%j is no address or network to trust',
  (proxy) => {
    expect(() => new RtmpServer({ trustedProxies: [proxy] })).toThrow(RangeError);
  },
);

/** @returns whether the server let it in */
function open(scope: Scope, kind: 'RTMPT' | 'WebSocket', port: number, forwarded: string): Promise<boolean> {
  const headers = forwarded === '' ? {} : { 'X-Forwarded-For': forwarded };
  return new Promise((resolve) => {
    if (kind === 'RTMPT') {
      const options = { host: '127.0.0.1', port, path: '/open/1', method: 'POST', headers, agent: false };
      request(options, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      }).end('\0');
      return;
    }
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
    scope.defer(() => webSocket.terminate());
    webSocket.on('open', () => resolve(true)).on('error', () => resolve(false));
  });
}
