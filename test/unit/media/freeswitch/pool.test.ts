import { connect, createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { FreeSwitchStandIn } from '../../../support/freeswitch/stand-in.js';
import { freePort, loopback } from '../../../support/ports.js';
import { type Scope, test } from '../../../support/scope.js';
import { Rig, rigWithServer, until } from './rig.js';

async function rigWithTwo(scope: Scope, weights: readonly [number, number] = [1, 1]) {
  const first = await FreeSwitchStandIn.start(scope);
  const second = await FreeSwitchStandIn.start(scope);
  const servers = [first, second].map(({ port }, index) => ({ port, weight: weights[index] ?? 1 }));
  const rig = await Rig.start(scope, servers);
  await rig.state(first.port, /^up/);
  await rig.state(second.port, /^up/);
  return { rig, first, second };
}

const answerOfEcho = {
  address: loopback,
  media: [
    {
      kind: 'audio',
      port: 9,
      protocol: 'RTP/AVP',
      direction: 'sendrecv' as const,
      formats: [{ payloadType: 104, encoding: 'speex', clockRate: 16000 }],
    },
  ],
};

/** Sound from the far end, 20 ms of it. */
function hear(server: FreeSwitchStandIn): void {
  for (const channel of server.channels) channel.hear();
}

const callsOn = (server: FreeSwitchStandIn) => server.channels.length / 2;

describe('a server', () => {
  test('that lets us in takes calls, and that is logged once', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    expect(rig.pool.usable).toBe(true);
    expect(rig.pool.description).toEqual([`FreeSWITCH ${loopback}:${server.port} up, 0 of 500 sessions`]);
    expect(rig.log.all.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'FreeSWITCH server takes calls'],
    ]);
  });

  test('with another secret is told of so, once for all attempts', async ({ scope }) => {
    const server = await FreeSwitchStandIn.start(scope, { secret: 'other' });
    const rig = await Rig.start(scope, [{ port: server.port }]);
    await rig.state(server.port, /^down: it refuses the secret$/);
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(rig.log.all.length).toBe(1);
    expect(rig.pool.usable).toBe(false);
  });

  test('whose access list keeps us out is told of so', async ({ scope }) => {
    const server = await FreeSwitchStandIn.start(scope);
    server.rude = true;
    const rig = await Rig.start(scope, [{ port: server.port }]);
    await rig.state(server.port, /access list/);
    server.rude = false;
    await rig.state(server.port, /^up/);
  });

  test('without the profile is told of so, and nothing is thrown', async ({ scope }) => {
    const server = await FreeSwitchStandIn.start(scope);
    server.profile = 'internal';
    const rig = await Rig.start(scope, [{ port: server.port }]);
    await rig.state(server.port, /no sofia profile drachtio_mrf/);
  });

  test('that is not there yet is tried again, and not every millisecond', async ({ scope }) => {
    const port = await freePort();
    const rig = await Rig.start(scope, [{ port }]);
    await rig.state(port, /^down: .*ECONNREFUSED/);
    let attempts = 0;
    const listener = createServer((socket) => {
      attempts++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(port, loopback, resolve));
    await rig.state(port, /^down: it closed the connection/);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(attempts).toBeLessThan(4);
    await new Promise((resolve) => listener.close(resolve));
    await FreeSwitchStandIn.start(scope, { port });
    await rig.state(port, /^up/);
  });
});

describe('calls', { timeout: 20_000 }, () => {
  test('are shared by weight', async ({ scope }) => {
    const { rig, first, second } = await rigWithTwo(scope, [3, 1]);
    for (let call = 0; call < 8; call++) await rig.pair();
    expect([callsOn(first), callsOn(second)]).toEqual([6, 2]);
  });

  test('that come at the same moment are shared too', async ({ scope }) => {
    const { rig, first, second } = await rigWithTwo(scope);
    await Promise.all(Array.from({ length: 6 }, () => rig.pair()));
    expect([callsOn(first), callsOn(second)]).toEqual([3, 3]);
  });

  test('do not go to a paused server, those that are there go on, and resuming brings it back', async ({ scope }) => {
    const { rig, first, second } = await rigWithTwo(scope);
    const before = await Promise.all([rig.pair(), rig.pair()]);
    first.paused = true;
    await rig.state(first.port, /^paused/);
    await rig.pair();
    expect([callsOn(first), callsOn(second)]).toEqual([1, 2]);
    first.paused = false;
    await rig.state(first.port, /^up/);
    await rig.pair();
    expect(callsOn(first)).toBe(2);
    expect(before.flatMap(({ lostFor }) => lostFor.all)).toEqual([]);
  });

  test('do not go to a server at its limit of sessions', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope, { maxSessions: 3 });
    await rig.pair();
    await expect(rig.pair()).rejects.toMatchObject({
      code: 'NoServer',
      message: expect.stringMatching(/no FreeSWITCH/),
    });
    await rig.state(server.port, /^full, 2 of 3 sessions/);
    expect(server.invites).toBe(2);
  });

  test.for([
    ['refuses', { refuseWith: '503 Maximum Calls In Progress' }],
    ['does not answer the INVITE', { silent: true }],
    ['hangs up instead of handing over', { hangsUpAtOnce: true }],
  ] as const)('go to another server when one %s, which then is the last choice', async ([, fault], { scope }) => {
    const { rig, first, second } = await rigWithTwo(scope, [100, 1]);
    Object.assign(first, fault);
    await rig.pair();
    await rig.pair();
    expect([callsOn(first), callsOn(second)]).toEqual([0, 2]);
    expect(first.invites).toBe(2);
    expect(rig.log.all.filter(({ message }) => message === 'FreeSWITCH server failed a call').length).toBe(1);
    // What the library does after its own time-outs must not reach anybody.
    if ('hangsUpAtOnce' in fault) await new Promise((resolve) => setTimeout(resolve, 1_500));
  });

  test('that one server refuses for the moment are served all the same', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.refuseWith = '488 Not Acceptable Here';
    server.refusals = 2;
    await rig.pair();
    expect(callsOn(server)).toBe(1);
  });

  test('are refused for the codec when a server says so twice', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.refuseWith = '488 Not Acceptable Here';
    await expect(rig.pair()).rejects.toMatchObject({ code: 'NoCommonCodec' });
  });

  test('fail with the reason when every server refuses', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    server.refuseWith = '503 Maximum Calls In Progress';
    await expect(rig.pair()).rejects.toMatchObject({ code: 'NoServer', message: expect.stringContaining('503') });
    await until('no channel is left', () => server.channels.length === 0);
  });
});

describe('a server that goes', () => {
  test('ends its calls within 2 s with the reason, and not those of others', async ({ scope }) => {
    const { rig, first } = await rigWithTwo(scope);
    const pairs = await Promise.all([rig.pair(), rig.pair()]);
    const gone = Date.now();
    await first.kill();
    const mine = pairs.find(({ serverName }) => serverName === `${loopback}:${first.port}`);
    const other = pairs.find((pair) => pair !== mine);
    await mine?.lostFor.find('the loss', (reason) => /FreeSWITCH .* (?:is gone|hung up)/.test(reason));
    expect(Date.now() - gone).toBeLessThan(2_000);
    await rig.state(first.port, /^down/);
    expect(mine?.lostFor.all.length).toBe(1);
    expect(other?.lostFor.all).toEqual([]);
  });

  test('takes calls again when it is back', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    await rig.pair();
    await server.kill();
    await rig.state(server.port, /^down/);
    await expect(rig.pair()).rejects.toMatchObject({ code: 'NoServer' });
    await FreeSwitchStandIn.start(scope, { port: server.port });
    await rig.state(server.port, /^up/);
    await rig.pair();
  });

  test('silent, sockets and all, ends its calls within 2 s', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const pair = await rig.pair();
    const ringing = await rig.pair();
    await pair.bridge();
    const hung = Date.now();
    server.hang();
    await pair.lostFor.find('the loss', (reason) => reason.includes('does not answer'));
    expect(Date.now() - hung).toBeLessThan(2_000);
    await rig.state(server.port, /^silent/);
    expect(rig.pool.usable).toBe(false);
    expect(ringing.lostFor.all).toEqual([]);
  });

  test('silent on the event socket alone keeps the calls that are heard', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const { session, frames, lost } = await rig.call('freeswitch');
    await session.accept(answerOfEcho);
    const speaking = setInterval(() => hear(server), 20);
    scope.defer(() => clearInterval(speaking));
    await until('frames', () => frames.length > 5);
    server.deaf = true;
    await rig.state(server.port, /^silent/);
    const heard = frames.length;
    await until('more frames', () => frames.length > heard + 50);
    expect(lost.all).toEqual([]);
    server.deaf = false;
  });

  test('is not needed for the end of the call', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const pair = await rig.pair();
    await server.kill();
    expect(pair.close()).toMatchObject({ engine: 'freeswitch' });
    await rig.pool.close();
  });
});

describe('channels', () => {
  test('are gone when the call is', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const pair = await rig.pair();
    await pair.bridge();
    expect(server.bridges).toBe(1);
    pair.close();
    await until('no channel is left', () => server.channels.length === 0);
  });

  test('are gone when the gateway has stopped, and stopping waits for that', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const pairs = await Promise.all([rig.pair(), rig.pair()]);
    for (const pair of pairs) pair.close();
    await rig.pool.close();
    expect(server.channels).toEqual([]);
  });

  test('hang up by themselves when nobody asks for them any more', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    await rig.pair();
    await until('leases', () => server.leased === 2);
  });

  test('that the server hangs up end the call with a reason', async ({ scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const pair = await rig.pair();
    const [channel] = server.channels;
    if (channel) server.hangUp(channel);
    await pair.lostFor.find('the loss', (reason) => /hung up: NORMAL_CLEARING/.test(reason));
  });
});

test('a server that says what cannot be read loses its connection, and gets a new one', async ({ scope }) => {
  const { rig, server } = await rigWithServer(scope);
  server.say('Reply-Text: 100 %\nContent-Type: command/reply\n\n');
  await rig.state(server.port, /^down/);
  await rig.state(server.port, /^up/);
});

test('who connects to the port for channels with rubbish loses the connection, and calls go on', async ({ scope }) => {
  const { rig, server } = await rigWithServer(scope);
  await rig.pair();
  const [host = '', port] = (server.outbound ?? '').split(':');
  for (const rubbish of ['Content-Type: %\n\n', 'x'.repeat(2 ** 21)]) {
    const socket = connect(Number(port), host);
    socket.on('error', () => {});
    socket.write(rubbish);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  await rig.pair();
}, 15_000);
