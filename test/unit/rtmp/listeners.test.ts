import { type RtmpLogEvent, type RtmpSession, TypedEmitter } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { test } from '../../support/scope.js';
import { TestClient } from './client.js';
import { serve } from './serve.js';

describe('a listener that throws', () => {
  const error = new Error('bug');
  const ATTACH: { event: string; attach: (session: RtmpSession) => void }[] = [
    { event: 'call', attach: (session) => session.on('call', () => fail(error)) },
    { event: 'call, in a promise', attach: (session) => session.on('call', async () => fail(error)) },
    { event: 'stream', attach: (session) => session.on('stream', () => fail(error)) },
    {
      event: 'publish',
      attach: (session) => session.on('stream', (stream) => stream.on('publish', () => fail(error))),
    },
    {
      event: 'audio',
      attach: (session) => session.on('stream', (stream) => stream.on('audio', async () => fail(error))),
    },
    {
      event: 'call, with a value that cannot be sent',
      attach: (session) => session.on('call', () => session.push('x', (() => {}) as never)),
    },
  ];

  test.for(ATTACH)('closes that session and no other: $event', async ({ attach }, { scope }) => {
    const log: RtmpLogEvent[] = [];
    const { server, port, events, sessions } = await serve(scope, { logger: (event) => log.push(event) });
    const bystander = await TestClient.connect(scope, port);
    const client = await TestClient.connect(scope, port);
    const [, session] = sessions;
    if (session !== undefined) attach(session);
    client.tell(0, 'createStream');
    client.tell(1, 'publish', 'x');
    client.send({ type: 'audio', streamId: 1, timestamp: 0, payload: Uint8Array.of(0xb2) });
    client.tell(0, 'dial', 'x');
    await client.closed();
    await events.find('the end', (event) => event === 'closed session.listener');
    const closed = log.find((event) => event.event === 'session.closed');
    expect(closed).toMatchObject({ reason: { code: 'session.listener', cause: expect.any(Error) } });
    expect(server.counters['session.listener']).toBe(1);
    await bystander.settled();
  });

  test('of connection closes that session', async ({ scope }) => {
    const { server, port } = await serve(scope);
    server.on('connection', (session) => {
      if (server.sessions.size > 1) throw new Error(`bug with ${session.id}`);
    });
    const bystander = await TestClient.connect(scope, port);
    const client = await TestClient.open(scope, port);
    await client.closed();
    await bystander.settled();
    expect(server.counters['session.listener']).toBe(1);
  });

  test('of close is logged', async ({ scope }) => {
    const log: RtmpLogEvent[] = [];
    const { port, sessions } = await serve(scope, { logger: (event) => log.push(event) });
    const client = await TestClient.connect(scope, port);
    sessions[0]?.on('close', () => fail(error));
    client.socket.end();
    await expect.poll(() => log.at(-1)).toMatchObject({ event: 'session.closed', reason: { code: 'client' } });
    expect(log.at(-2)).toMatchObject({ event: 'refused', code: 'session.listener', cause: error });
  });

  test('as a logger is ignored', async ({ scope }) => {
    const { port } = await serve(scope, { logger: () => fail(error) });
    await TestClient.connect(scope, port);
  });
});

describe('TypedEmitter', () => {
  class Emitter extends TypedEmitter<{ event: [value: number] }> {
    readonly failures: unknown[] = [];

    protected override listenerFailed(error: unknown, event: string, args: readonly unknown[]): void {
      this.failures.push([error, event, ...args]);
    }
  }

  it('calls listeners in order, and says whether there are any', () => {
    const emitter = new Emitter();
    const calls: string[] = [];
    expect(emitter.emit('event', 0)).toBe(false);
    emitter.on('event', (value) => calls.push(`a${value}`));
    emitter.once('event', (value) => calls.push(`b${value}`));
    expect(emitter.emit('event', 1)).toBe(true);
    expect(emitter.emit('event', 2)).toBe(true);
    expect(calls).toEqual(['a1', 'b1', 'a2']);
    expect(emitter.listenerCount('event')).toBe(1);
  });

  it('takes away one listener at a time', () => {
    const emitter = new Emitter();
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    emitter.on('event', listener).on('event', listener).off('event', listener);
    emitter.emit('event', 0);
    emitter.off('event', listener).off('event', listener);
    emitter.emit('event', 0);
    expect(calls).toBe(1);
  });

  it('does not let a listener that changes the listeners disturb the event', () => {
    const emitter = new Emitter();
    const calls: string[] = [];
    const second = () => calls.push('second');
    emitter.on('event', () => {
      emitter.off('event', second);
      emitter.on('event', () => calls.push('late'));
    });
    emitter.on('event', second);
    emitter.emit('event', 0);
    expect(calls).toEqual(['second']);
  });

  it('goes on after a listener that throws or rejects', async () => {
    const emitter = new Emitter();
    const calls: number[] = [];
    emitter.on('event', () => fail('thrown'));
    emitter.on('event', () => Promise.reject('rejected'));
    emitter.on('event', (value) => calls.push(value));
    emitter.emit('event', 7);
    expect(calls).toEqual([7]);
    await expect
      .poll(() => emitter.failures)
      .toEqual([
        ['thrown', 'event', 7],
        ['rejected', 'event', 7],
      ]);
  });
});

function fail(error: unknown): never {
  throw error;
}
