import { connect, createServer } from 'node:net';
import { RtmpClient } from 'rtmp-server-ts';
import { expect } from 'vitest';
import { startLibrtmpServer } from '../../support/librtmp-server.js';
import { type Scope, test } from '../../support/scope.js';

/** It answers with 8 whatever a client asks for that says it is Flash Player 10, and ends when the signature of C2 is not right. */
test.for([6, 8] as const)(
  'librtmp as server takes our client that asks for type %i, and reads its connect',
  async (rtmpeType, { scope }) => {
    const server = await startLibrtmpServer(scope);
    const tap = await tapFirstByte(scope, server.port);
    const connecting = RtmpClient.connect(`rtmpe://127.0.0.1:${tap.port}/live`, { rtmpeType });
    // It does not answer connect, but goes.
    await expect(connecting).rejects.toMatchObject({ code: 'connect.failed' });
    const { stdout } = server.process;
    await stdout.find('the command', (line) => line === 'message 20');
    expect(stdout.all).toContain('shaken true');
    expect(tap.firstByte()).toBe(8);
  },
);

/** Passes everything on, and remembers what the server's answer begins with. */
async function tapFirstByte(scope: Scope, port: number) {
  let first: number | undefined;
  const tap = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      scope.defer(() => socket.destroy());
    }
    server.on('data', (data: Buffer) => {
      first ??= data[0];
    });
    client.pipe(server).pipe(client);
  });
  scope.defer(() => tap.close());
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve));
  return { port: (tap.address() as { port: number }).port, firstByte: () => first };
}
