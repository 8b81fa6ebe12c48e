import { connect } from 'node:net';
import {
  BufferList,
  ChunkReader,
  ChunkWriter,
  decodeMessage,
  encodeMessage,
  type RtmpMessage,
  ServerHandshake,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { test } from '../../support/scope.js';
import { command } from '../../unit/rtmp/client.js';
import { serve } from '../../unit/rtmp/serve.js';
import { bytes, repeat } from './bytes.js';
import { RtmpeClient, type Scheme } from './rtmpe.js';

const SIGNED = 1 + 2 * 1536;

describe.each([0, 1] as const)('RTMPE by scheme %i', (scheme: Scheme) => {
  test.for([1, 1000, 100_000])('a session, written in pieces of %i bytes', async (split, { scope }) => {
    const { port, sessions, events } = await serve(scope);
    const client = new RtmpeClient(scheme);
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    scope.defer(() => socket.destroy());
    const received = new EventLog<RtmpMessage>('RTMPE client');
    const shaken = new EventLog<Uint8Array>('S0, S1 and S2');
    let answer = Buffer.alloc(0);
    let decrypt: ((data: Uint8Array) => Uint8Array) | undefined;
    const input = new BufferList();
    const reader = new ChunkReader(input, { messageSize: 1e6, bytesInFlight: 1e6, chunkStreams: 10 });
    socket.on('data', (data) => {
      if (decrypt === undefined) {
        answer = Buffer.concat([answer, data]);
        if (answer.length === SIGNED) shaken.push(answer);
        return;
      }
      input.push(decrypt(new Uint8Array(data)));
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
        const message = decodeMessage(raw);
        if (message.type === 'setChunkSize') reader.setChunkSize(message.chunkSize);
        received.push(message);
      }
    });
    const write = (data: Uint8Array) => {
      for (let at = 0; at < data.length; at += split) socket.write(data.subarray(at, at + split));
    };
    const c0c1 = client.c0c1();
    write(c0c1);
    const s0s1s2 = await shaken.find('all', () => true);
    expect(s0s1s2[0]).toBe(6);
    const ciphers = client.finish(c0c1, s0s1s2);
    decrypt = ciphers.decrypt;
    const messages = [
      command('connect', 1, [], 0, { app: 'secret' }),
      command('createStream', 2),
      command('publish', 0, ['cam', 'live'], 1),
      { type: 'audio', streamId: 1, timestamp: 40, payload: Uint8Array.of(1, 2, 3) } as const,
    ];
    const parts: Uint8Array[] = [];
    for (const message of messages) new ChunkWriter().write({ ...encodeMessage(message), chunkStreamId: 3 }, parts);
    // C2 is in plain text, and in the same segment as what follows.
    write(bytes(repeat(0xcc, 1536), ciphers.encrypt(Buffer.concat(parts))));
    await events.find('audio', (event) => event === 'audio 40 010203');
    await received.find(
      'the result',
      (message) => message.type === 'command' && message.name === '_result' && message.transactionId === 2,
    );
    expect(events.all).toContain('connect secret');
    expect(sessions[0]?.protocol).toBe('rtmpe');
  });

  const p = RtmpeClient.prime;
  it.each([
    { name: '0', key: 0n },
    { name: '1', key: 1n },
    { name: 'p - 1', key: p - 1n },
    { name: 'p', key: p },
    { name: 'p + 1', key: p + 1n },
    { name: '2^1024 - 1', key: 2n ** 1024n - 1n },
  ])('refuses the public key $name', ({ key }) => {
    const publicKey = Buffer.from(key.toString(16).padStart(256, '0'), 'hex');
    expect(shake(new RtmpeClient(scheme, publicKey).c0c1())).toThrow(
      expect.objectContaining({ code: 'handshake.key' }),
    );
  });

  it.each([
    { name: '2', key: 2n },
    { name: 'p - 2', key: p - 2n },
  ])('takes the public key $name', ({ key }) => {
    const publicKey = Buffer.from(key.toString(16).padStart(256, '0'), 'hex');
    expect(shake(new RtmpeClient(scheme, publicKey).c0c1())).not.toThrow();
  });

  it('refuses a C1 without a digest', () => {
    const c0c1 = new RtmpeClient(scheme).c0c1({ digest: false });
    expect(shake(c0c1)).toThrow(expect.objectContaining({ code: 'handshake.digest' }));
  });

  it('of type 8 is refused at once', () => {
    expect(shake(Uint8Array.of(8))).toThrow(expect.objectContaining({ code: 'handshake.encryption' }));
  });

  it('uses another key each time', () => {
    const c0c1 = new RtmpeClient(scheme).c0c1();
    const [first, second] = [shake(c0c1)(), shake(c0c1)()];
    expect(bytes(...first)).not.toEqual(bytes(...second));
  });
});

function shake(data: Uint8Array): () => readonly Uint8Array[] {
  return () => {
    const input = new BufferList();
    input.push(data);
    return new ServerHandshake(input, (length) => new Uint8Array(length)).advance();
  };
}
