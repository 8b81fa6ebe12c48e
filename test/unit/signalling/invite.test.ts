import Srf from 'drachtio-srf';
import { EmbeddedSip } from 'embedded-sip';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Credentials, OutgoingInvite, SignallingEvent } from '../../../plugin/call/ports.js';
import { authorize, readChallenge } from '../../../plugin/signalling/drachtio/digest.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling } from '../../../plugin/signalling/signalling.js';
import { ControlServer } from './support/control-server.js';

const challenge = 'Digest realm="trunk", nonce="n1", algorithm=SHA-256, qop="auth"';
const bob: Credentials = { user: 'bob', password: 'secret' };
const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

let trunkSip: EmbeddedSip;
let trunk: Srf;
let ownSip: EmbeddedSip;
let connection: DrachtioConnection;
let invites: Srf.SrfRequest[];

beforeEach(async () => {
  invites = [];
  trunkSip = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  trunk = new Srf();
  trunk.on('error', () => {});
  trunk.connect(trunkSip.control);
  await new Promise<void>((resolve) => trunk.on('connect', () => resolve()));
  ownSip = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  connection = new DrachtioConnection(ownSip.control);
  await connection.connect();
});

afterEach(async () => {
  connection.close();
  trunk.disconnect();
  await ownSip.close();
  await trunkSip.close();
});

/** A trunk that lets bob through, by Proxy-Authorization. */
function guarded(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
  invites.push(request);
  const given = request.get('Proxy-Authorization') ?? '';
  const cnonce = /cnonce="(\w+)"/.exec(given)?.[1] ?? '';
  const parsed = readChallenge(challenge);
  const expected = parsed && authorize(parsed, bob, { method: 'INVITE', uri: request.uri, count: 1, cnonce });
  if (given === expected) void trunk.createUAS(request, response, { localSdp: sdp });
  else response.send(407, { headers: { 'Proxy-Authenticate': challenge } });
}

function call(credentials?: Credentials): { outgoing: OutgoingInvite; last: Promise<SignallingEvent> } {
  const { promise: last, resolve } = withResolvers<SignallingEvent>();
  const outgoing = new DrachtioSignalling(connection, { fromName: 'test' }).invite(
    {
      callId: 'c1',
      uri: `sip:alice@127.0.0.1:${trunkSip.sip.port}`,
      from: 'sip:bob@example.com',
      offer: { address: '127.0.0.1', media: [] },
      ...(credentials && { credentials }),
    },
    (event) => {
      if (event.type !== 'provisional') resolve(event);
    },
  );
  return { outgoing, last };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

it('an INVITE that is challenged is sent again with the credentials of the registration', async () => {
  trunk.invite(guarded);
  const { last } = call(bob);
  expect(await last).toMatchObject({ type: 'answered' });
  const [first, second] = invites;
  expect(invites).toHaveLength(2);
  expect(second?.get('Call-ID')).toBe(first?.get('Call-ID'));
  expect(second?.get('From')).toBe(first?.get('From'));
  expect(Number.parseInt(second?.get('CSeq') ?? '', 10)).toBe(Number.parseInt(first?.get('CSeq') ?? '', 10) + 1);
});

it('fails when the credentials are refused', async () => {
  trunk.invite(guarded);
  const { last } = call({ user: 'bob', password: 'wrong' });
  expect(await last).toMatchObject({ type: 'failed', termination: { sipStatus: 407 } });
  expect(invites).toHaveLength(2);
});

it('fails at once without credentials', async () => {
  trunk.invite(guarded);
  expect(await call().last).toMatchObject({ type: 'failed', termination: { sipStatus: 407 } });
  expect(invites).toHaveLength(1);
});

it('cancels what is ringing, and reports its final response', async () => {
  const cancelled = withResolvers<void>();
  trunk.invite((request, response) => {
    request.on('cancel', () => cancelled.resolve());
    response.send(180);
    invites.push(request);
  });
  const { outgoing, last } = call();
  while (invites.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  outgoing.cancel();
  await cancelled.promise;
  expect(await last).toMatchObject({ type: 'failed', termination: { sipStatus: 487 } });
});

it('fails a pending INVITE when the connection to the SIP server is lost', async () => {
  trunk.invite((request, response) => {
    response.send(180);
    invites.push(request);
  });
  const { last } = call();
  while (invites.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await ownSip.close();
  expect(await last).toMatchObject({ type: 'failed', termination: { result: 'signalling-failed' } });
});

it('who is called by a sips URI is to answer to a sips Contact', async () => {
  const server = await ControlServer.start();
  server.addresses = 'tls/127.0.0.1:5061,udp/127.0.0.1:5060';
  const secure = new DrachtioConnection(server.address);
  await secure.connect();
  const signalling = new DrachtioSignalling(secure, { fromName: 'test' });
  for (const uri of ['sips:alice@127.0.0.1', 'sip:alice@127.0.0.1']) {
    signalling.invite(
      { callId: uri, uri, from: 'sip:bob@example.com', offer: { address: '127.0.0.1', media: [] } },
      () => {},
    );
  }
  expect((await server.find(/^INVITE sips:/)).header('contact')).toBe('<sips:127.0.0.1:5061>');
  expect((await server.find(/^INVITE sip:/)).header('contact')).toBe('');
  secure.close();
  server.close();
});
