import { createServer } from 'node:net';
import { BufferList, RtmpClient, ServerHandshake } from 'rtmp-server-ts';
import { expect } from 'vitest';
import { type Scope, test } from '../../support/scope.js';
import { serve } from './serve.js';

const LENGTH = 1536;

test.for([
  { name: 'S1 has no digest', spoil: (answer: Uint8Array) => answer.fill(7, 1, 1 + LENGTH), code: 'handshake.digest' },
  { name: 'one byte of S1 is changed', spoil: flip(1 + 1000), code: 'handshake.digest' },
  { name: 'S2 is not signed', spoil: (answer: Uint8Array) => answer.fill(7, 1 + LENGTH), code: 'handshake.digest' },
  { name: 'one byte of S2 is changed', spoil: flip(1 + LENGTH + 100), code: 'handshake.digest' },
  { name: 'S2 is not signed as type 8', spoil: (answer: Uint8Array) => answer.fill(8, 0, 1), code: 'handshake.digest' },
  { name: 'it answers with type 9', spoil: (answer: Uint8Array) => answer.fill(9, 0, 1), code: 'handshake.version' },
  {
    name: 'it answers without encryption',
    spoil: (answer: Uint8Array) => answer.fill(3, 0, 1),
    code: 'handshake.version',
  },
])('an RTMPE server is not believed when $name', async ({ spoil, code }, { scope }) => {
  const port = await spoiltServer(scope, spoil);
  await expect(RtmpClient.connect(`rtmpe://127.0.0.1:${port}/x`)).rejects.toMatchObject({ code });
});

test.for([
  { asked: 6, preferred: undefined },
  { asked: 8, preferred: undefined },
  { asked: 6, preferred: 8 },
  { asked: 8, preferred: 6 },
] as const)(
  'a client that asks for RTMPE type $asked follows a server that prefers $preferred',
  async ({ asked, preferred }, { scope }) => {
    const { port, server } = await serve(scope, preferred === undefined ? {} : { rtmpeType: preferred });
    server.on('connection', (session) => session.on('call', (call) => call.result(...call.args)));
    for (const scheme of ['rtmpe', 'rtmpte'] as const) {
      const connection = await RtmpClient.connect(`${scheme}://127.0.0.1:${port}/x`, { rtmpeType: asked });
      scope.defer(() => connection.close());
      expect(connection.protocol).toBe(scheme);
      expect(await connection.call('echo', 'in secret')).toEqual(['in secret']);
    }
  },
);

/** Answers as our server does, with something changed. */
function spoiltServer(scope: Scope, spoil: (answer: Uint8Array) => unknown): Promise<number> {
  const server = createServer((socket) => {
    scope.defer(() => socket.destroy());
    socket.on('error', () => {});
    const input = new BufferList();
    const handshake = new ServerHandshake(input);
    socket.on('data', (data) => {
      input.push(new Uint8Array(data));
      const answer = Buffer.concat(handshake.advance());
      spoil(answer);
      socket.write(answer);
    });
  });
  scope.defer(() => server.close());
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
}

function flip(position: number) {
  return (answer: Uint8Array): void => {
    answer[position] = (answer[position] ?? 0) ^ 1;
  };
}
