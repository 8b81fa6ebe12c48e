import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import fc from 'fast-check';
import { ChunkWriter, encodeMessage, type RtmpLimits, type RtmpMessage } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../../support/certificate.js';
import { type Scope, test } from '../../support/scope.js';
import { bytes, text } from '../../wire/rtmp/bytes.js';
import { command, handshake } from './client.js';
import { FakeClock } from './fake-clock.js';
import { serve } from './serve.js';

const ANSWERED_HANDSHAKE = 1 + 2 * 1536;
const CONNECT = chunks(command('connect', 1, [], 0, { app: 'test' }));

describe.each([
  { name: 'rtmpt, one connection', secure: false, keepAlive: true },
  { name: 'rtmpt, a new connection for each request', secure: false, keepAlive: false },
  { name: 'rtmpts', secure: true, keepAlive: true },
])('$name', ({ secure, keepAlive }) => {
  test.for([0, 1])('carries a session, numbers beginning with %i', async (first, { scope }) => {
    const { post, sessions, events } = await tunnels(scope, { secure, keepAlive });
    const opened = await post('/open/1', Uint8Array.of(0));
    expect(opened).toMatchObject({ status: 200, type: 'application/x-fcs' });
    const id = String(opened.body).trim();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const shaken = await post(`/send/${id}/${first}`, handshake());
    expect(shaken).toMatchObject({ status: 200, type: 'application/x-fcs' });
    expect(shaken.body).toHaveLength(1 + ANSWERED_HANDSHAKE);
    const connected = await post(`/send/${id}/${first + 1}`, CONNECT);
    expect(String(connected.body)).toContain('NetConnection.Connect.Success');
    expect(await post(`/idle/${id}/${first + 2}`, Uint8Array.of(0))).toMatchObject({ body: Buffer.of(1) });
    sessions[0]?.push('ring', 'tunnel');
    await Promise.resolve();
    expect(String((await post(`/idle/${id}/${first + 3}`)).body)).toContain('tunnel');
    expect(sessions[0]).toMatchObject({ protocol: secure ? 'rtmpts' : 'rtmpt', remoteAddress: '127.0.0.1' });
    expect(await post(`/close/${id}/${first + 4}`)).toMatchObject({ status: 200, body: Buffer.of(0) });
    await events.find('the end', (event) => event === 'closed client');
    expect(await post(`/idle/${id}/${first + 5}`)).toMatchObject({ status: 404 });
  });
});

test('Flash asks for its address and is told that there is no such service', async ({ scope }) => {
  const { post } = await tunnels(scope);
  expect(await post('/fcs/ident2')).toMatchObject({ status: 404 });
  expect(await post('/fcs/ident')).toMatchObject({ status: 404 });
});

describe('numbers', () => {
  test('put requests in order, whatever the order in which they come', async ({ scope }) => {
    const { post, connect, events } = await tunnels(scope);
    const id = await connect();
    const publish = [command('createStream', 2), command('publish', 3, ['cam', 'live'], 1)].map(chunks);
    const audio = [1, 2, 3].map((byte) =>
      chunks({ type: 'audio', streamId: 1, timestamp: byte, payload: Uint8Array.of(byte) }),
    );
    const parts = [...publish, ...audio];
    const order = [4, 2, 3, 1, 0];
    const answers = [];
    for (const index of order) {
      answers.push(post(`/send/${id}/${2 + index}`, parts[index]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(events.all).toEqual(['connect test', 'publish cam live', 'audio 1 01', 'audio 2 02', 'audio 3 03']);
  });

  test('tell a request that is repeated: it is carried out once and answered twice alike', async ({ scope }) => {
    const { server, post, connect, sessions } = await tunnels(scope);
    const calls: string[] = [];
    server.on('connection', (session) => {
      session.on('call', (call) => {
        calls.push(call.name);
        call.result(`answer to ${call.name}`);
      });
    });
    const id = await connect();
    const call = chunks(command('dial', 7));
    const first = await post(`/send/${id}/2`, call);
    expect(String(first.body)).toContain('answer to dial');
    expect((await post(`/send/${id}/2`, call)).body).toEqual(first.body);
    expect(calls).toEqual(['dial']);
    await post(`/idle/${id}/3`);
    expect(await post(`/send/${id}/2`, call)).toMatchObject({ status: 200, body: Buffer.of(1) });
    expect(calls).toEqual(['dial']);
    expect(sessions).toHaveLength(1);
  });

  test('of a request that waits, repeated: the later answer counts', async ({ scope }) => {
    const { post, connect } = await tunnels(scope);
    const id = await connect();
    const early = post(`/idle/${id}/3`);
    const again = post(`/idle/${id}/3`);
    const answers = [early, again].map(async (answer) => (await answer).status);
    expect(await Promise.race(answers)).toBe(404);
    await post(`/idle/${id}/2`);
    expect((await Promise.all(answers)).sort()).toEqual([200, 404]);
  });

  test('put any order, with any repeats, over any cuts of the stream, right', async ({ scope }) => {
    const { post, connect, events } = await tunnels(scope, { keepAlive: false });
    const messages: RtmpMessage[] = [command('createStream', 2), command('publish', 3, ['cam', 'live'], 1)];
    for (let byte = 1; byte <= 20; byte += 1) {
      messages.push({ type: 'audio', streamId: 1, timestamp: byte, payload: Uint8Array.of(byte) });
    }
    const stream = Buffer.concat(messages.map(chunks));
    const schedule = fc.record({
      cuts: fc.array(fc.integer({ min: 1, max: stream.length - 1 }), { minLength: 1, maxLength: 14 }),
      order: fc.shuffledSubarray([...Array(15).keys()], { minLength: 15, maxLength: 15 }),
      repeats: fc.array(fc.nat(14), { maxLength: 6 }),
    });
    const property = fc.asyncProperty(schedule, async ({ cuts, order, repeats }) => {
      const edges = [0, ...[...new Set(cuts)].sort((left, right) => left - right), stream.length];
      const parts = edges.slice(1).map((end, index) => stream.subarray(edges[index], end));
      const sent = [...order, ...repeats].filter((index) => index < parts.length);
      const id = await connect();
      const before = events.all.length;
      const answers = [];
      for (const index of sent) {
        answers.push(post(`/send/${id}/${2 + index}`, parts[index]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(parts.length);
      const audio = events.all.slice(before).filter((event) => event.startsWith('audio'));
      expect(audio).toEqual(messages.slice(2).map((_, index) => `audio ${index + 1} ${hex(index + 1)}`));
      await post(`/close/${id}`);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test('may run ahead by 16', async ({ scope }) => {
    const { server, post, connect } = await tunnels(scope);
    const id = await connect();
    const waiting = post(`/idle/${id}/17`);
    expect(await post(`/idle/${id}/18`)).toMatchObject({ status: 404 });
    expect(await waiting).toMatchObject({ status: 404 });
    await expect.poll(() => server.counters['tunnel.sequence']).toBe(1);
    expect(await post(`/idle/${id}/2`)).toMatchObject({ status: 404 });
  });
});

test('the interval grows while there is nothing to say, and falls back at once', async ({ scope }) => {
  const { post, connect, sessions } = await tunnels(scope);
  const id = await connect();
  const intervals: (number | undefined)[] = [];
  for (let number = 2; number < 72; number += 1) intervals.push((await post(`/idle/${id}/${number}`)).body[0]);
  const runs = [1, 3, 5, 9, 17, 33].flatMap((interval) => Array(10).fill(interval));
  expect(intervals).toEqual([...runs, ...Array(70).fill(33)].slice(1, 71));
  sessions[0]?.push('ring');
  await Promise.resolve();
  expect((await post(`/idle/${id}/72`)).body[0]).toBe(1);
  expect((await post(`/idle/${id}/73`)).body).toEqual(Buffer.of(1));
});

test('clients behind one proxy share its connections and nothing else', async ({ scope }) => {
  const { post, connect, sessions } = await tunnels(scope);
  const ids = [await connect(), await connect(), await connect()];
  expect(new Set(ids).size).toBe(3);
  sessions.forEach((session, index) => {
    session.push('hello', `client ${index}`);
  });
  await Promise.resolve();
  const answers = await Promise.all(ids.map((id) => post(`/idle/${id}/2`)));
  expect(answers.map(({ body }) => /client \d/.exec(String(body))?.[0])).toEqual(['client 0', 'client 1', 'client 2']);
});

test('close() of a session says farewell with the next answer', async ({ scope }) => {
  const { post, connect, sessions, events } = await tunnels(scope);
  const id = await connect();
  sessions[0]?.close('enough');
  expect(String((await post(`/idle/${id}/2`)).body)).toContain('NetConnection.Connect.Closed');
  await events.find('the end', (event) => event === 'closed server');
  expect(await post(`/idle/${id}/3`)).toMatchObject({ status: 404 });
});

test('close() of the server ends sessions whose client does not ask any more', async ({ scope }) => {
  const clock = new FakeClock();
  const { server, connect, events } = await tunnels(scope, { clock, limits: { closeTimeout: 2_000 } });
  await connect();
  const closed = server.close();
  clock.advance(2_000);
  await closed;
  expect(events.all.at(-1)).toBe('closed server');
});

describe('a client that only asks', () => {
  test('is answered when there is something to send, or after 20 ms', async ({ scope }) => {
    const clock = new FakeClock();
    const { post, connect, sessions } = await tunnels(scope, { clock });
    const id = await connect();
    const [first, second] = [post(`/idle/${id}/2`), post(`/idle/${id}/3`)];
    // The next request brings the answer to the one before.
    expect((await first).body).toEqual(Buffer.of(1));
    sessions[0]?.push('ring');
    expect(String((await second).body)).toContain('ring');
    const third = post(`/idle/${id}/4`);
    await expect.poll(() => clock.next).toBe(20);
    clock.advance(19);
    expect(clock.next).toBe(1);
    clock.advance(1);
    expect((await third).body).toEqual(Buffer.of(1));
  });

  test('and asks once more, gets its answer there', async ({ scope }) => {
    const clock = new FakeClock();
    const { post, connect, sessions } = await tunnels(scope, { clock });
    const id = await connect();
    const answers = [post(`/idle/${id}/2`), post(`/idle/${id}/2`)];
    expect((await Promise.race(answers)).status).toBe(404);
    sessions[0]?.push('ring');
    const bodies = (await Promise.all(answers)).map(({ body }) => String(body));
    expect(bodies.filter((body) => body.includes('ring'))).toHaveLength(1);
  });
});

describe('limits', () => {
  test('a client that never closes is given 30 s', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, post, connect, events } = await tunnels(scope, { clock });
    const id = await connect();
    clock.advance(29_000);
    await post(`/send/${id}/2`, chunks(command('log', 0)));
    clock.advance(29_999);
    // Neither a request that overtook others nor one that is repeated is a sign of life.
    const early = post(`/idle/${id}/5`);
    await post(`/send/${id}/2`, chunks(command('log', 0)));
    expect(server.counters['tunnel.timeout']).toBe(0);
    clock.advance(1);
    await events.find('the end', (event) => event === 'closed tunnel.timeout');
    expect(await early).toMatchObject({ status: 404 });
    expect(await post(`/idle/${id}/3`)).toMatchObject({ status: 404 });
  });

  test("another's session cannot be had without its id", async ({ scope }) => {
    const { server, post, connect } = await tunnels(scope);
    const id = await connect();
    const others = [`${id}0`, id.slice(1), id.slice(0, -1), id.toUpperCase(), '0'.repeat(32), '1', '0'];
    const guesses = others.filter((other) => other !== id).map((other) => post(`/idle/${other}/2`));
    for (const { status, body } of await Promise.all(guesses))
      expect({ status, body }).toEqual({ status: 404, body: Buffer.of() });
    expect(server.counters['tunnel.session']).toBeGreaterThanOrEqual(6);
    expect(await post(`/idle/${id}/2`)).toMatchObject({ status: 200 });
  });

  test('sessions are counted', async ({ scope }) => {
    const { server, post, connect } = await tunnels(scope, { limits: { tunnelSessions: 2 } });
    const id = await connect();
    await connect();
    expect(await post('/open/1')).toMatchObject({ status: 503 });
    expect(server.counters['tunnel.sessions']).toBe(1);
    await post(`/close/${id}`);
    await connect();
  });

  test('sessions are connections', async ({ scope }) => {
    const { server, post, connect } = await tunnels(scope, { limits: { connectionsPerAddress: 2 } });
    const id = await connect();
    expect(await post('/open/1')).toMatchObject({ status: 503 });
    expect(server.counters['server.connections-per-address']).toBe(1);
    expect(server.counters['sessions.accepted']).toBe(1);
    await post(`/close/${id}`).catch(() => {});
  });

  test('a request that sends too much ends its session', async ({ scope }) => {
    const { server, post, connect, events } = await tunnels(scope, { limits: { tunnelRequestSize: 5_000 } });
    const id = await connect();
    expect(await post(`/send/${id}/2`, new Uint8Array(5_001))).toMatchObject({ status: 413 });
    await events.find('the end', (event) => event === 'closed tunnel.request-size');
    expect(server.counters['tunnel.request-size']).toBe(1);
  });

  test('so do requests that overtook others, together', async ({ scope }) => {
    const { post, connect, events } = await tunnels(scope, { limits: { tunnelRequestSize: 5_000 } });
    const id = await connect();
    const requests = [3, 4].map((number) => post(`/send/${id}/${number}`, new Uint8Array(3_000)));
    for (const { status } of await Promise.all(requests)) expect(status).toBe(404);
    await events.find('the end', (event) => event === 'closed tunnel.request-size');
  });

  test('a client that breaks a rule of RTMP is told with the answer', async ({ scope }) => {
    const { post, connect, events } = await tunnels(scope);
    const id = await connect();
    const answer = await post(`/send/${id}/2`, bytes('c9'));
    expect(String(answer.body)).toContain('NetConnection.Connect.Closed');
    await events.find('the end', (event) => event === 'closed chunk.unknown-stream');
  });
});

test.for([
  ['POST', '/open/2', 404],
  ['GET', '/open/1', 404],
  ['POST', '/send/0', 404],
  ['POST', '/send/0/99999999999999999999', 404],
  ['POST', '/idle//1', 404],
  ['POST', '/', 404],
] as const)('%s %s is answered with %i', async ([method, path, status], { scope }) => {
  const { post } = await tunnels(scope);
  expect(await post(path, undefined, method)).toMatchObject({ status });
});

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

interface TunnelsOptions {
  readonly secure?: boolean;
  readonly keepAlive?: boolean;
  readonly limits?: Partial<RtmpLimits>;
  readonly clock?: FakeClock;
}

/** A server, and requests to it. */
async function tunnels(scope: Scope, { secure = false, keepAlive = true, limits = {}, clock }: TunnelsOptions = {}) {
  const tls = secure ? await makeCertificate(scope) : undefined;
  // Sessions that are left over wait for a client that asks no more.
  const served = await serve(scope, {
    limits: { closeTimeout: 50, ...limits },
    ...(clock && { clock }),
    ...(tls && { tls }),
  });
  scope.defer(() => {
    for (const session of served.server.sessions) session.close();
    clock?.advance(2_000);
  });
  const agent = secure ? new SecureAgent({ keepAlive, rejectUnauthorized: false }) : new Agent({ keepAlive });
  scope.defer(() => agent.destroy());
  const post = (path: string, body: Uint8Array = text('\0'), method = 'POST'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { agent, method, path, port: served.port, host: '127.0.0.1' };
      const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        const { statusCode: status, headers } = response;
        response.on('end', () => resolve({ status, type: headers['content-type'], body: Buffer.concat(parts) }));
      });
      request.on('error', reject);
      request.end(method === 'GET' ? undefined : body);
    });
  /** Opens a session, goes through handshake (request 0) and connect (1) and returns its id. */
  const connect = async (): Promise<string> => {
    const id = String((await post('/open/1')).body).trim();
    await post(`/send/${id}/0`, handshake());
    await post(`/send/${id}/1`, CONNECT);
    return id;
  };
  return { ...served, post, connect };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function chunks(message: RtmpMessage): Uint8Array {
  const parts: Uint8Array[] = [];
  new ChunkWriter().write({ ...encodeMessage(message), chunkStreamId: 3 }, parts);
  return Buffer.concat(parts);
}
