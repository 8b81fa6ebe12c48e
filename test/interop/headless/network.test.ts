import { RtmpServer, type RtmpSession } from 'rtmp-server-ts';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { makeCertificate } from '../../support/certificate.js';
import { Gateway } from '../../support/gateway.js';
import { freePort, loopback } from '../../support/ports.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';
import { callFrom } from '../phone/support/callers.js';
import { Kamailio } from '../phone/support/kamailio.js';
import { ended, lineOf, startPhone } from './support.js';

// Each phone is a process that starts by itself, and the calls last for seconds.
vi.setConfig({ testTimeout: 60_000 });

const fileScope = new Scope();
let gateway: Gateway;
let tls: { readonly url: string; readonly ca: string };
beforeAll(async () => {
  const { cert, key } = await makeCertificate(fileScope);
  const port = await freePort();
  const env = { SONO_RTMPS_PORT: String(port), SONO_TLS_CERT: cert, SONO_TLS_KEY: key };
  gateway = await Gateway.start(fileScope, { env });
  tls = { url: `rtmps://localhost:${port}/sono`, ca: cert };
}, 60_000);
afterAll(() => fileScope.close());

test.concurrent('a network that delays by 200 ms and loses every tenth packet is measured', async ({ scope }) => {
  let count = 0;
  const peer = await RtpPeer.open(scope, {
    network: (packet, send) => {
      if (++count % 10 !== 0) setTimeout(() => send(packet), 200);
    },
  });
  const sipp = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
  const args = ['--url', gateway.rtmpUrl(), '--dial', sipp.uri(), '--seconds', '4', '--json'];
  const phone = await startPhone(scope, args);
  const { text } = await sipp.received(/^INVITE/);
  peer.echoAs = Number(/a=rtpmap:(\d+) speex\/16000/.exec(text)?.[1]);
  const { code, summary } = await ended(phone);
  await sipp.done();
  expect(code).toBe(0);
  expect(summary.roundTripMs).toBeGreaterThan(200);
  expect(summary.roundTripMs).toBeLessThan(600);
  expect(Number(summary.missing)).toBeGreaterThan(12);
  expect(Number(summary.missing)).toBeLessThan(40);
});

test.concurrent('it registers by digest, and is called through the registrar', async ({ scope }) => {
  const kamailio = await Kamailio.start(scope);
  const register = ['--username', 'alice', '--registrar', kamailio.address, '--password-env', 'ALICE'];
  const args = ['--url', gateway.rtmpUrl(), '--wait', ...register, '--json'];
  const phone = await startPhone(scope, args, { ALICE: kamailio.password });
  expect(await lineOf(phone.stdout, 'registered')).toMatchObject({ uri: kamailio.uri('alice') });
  const sipp = await callFrom(scope, kamailio.uri('alice'), caller.talks({ ms: 1500 }));
  expect((await ended(phone)).code).toBe(0);
  await sipp.done();
  await kamailio.removed('alice');
  const wrong = await ended(await startPhone(scope, args, { ALICE: 'guessed' }));
  expect(wrong.code).toBe(4);
  expect(wrong.summary.reason).toMatch(/^Sono\.Registration\.Failed/);
});

test.concurrent('RTMPS: a certificate of an authority of your own, which has to be named', async ({ scope }) => {
  const args = ['--url', tls.url, '--dial', gateway.sipUri('echo'), '--seconds', '1', '--json'];
  const stranger = await ended(await startPhone(scope, args));
  expect(stranger.code).toBe(3);
  expect(stranger.summary.reason).toMatch(/self-signed|certificate/);
  const known = await ended(await startPhone(scope, args, { NODE_EXTRA_CA_CERTS: tls.ca }));
  expect(known.code).toBe(0);
});

/** A gateway that says what the test wants. */
async function scripted(
  scope: Scope,
  commands: Readonly<Record<string, (session: RtmpSession) => object | undefined>>,
) {
  const server = new RtmpServer();
  const called: string[] = [];
  server.on('connection', (session) => {
    session.on('connect', (request) => request.accept());
    session.on('stream', (stream) => {
      stream.on('publish', (request) => request.accept());
      stream.on('play', (request) => request.accept());
    });
    session.on('call', (call) => {
      called.push(call.name);
      if (call.name === 'register') call.result({ level: 'status', uri: 'sip:me@here' });
      const fault = commands[call.name]?.(session);
      if (fault) call.error({ level: 'error', ...fault });
    });
  });
  const { port } = await server.listen({ host: loopback, port: 0 });
  scope.defer(() => server.close());
  return { url: `rtmp://${loopback}:${port}/sono`, called };
}

const status = (session: RtmpSession, code: number) =>
  session.status({ level: 'status', code: 'Sono.Call.Status', status_code: code });
const answer = (session: RtmpSession) => {
  for (const code of [1, 17, 4, 2]) status(session, code);
  return undefined;
};
const confirm = (session: RtmpSession) => {
  for (const code of [3, 0]) status(session, code);
  return undefined;
};

test.concurrent('digits are sent when the call is answered; refused, they are no success', async ({ scope }) => {
  const refusal = { code: 'Sono.Call.Failed', description: 'no digits here' };
  const takes = await scripted(scope, { dial: answer, hangup: confirm });
  const refuses = await scripted(scope, { dial: answer, hangup: confirm, sendDTMF: () => refusal });
  const run = async (url: string) =>
    ended(await startPhone(scope, ['--url', url, '--dial', 'sip:a@b', '--dtmf', '12#', '--seconds', '1', '--json']));
  const [taken, refused] = [await run(takes.url), await run(refuses.url)];
  expect(takes.called).toEqual(['register', 'dial', 'sendDTMF', 'hangup']);
  // Nothing was heard.
  expect(taken.code).toBe(5);
  expect(refused.code).toBe(4);
  expect(refused.summary.reason).toBe('Sono.Call.Failed: no digits here');
  // A status that nobody knows changes nothing.
  expect(refused.statuses).toEqual([1, 17, 4, 2, 3, 0]);
});

test.concurrent('a gateway that never confirms the end of a call does not keep the phone', async ({ scope }) => {
  const { url } = await scripted(scope, { dial: answer });
  const phone = await startPhone(scope, ['--url', url, '--dial', 'sip:a@b', '--seconds', '0.5', '--json']);
  expect((await ended(phone)).code).toBe(5);
});

test.concurrent('a gateway that refuses the connection: exit code 4', async ({ scope }) => {
  const server = new RtmpServer();
  server.on('connection', (session) => session.on('connect', (request) => request.reject('not today')));
  const { port } = await server.listen({ host: loopback, port: 0 });
  scope.defer(() => server.close());
  const args = ['--url', `rtmp://${loopback}:${port}/sono`, '--wait', '--json'];
  const { code, summary } = await ended(await startPhone(scope, args));
  expect(code).toBe(4);
  expect(summary.reason).toContain('not today');
});
