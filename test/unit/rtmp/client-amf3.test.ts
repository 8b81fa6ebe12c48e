import { AmfExternalizable, AmfVector, RtmpClient } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { test } from '../../support/scope.js';
import { listen } from './serve.js';

const VALUES = [
  300_000,
  new Uint8Array([1, 2, 3]),
  new AmfVector(Int32Array.of(1, -2)),
  new AmfExternalizable('flex.messaging.io.ArrayCollection', ['a', 'b']),
];

describe('a client with object encoding 3', () => {
  test.for([3, 0] as const)('at a server that answers with %i', async (answered, { scope }) => {
    const { server, port } = await listen(scope);
    const received: unknown[] = [];
    server.on('connection', (session) => {
      session.on('connect', (request) => {
        expect(request.objectEncoding).toBe(3);
        request.accept({ information: { objectEncoding: answered } });
      });
      session.on('data', ({ encoding, values }) => received.push(encoding, ...values));
      session.on('call', async (call) => {
        call.result(...call.args);
        received.push(...(await session.call('back', ...call.args)));
      });
    });
    const connection = await RtmpClient.connect(`rtmp://127.0.0.1:${port}/x`, { objectEncoding: 3 });
    expect(connection.information.objectEncoding).toBe(answered);
    connection.on('call', (call) => call.result(...call.args));
    expect(await connection.call('echo', ...VALUES)).toEqual(VALUES);
    await expect.poll(() => received).toEqual(VALUES);
    const stream = await connection.createStream();
    for (const session of server.sessions) {
      for (const published of session.streams.values()) {
        published.on('publish', (request) => request.accept());
        published.on('data', ({ encoding }) => received.push(`data in ${encoding}`));
      }
    }
    await stream.publish('x');
    stream.sendData('onMetaData', { width: 1 });
    await expect.poll(() => received.at(-1)).toBe(`data in ${answered}`);
    connection.close();
  });
});
