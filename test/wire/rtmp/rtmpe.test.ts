import { connect } from 'node:net';
import {
  BufferList,
  ChunkWriter,
  encodeMessage,
  type RtmpeType,
  type RtmpMessage,
  ServerHandshake,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { MessageReader } from '../../support/message-reader.js';
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
    const reader = new MessageReader(0);
    socket.on('data', (data) => {
      if (decrypt === undefined) {
        answer = Buffer.concat([answer, data]);
        if (answer.length === SIGNED) shaken.push(answer);
        return;
      }
      for (const message of reader.read(decrypt(new Uint8Array(data)))) received.push(message);
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
    expect(shake(new RtmpeClient(scheme, publicKeyOf(key)).c0c1())).toThrow(
      expect.objectContaining({ code: 'handshake.key' }),
    );
  });

  it.each([
    { name: '2', key: 2n },
    { name: 'p - 2', key: p - 2n },
  ])('takes the public key $name', ({ key }) => {
    expect(shake(new RtmpeClient(scheme, publicKeyOf(key)).c0c1())).not.toThrow();
  });

  it.each([6, 8])('of type %i refuses a C1 without a digest', (type) => {
    const c0c1 = new RtmpeClient(scheme).c0c1({ type, digest: false });
    expect(shake(c0c1)).toThrow(expect.objectContaining({ code: 'handshake.digest' }));
  });

  it('uses another key each time', () => {
    const c0c1 = new RtmpeClient(scheme).c0c1();
    const [first, second] = [shake(c0c1)(), shake(c0c1)()];
    expect(bytes(...first)).not.toEqual(bytes(...second));
  });
});

/** S2 depends on C1 and what the server makes up alone, which is nothing but zeros here; another implementation computed the signatures. */
describe('the signature of S2', () => {
  it.each([
    { type: 6, key: 2n, keys: 'none', signature: '3a0d9add07be0800f28ebbe4d832ee928bd47df699608241d7b105d628fc8b59' },
    {
      type: 8,
      key: 2n,
      keys: '12, 8, 13, 10',
      signature: 'f92cd04f409e0aab9d26d36130f3115c42a4f8294866e6930c08e939f06be419',
    },
    {
      type: 8,
      key: 14n,
      keys: '5, 9, 2, 14',
      signature: '603c23e2589b5a1ea5468c4a677616b9435c9512e231acfb397976475ada7ac6',
    },
    {
      type: 8,
      key: 62n,
      keys: '6, 4, 11, 3',
      signature: '14e419ac9482885a667b07813903e34f39df84df5679fcbf100b8d12ac16da07',
    },
    {
      type: 8,
      key: 22n,
      keys: '0, 5, 7, 1',
      signature: 'b1c7ec15f06c69553f5b3b80c4dcc70bbc03bc0ce02c7628088316ec7d8d1779',
    },
  ])('of type $type, with the XTEA keys $keys', ({ type, key, signature }) => {
    const c0c1 = new RtmpeClient(0, publicKeyOf(key)).c0c1({ type });
    const answer = bytes(...shake(c0c1)());
    expect(answer[0]).toBe(type);
    expect(answer.subarray(-32)).toEqual(bytes(signature));
  });

  it.each([
    { asked: 6, preferred: 8, signature: 'f92cd04f409e0aab9d26d36130f3115c42a4f8294866e6930c08e939f06be419' },
    { asked: 8, preferred: 6, signature: '3a0d9add07be0800f28ebbe4d832ee928bd47df699608241d7b105d628fc8b59' },
  ] as const)('is that of type $preferred, which the server prefers to $asked', ({ asked, preferred, signature }) => {
    const answer = bytes(...shake(new RtmpeClient(0, publicKeyOf(2n)).c0c1({ type: asked }), preferred)());
    expect(answer[0]).toBe(preferred);
    expect(answer.subarray(-32)).toEqual(bytes(signature));
  });

  it('is not asked for by a client without encryption, whatever the server prefers', () => {
    expect(bytes(...shake(bytes('03', repeat(0, 1536)), 8)())[0]).toBe(3);
  });
});

function publicKeyOf(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(256, '0'), 'hex');
}

function shake(data: Uint8Array, rtmpeType?: RtmpeType): () => readonly Uint8Array[] {
  return () => {
    const input = new BufferList();
    input.push(data);
    return new ServerHandshake(input, { rtmpeType, random: (length) => new Uint8Array(length) }).advance();
  };
}
