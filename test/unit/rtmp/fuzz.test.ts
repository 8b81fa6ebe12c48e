import {
  BufferList,
  ChunkReader,
  ChunkWriter,
  decodeMessage,
  encodeMessage,
  RtmpClient,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { test } from '../../support/scope.js';
import { bytes, counting, text } from '../../wire/rtmp/bytes.js';
import { command, handshake, TestClient } from './client.js';
import { MemoryTransport } from './memory-transport.js';
import { chunked, result, serverHandshake, status } from './scripted-server.js';
import { serve } from './serve.js';

const MILLISECONDS = 1_500;
const LIMITS = { messageSize: 10_000, bytesInFlight: 20_000, chunkStreams: 16 };

/** Valid traffic to spoil: every header form and most messages. */
const SEED = traffic();

describe('spoilt traffic', () => {
  it('never makes the chunk reader or a message decoder throw anything but an RtmpError', () => {
    const random = randomNumbers(20_260_801);
    const codes = new Set<string>();
    const end = performance.now() + MILLISECONDS;
    let messages = 0;
    for (let inputs = 0; performance.now() < end || inputs < 500; inputs += 1) {
      const result = readAll(spoil(SEED, random), random);
      messages += result.messages;
      if (result.code !== undefined) codes.add(result.code);
    }
    expect(messages).toBeGreaterThan(1_000);
    // The fuzzing reaches the depths of the parsers.
    expect([...codes]).toEqual(
      expect.arrayContaining(['chunk.message-size', 'chunk.unknown-stream', 'amf.marker', 'message.truncated']),
    );
  });

  test('ends at worst the session that sent it', async ({ scope }) => {
    const random = randomNumbers(7);
    const { server, port } = await serve(scope);
    const bystander = await TestClient.connect(scope, port);
    for (let round = 0; round < 60; round += 1) {
      const client = new TestClient(scope, port);
      const connect: Uint8Array[] = [];
      new ChunkWriter().write({ ...encodeMessage(command('connect', 1)), chunkStreamId: 3 }, connect);
      client.write(bytes(handshake(), ...connect, spoil(SEED, random)));
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
    const session = bytes(chunked(result(1, { code: 'yes' }), command('ring', 0, ['a']), status(1, 'x')), SEED);
    const codes = new Set<string>();
    for (let round = 0; round < 400; round += 1) codes.add(await receive(spoil(session, random), random));
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

function traffic(): Uint8Array {
  const writer = new ChunkWriter();
  const output: Uint8Array[] = [];
  const properties = { app: 'x', n: 1, list: [1, 'two', null, { deep: [true] }], date: new Date(0) };
  const origin = { streamId: 1, timestamp: 0xfffff0 };
  const messages = [
    { chunkStreamId: 3, message: command('createStream', 2, ['x', properties]) },
    {
      chunkStreamId: 2,
      message: { type: 'userControl', event: 'setBufferLength', eventStreamId: 1, bufferLength: 3000 },
    },
    { chunkStreamId: 2, message: { type: 'windowAcknowledgementSize', size: 5_000 } },
    { chunkStreamId: 4, message: { type: 'audio', ...origin, payload: counting(70) } },
    { chunkStreamId: 4, message: { type: 'audio', ...origin, timestamp: 0x1000004, payload: counting(70) } },
    { chunkStreamId: 4, message: { type: 'audio', ...origin, timestamp: 0x1000018, payload: counting(70) } },
    { chunkStreamId: 70, message: { type: 'video', ...origin, timestamp: 0x2000000, payload: counting(400) } },
    { chunkStreamId: 400, message: { type: 'data', encoding: 3, ...origin, name: 'onMetaData', values: [properties] } },
    {
      chunkStreamId: 5,
      message: { type: 'aggregate', ...origin, parts: [{ typeId: 8, ...origin, payload: text('abc') }] },
    },
  ] as const;
  for (const { chunkStreamId, message } of messages) writer.write({ ...encodeMessage(message), chunkStreamId }, output);
  return bytes(...output);
}

/** Some bytes changed, cut out, repeated, or cut off. */
function spoil(input: Uint8Array, random: (below: number) => number): Uint8Array {
  let output = [...input];
  for (let count = 1 + random(6); count > 0; count -= 1) {
    const at = random(output.length);
    const length = random(20);
    switch (random(5)) {
      case 0:
        output[at] = random(256);
        break;
      case 1:
        output[at] = [0, 1, 3, 0x7f, 0x80, 0xff][random(6)] ?? 0;
        break;
      case 2:
        output.splice(at, length);
        break;
      case 3:
        output.splice(at, 0, ...output.slice(random(output.length)).slice(0, length));
        break;
      default:
        if (random(4) === 0) output = output.slice(0, at + 1);
    }
  }
  return Uint8Array.from(output);
}

function readAll(wire: Uint8Array, random: (below: number) => number): { messages: number; code?: string } {
  const input = new BufferList();
  const reader = new ChunkReader(input, LIMITS);
  let messages = 0;
  try {
    for (let offset = 0; offset < wire.length; ) {
      const size = 1 + random(300);
      input.push(wire.slice(offset, offset + size));
      offset += size;
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
        messages += 1;
        const message = decodeMessage(raw);
        if (message.type === 'setChunkSize') reader.setChunkSize(message.chunkSize);
      }
    }
    return { messages };
  } catch (error) {
    if (!(error instanceof RtmpError)) throw error;
    return { messages, code: error.code };
  }
}

/** xorshift32: the same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
