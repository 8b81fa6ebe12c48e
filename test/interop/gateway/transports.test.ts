import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { makeCertificate } from '../../support/certificate.js';
import { publish } from '../../support/ffmpeg.js';
import { Gateway } from '../../support/gateway.js';
import { freePort, loopback } from '../../support/ports.js';
import { test } from '../../support/scope.js';
import { speak } from '../../support/speech.js';

/** Whatever carries RTMP, the call is the same. */
const speech = (await speak()).subarray(0, 2 * 16_000);

test.concurrent.for(['rtmpt', 'rtmps', 'rtmpts'])('FFmpeg calls the echo over %s', async (scheme, { scope }) => {
  const { cert, key } = await makeCertificate(scope);
  const [tlsPort, tunnelPort] = [await freePort(), await freePort()];
  const gateway = await Gateway.start(scope, {
    env: {
      SONO_RTMPS_PORT: String(tlsPort),
      SONO_RTMPT_PORT: String(tunnelPort),
      SONO_TLS_CERT: cert,
      SONO_TLS_KEY: key,
    },
  });
  const echo = gateway.sipUri('echo');
  const port = scheme === 'rtmpt' ? tunnelPort : tlsPort;
  const publisher = await publish(scope, `${scheme}://${loopback}:${port}/dial/${echo}`, speech);
  await publisher.end(30_000);
  const { result, media } = await gateway.callEnded(echo);
  expect(result).toBe('completed');
  expect(media?.packetsSent).toBeGreaterThan(20);
  expect(media?.packetsReceived).toBeGreaterThan(20);
});

test.concurrent('the HTTP port takes RTMP over WebSocket at /rtmp, from its own pages only', async ({ scope }) => {
  const gateway = await Gateway.start(scope);
  const url = `ws://${loopback}:${gateway.httpPort}/rtmp`;
  const own = new WebSocket(url, { origin: `http://${loopback}:${gateway.httpPort}` });
  await once(own, 'open');
  own.send(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  const [answer] = (await once(own, 'message')) as [Buffer];
  expect(answer[0]).toBe(3);
  own.terminate();

  for (const foreign of [
    new WebSocket(url, { origin: 'https://evil.example' }),
    new WebSocket(`ws://${loopback}:${gateway.httpPort}/else`),
  ]) {
    const [error] = (await once(foreign, 'error')) as [Error];
    expect(error.message).toMatch(/403|404/);
  }
});

test.concurrent('Flash, that asks the policy port who may connect, is told', async ({ scope }) => {
  const policyPort = await freePort();
  await Gateway.start(scope, {
    env: { SONO_POLICY_PORT: String(policyPort), SONO_ORIGINS: 'https://phone.example.com' },
  });
  const socket = connect(policyPort, loopback);
  scope.defer(() => socket.destroy());
  socket.write('<policy-file-request/>\0');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  await once(socket, 'end');
  expect(answer).toContain('<allow-access-from domain="phone.example.com"');
});

test.concurrent('RTMPS without a certificate stops the start', async ({ scope }) => {
  const gateway = await Gateway.launch(scope, { env: { SONO_RTMPS_PORT: '1' } });
  expect((await gateway.exit(20_000)).code).toBe(2);
  expect(gateway.errors).toEqual([expect.stringContaining('set SONO_TLS_CERT and SONO_TLS_KEY')]);
});
