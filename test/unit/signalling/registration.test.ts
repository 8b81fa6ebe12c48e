import Srf from 'drachtio-srf';
import { EmbeddedSip } from 'embedded-sip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistrationEvent } from '../../../plugin/call/ports.js';
import { authorize, readChallenge } from '../../../plugin/signalling/digest.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio.js';
import { DrachtioSignalling } from '../../../plugin/signalling/signalling.js';

const challenge = 'Digest realm="sono", nonce="n1", algorithm=SHA-256, qop="auth"';
const address = 'sip:bob@example.com';

/** A registrar that answers as each test wants, on a SIP server of its own. */
let registrarSip: EmbeddedSip;
let registrarApp: Srf;
let seen: Srf.SrfRequest[];
let answer: (request: Srf.SrfRequest, response: Srf.SrfResponse) => void;
let waiting: (() => void)[];

let ownSip: EmbeddedSip;
let connection: DrachtioConnection;
let signalling: DrachtioSignalling;
let events: RegistrationEvent[];

beforeEach(async () => {
  seen = [];
  waiting = [];
  events = [];
  answer = grant(3600);
  registrarSip = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  registrarApp = new Srf();
  registrarApp.on('error', () => {});
  // The library's types lack the registration of methods other than INVITE.
  const routes = registrarApp as unknown as Record<'register', Srf['invite']>;
  routes.register((request, response) => {
    seen.push(request);
    answer(request, response);
    for (const resolve of waiting.splice(0)) resolve();
  });
  registrarApp.connect(registrarSip.control);
  await new Promise<void>((resolve) => registrarApp.on('connect', () => resolve()));
  ownSip = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  connection = new DrachtioConnection(ownSip.control);
  await connection.connect();
  signalling = new DrachtioSignalling(connection, { fromName: 'test' });
});

afterEach(async () => {
  connection.close();
  registrarApp.disconnect();
  await ownSip.close();
  await registrarSip.close();
});

const send = (response: Srf.SrfResponse, status: number, headers: Record<string, string> = {}) =>
  response.send(status, { headers });

function grant(expires: number) {
  return (request: Srf.SrfRequest, response: Srf.SrfResponse) =>
    send(response, 200, { Contact: request.get('Contact').replace(/expires=\d+/, `expires=${expires}`) });
}

async function requests(count: number): Promise<Srf.SrfRequest[]> {
  while (seen.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  return seen;
}

function register(credentials?: { user: string; password: string }) {
  const registrar = `sip:127.0.0.1:${registrarSip.sip.port};transport=udp`;
  return new Promise<{ event: RegistrationEvent; end: () => void }>((resolve) => {
    const held = signalling.register(
      { address, registrar, contactUser: 'made-up', ...(credentials && { credentials }) },
      (event) => {
        events.push(event);
        resolve({ event, end: () => held.end() });
      },
    );
  });
}

const authorization = (request: Srf.SrfRequest | undefined) => request?.get('Authorization') ?? '';

describe('a registration', () => {
  it('is made with a Contact that leads back here, and taken back at the end', async () => {
    const { event, end } = await register();
    expect(event).toEqual({ type: 'registered' });
    const [first] = await requests(1);
    expect(first?.uri).toBe(`sip:127.0.0.1:${registrarSip.sip.port};transport=udp`);
    expect(first?.get('To')).toBe('<sip:bob@example.com>');
    expect(first?.get('From')).toMatch(/^<sip:bob@example\.com>;tag=/);
    expect(first?.get('Contact')).toBe(`<sip:made-up@127.0.0.1:${ownSip.sip.port}>;expires=3600`);
    end();
    const [, last] = await requests(2);
    expect(last?.get('Contact')).toContain('expires=0');
    expect(last?.get('Call-ID')).toBe(first?.get('Call-ID'));
    expect(Number.parseInt(last?.get('CSeq') ?? '', 10)).toBe(Number.parseInt(first?.get('CSeq') ?? '', 10) + 1);
    expect(events).toHaveLength(1);
  });

  it('answers a challenge with its credentials', async () => {
    const credentials = { user: 'bob', password: 'secret' };
    answer = (request, response) => {
      if (authorization(request) === '') return send(response, 401, { 'WWW-Authenticate': challenge });
      const cnonce = /cnonce="(\w+)"/.exec(authorization(request))?.[1] ?? '';
      const parsed = readChallenge(challenge);
      const expected =
        parsed && authorize(parsed, credentials, { method: 'REGISTER', uri: request.uri, count: 1, cnonce });
      if (authorization(request) === expected) grant(3600)(request, response);
      else send(response, 403);
    };
    expect((await register(credentials)).event).toEqual({ type: 'registered' });
    expect(seen).toHaveLength(2);
  });

  it('gives up when its credentials are refused', async () => {
    answer = (_, response) => send(response, 401, { 'WWW-Authenticate': challenge });
    expect((await register({ user: 'bob', password: 'wrong' })).event).toEqual({
      type: 'failed',
      reason: '401 Unauthorized',
    });
    expect(seen).toHaveLength(2);
  });

  it('tries again with a new nonce when the old one was stale', async () => {
    answer = (request, response) => {
      if (authorization(request).includes('nonce="n2"')) return grant(3600)(request, response);
      const stale = authorization(request) !== '';
      send(response, 401, {
        'WWW-Authenticate': stale ? `${challenge.replace('n1', 'n2')}, stale=true` : challenge,
      });
    };
    expect((await register({ user: 'bob', password: 'secret' })).event).toEqual({ type: 'registered' });
    expect(seen).toHaveLength(3);
  });

  it('has no credentials to answer a challenge with', async () => {
    answer = (_, response) => send(response, 401, { 'WWW-Authenticate': challenge });
    expect((await register()).event).toEqual({ type: 'failed', reason: '401 Unauthorized' });
    expect(seen).toHaveLength(1);
  });

  it('asks for as long as the registrar wants at least', async () => {
    answer = (request, response) => {
      if (request.get('Expires') === '7200') grant(7200)(request, response);
      else send(response, 423, { 'Min-Expires': '7200' });
    };
    expect((await register()).event).toEqual({ type: 'registered' });
  });

  it('is refreshed before it ends, and lost when the refresh is refused', async () => {
    answer = grant(2);
    await register();
    const [first, second] = await requests(2);
    expect(second?.get('Call-ID')).toBe(first?.get('Call-ID'));
    answer = (_, response) => send(response, 403);
    await requests(3);
    while (events.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(events[1]).toEqual({ type: 'lost', reason: '403 Forbidden' });
  });

  it('fails when there is no connection to the SIP server', async () => {
    connection.close();
    expect((await register()).event).toEqual({
      type: 'failed',
      reason: 'there is no connection to the SIP server',
    });
  });
});
