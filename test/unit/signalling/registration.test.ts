import Srf from 'drachtio-srf';
import { EmbeddedSip } from 'embedded-sip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistrationEvent } from '../../../plugin/call/ports.js';
import { authorize, readChallenge } from '../../../plugin/signalling/drachtio/digest.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling, type SignallingOptions } from '../../../plugin/signalling/signalling.js';

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

function register(credentials?: { user: string; password: string }, patient = false) {
  const registrar = `sip:127.0.0.1:${registrarSip.sip.port};transport=udp`;
  return new Promise<{ event: RegistrationEvent; end: () => void }>((resolve) => {
    const held = signalling.register(
      { address, registrar, contactUser: 'made-up', patient, ...(credentials && { credentials }) },
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

  it('is tried again after faults of the registrar when it is in no hurry, and refusals are final all the same', async () => {
    answer = (_, response) => send(response, 503);
    const first = register(undefined, true);
    await requests(1);
    answer = grant(3600);
    expect((await first).event).toEqual({ type: 'registered' });
    expect(seen).toHaveLength(2);
    answer = (_, response) => send(response, 403);
    expect((await register(undefined, true)).event).toEqual({ type: 'failed', reason: '403 Forbidden' });
  });

  it('outlives the end of the connection to the SIP server, and is refreshed as soon as there is another', async () => {
    const { control, sip } = ownSip;
    answer = grant(2);
    await register();
    await ownSip.close();
    // The refresh after 1.6 s finds nobody.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    ownSip = await EmbeddedSip.start({ host: '127.0.0.1', port: sip.port, control });
    await requests(2);
    expect(events).toEqual([{ type: 'registered' }]);
  });

  it('is taken back before the end, where there is time for that', async () => {
    const { end } = await register();
    answer = (request, response) => setTimeout(() => grant(0)(request, response), 200);
    end();
    await signalling.left();
    expect(seen).toHaveLength(2);
    expect(seen[1]?.get('Expires')).toBe('0');
  });

  it('is taken back also when it ends while it is being made', async () => {
    let confirm = () => {};
    answer = (request, response) => {
      confirm = () => grant(3600)(request, response);
    };
    const registrar = `sip:127.0.0.1:${registrarSip.sip.port};transport=udp`;
    const held = signalling.register({ address, registrar, contactUser: 'made-up' }, (event) => events.push(event));
    await requests(1);
    held.end();
    answer = grant(0);
    confirm();
    await signalling.left();
    expect(seen.map((request) => request.get('Expires'))).toEqual(['3600', '0']);
    expect(events).toEqual([]);
  });

  /** Where a text from the registered address arrives, which is for a place that does not exist. */
  async function textArrives(): Promise<boolean> {
    let arrived = false;
    const routes = registrarApp as unknown as Record<'message', Srf['invite']>;
    routes.message((_, response) => {
      arrived = true;
      send(response, 200);
    });
    const text = { uri: 'sip:carol@127.0.0.1:9', from: address, text: 'hello' };
    await signalling.sendMessage(text).catch(() => undefined);
    return arrived;
  }

  it('has its requests sent by the route that the registrar gives, for as long as it lasts', async () => {
    const route = `<sip:127.0.0.1:${registrarSip.sip.port};lr>, <sip:192.0.2.9;lr>`;
    answer = (request, response) => send(response, 200, { Contact: request.get('Contact'), 'Service-Route': route });
    const { end } = await register();
    expect(await textArrives()).toBe(true);
    end();
    await signalling.left();
    expect(await textArrives()).toBe(false);
  });

  it('goes through the outbound proxy, as texts do', async () => {
    const outboundProxy = `127.0.0.1:${registrarSip.sip.port}`;
    signalling = new DrachtioSignalling(connection, { fromName: 'test', outboundProxy });
    const event = await new Promise<RegistrationEvent>((resolve) => {
      signalling.register({ address, registrar: 'sip:registrar.invalid', contactUser: 'made-up' }, resolve);
    });
    expect(event).toEqual({ type: 'registered' });
    expect(seen[0]?.uri).toBe('sip:registrar.invalid');
    expect(await textArrives()).toBe(true);
  });
});

describe('where to register', () => {
  const at = (options: Partial<SignallingOptions>) =>
    new DrachtioSignalling(connection, { fromName: 'test', ...options });
  const local = { domains: ['example.com'] };
  const registrar = 'pbx.example:5070;transport=tcp';

  it('is nowhere without a registrar', () => {
    expect(at({}).home(undefined)).toBeUndefined();
    expect(at({}).home('example.com')).toBeUndefined();
  });

  it('is the configured one for all addresses but local ones', () => {
    const signalling = at({ registrar, local });
    const elsewhere = { registrar: `sip:${registrar}`, local: false };
    expect(signalling.home(undefined)).toEqual({ ...elsewhere, domain: 'pbx.example:5070' });
    expect(signalling.home('example.org')).toEqual({ ...elsewhere, domain: 'example.org' });
    expect(signalling.home('example.com')).toMatchObject({ domain: 'example.com', local: true });
  });

  it('is here for local addresses, and for those without a domain', () => {
    const here = { registrar: `sip:127.0.0.1:${ownSip.sip.port};transport=udp`, local: true };
    expect(at({ local }).home(undefined)).toEqual({ ...here, domain: 'example.com' });
    expect(at({ local }).home('localhost')).toBeUndefined();
    expect(at({ local }).home(`localhost:${ownSip.sip.port}`)).toMatchObject(here);
    expect(at({ local }).home('example.org')).toBeUndefined();
  });
});
