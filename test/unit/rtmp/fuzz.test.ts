import { ChunkWriter, encodeMessage, RtmpClient, RtmpError } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { foundInputs } from '../../support/rtmp-fuzz/found.js';
import { Fuzzer } from '../../support/rtmp-fuzz/fuzzer.js';
import { randomNumbers } from '../../support/rtmp-fuzz/random.js';
import { traffic } from '../../support/rtmp-fuzz/seeds.js';
import { spoil } from '../../support/rtmp-fuzz/spoil.js';
import { FUZZ_TARGETS } from '../../support/rtmp-fuzz/targets.js';
import { test } from '../../support/scope.js';
import { bytes } from '../../wire/rtmp/bytes.js';
import { command, handshake, TestClient } from './client.js';
import { MemoryTransport } from './memory-transport.js';
import { chunked, result, serverHandshake, status } from './scripted-server.js';
import { serve } from './serve.js';

/** Codes that show that the fuzzing reaches the depths of the parsers. */
const REACHED: Readonly<Record<string, readonly string[]>> = {
  AMF0: ['ok', 'amf.marker', 'amf.truncated', 'amf.reference'],
  AMF3: ['ok', 'amf.marker', 'amf.truncated', 'amf.reference', 'amf.unsupported', 'amf.depth'],
  messages: ['ok', 'message.truncated', 'message.command', 'message.aggregate', 'amf.marker'],
  'FLV tags': ['ok', 'flv.truncated', 'flv.header'],
  'chunk stream': ['ok', 'chunk.message-size', 'chunk.unknown-stream', 'amf.marker', 'message.truncated'],
  handshake: ['ok', 'handshake.digest'],
  tunnel: ['ok'],
};

/** Milliseconds for what takes three seconds on an idle machine: it computes all the time. */
const patience = 90_000;

/** `test/load/fuzz.ts` does the same with millions of inputs. */
describe('spoilt input', () => {
  it.each(FUZZ_TARGETS)(
    'never makes $name throw anything but an RtmpError',
    async (target) => {
      const fuzzer = new Fuzzer(target, 20_260_801);
      await fuzzer.run(Math.max(150, 15 * target.share));
      expect([...fuzzer.outcomes.keys()]).toEqual(expect.arrayContaining([...(REACHED[target.name] ?? [])]));
    },
    patience,
  );

  it.each(FUZZ_TARGETS)(
    'that was found before is stood again, and spoilt further: $name',
    async (target) => {
      const seeds = foundInputs(target.name);
      expect(seeds.length).toBeGreaterThan(0);
      const random = randomNumbers(1);
      for (const input of seeds) {
        try {
          expect(typeof target.feed(input, random)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }
      await new Fuzzer({ ...target, seeds }, 20_261_121).run(Math.max(50, 5 * target.share));
    },
    patience,
  );

  test('ends at worst the session that sent it', async ({ scope }) => {
    const random = randomNumbers(7);
    const messages = traffic();
    const { server, port } = await serve(scope);
    const bystander = await TestClient.connect(scope, port);
    for (let round = 0; round < 60; round += 1) {
      const client = new TestClient(scope, port);
      const connect: Uint8Array[] = [];
      new ChunkWriter().write({ ...encodeMessage(command('connect', 1)), chunkStreamId: 3 }, connect);
      client.write(bytes(handshake(), ...connect, spoil(messages, messages, random)));
      client.socket.end();
      await client.closed();
    }
    await bystander.settled();
    await expect.poll(() => server.sessions.size).toBe(1);
    expect(server.counters['session.internal']).toBe(0);
    expect(server.counters['session.listener']).toBe(0);
  });

  it('ends at worst the connection of the client that received it, with a code', async () => {
    const random = randomNumbers(11);
    const session = bytes(chunked(result(1, { code: 'yes' }), command('ring', 0, ['a']), status(1, 'x')), traffic());
    const codes = new Set<string>();
    for (let round = 0; round < 400; round += 1) codes.add(await receive(spoil(session, session, random), random));
    expect([...codes]).toEqual(expect.arrayContaining(['server', 'chunk.unknown-stream', 'amf.marker']));
    expect(codes).not.toContain('session.internal');
  });
});

/** @returns with what code a client ends that receives this after the handshake */
async function receive(wire: Uint8Array, random: (below: number) => number): Promise<string> {
  const transport = new MemoryTransport();
  const ended = RtmpClient.connect('rtmp://127.0.0.1/x', { transport: () => transport }).then(
    (connection) => new Promise<string>((resolve) => connection.on('close', ({ code }) => resolve(code))),
    (error) => (error instanceof RtmpError ? error.code : 'session.internal'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  transport.receive(serverHandshake());
  for (let offset = 0; offset < wire.length; ) {
    const size = 1 + random(300);
    transport.receive(wire.subarray(offset, offset + size));
    offset += size;
  }
  transport.end();
  return await ended;
}
