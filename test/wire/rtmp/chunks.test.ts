import fc from 'fast-check';
import {
  BufferList,
  ChunkReader,
  type ChunkReaderLimits,
  ChunkWriter,
  type RawMessage,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { bytes, counting, repeat } from './bytes.js';

const LIMITS: ChunkReaderLimits = { messageSize: 4096, bytesInFlight: 8192, chunkStreams: 16 };
const LARGE: ChunkReaderLimits = { messageSize: 100_000, bytesInFlight: 200_000, chunkStreams: 16 };

interface Row {
  name: string;
  bytes: Uint8Array;
  messages: RawMessage[];
}

function message(chunkStreamId: number, timestamp: number, payload: Uint8Array, typeId = 8, streamId = 1): RawMessage {
  return { chunkStreamId, timestamp, typeId, streamId, payload };
}

const AB = bytes('aabb');
const LONG = counting(300);

/** Each is read as the messages, and written from them. Sections are those of the RTMP specification. */
const CANONICAL: Row[] = [
  {
    name: 'type 0 (5.3.1.2.1), message stream id little-endian',
    bytes: bytes('04', '000010', '000002', '08', '01020304', AB),
    messages: [message(4, 16, AB, 8, 0x04030201)],
  },
  {
    name: 'type 1 (5.3.1.2.2): same stream, other length and type',
    bytes: bytes('04 000010 000002 08 01000000', AB, '44 000014 000001 09', 'cc'),
    messages: [message(4, 16, AB), message(4, 36, bytes('cc'), 9)],
  },
  {
    name: 'type 2 (5.3.1.2.3) and type 3 (5.3.1.2.4): the delta, then not even that',
    bytes: bytes('04 000010 000002 08 01000000', AB, '84 000014', AB, 'c4', AB, 'c4', AB),
    messages: [message(4, 16, AB), message(4, 36, AB), message(4, 56, AB), message(4, 76, AB)],
  },
  {
    name: 'type 3 after a type 0 with timestamp 0',
    bytes: bytes('03 000000 000002 14 00000000', AB, 'c3', AB),
    messages: [message(3, 0, AB, 20, 0), message(3, 0, AB, 20, 0)],
  },
  {
    name: 'type 0 again for a timestamp that goes back',
    bytes: bytes('04 000010 000002 08 01000000', AB, '04 00000f 000002 08 01000000', AB),
    messages: [message(4, 16, AB), message(4, 15, AB)],
  },
  {
    name: 'type 0 again for another message stream',
    bytes: bytes('04 000010 000002 08 01000000', AB, '04 000010 000002 08 02000000', AB),
    messages: [message(4, 16, AB), message(4, 16, AB, 8, 2)],
  },
  {
    name: 'chunk stream id 63, the largest in one byte (5.3.1.1)',
    bytes: bytes('3f 000000 000002 08 01000000', AB),
    messages: [message(63, 0, AB)],
  },
  {
    name: 'chunk stream id 64, the smallest in two bytes',
    bytes: bytes('00 00 000000 000002 08 01000000', AB),
    messages: [message(64, 0, AB)],
  },
  {
    name: 'chunk stream id 319, the largest in two bytes',
    bytes: bytes('00 ff 000000 000002 08 01000000', AB, '80 ff 000001', AB),
    messages: [message(319, 0, AB), message(319, 1, AB)],
  },
  {
    name: 'chunk stream id 320, the smallest written in three bytes, low byte first',
    bytes: bytes('01 0001 000000 000002 08 01000000', AB),
    messages: [message(320, 0, AB)],
  },
  {
    name: 'chunk stream id 65599, the largest',
    bytes: bytes('01 ffff 000000 000002 08 01000000', AB, 'c1 ffff', AB),
    messages: [message(65_599, 0, AB), message(65_599, 0, AB)],
  },
  {
    name: 'a message in three chunks of 128 bytes',
    bytes: bytes(
      '05 000000 00012c 09 01000000',
      LONG.subarray(0, 128),
      'c5',
      LONG.subarray(128, 256),
      'c5',
      LONG.subarray(256),
    ),
    messages: [message(5, 0, LONG, 9)],
  },
  {
    name: 'a message of exactly one chunk',
    bytes: bytes('05 000000 000080 09 01000000', repeat(7, 128)),
    messages: [message(5, 0, repeat(7, 128), 9)],
  },
  {
    name: 'an empty message',
    bytes: bytes('04 000000 000000 08 01000000', '84 000005'),
    messages: [message(4, 0, bytes()), message(4, 5, bytes())],
  },
  {
    name: 'timestamp 0xFFFFFE, the last without extension',
    bytes: bytes('04 fffffe 000002 08 01000000', AB),
    messages: [message(4, 0xfffffe, AB)],
  },
  {
    name: 'timestamp 0xFFFFFF, the first with extension (5.3.1.3)',
    bytes: bytes('04 ffffff 000002 08 01000000 00ffffff', AB),
    messages: [message(4, 0xffffff, AB)],
  },
  {
    name: 'extended timestamp on type 3 chunks of the message too, and none after a small delta',
    bytes: bytes(
      '04 ffffff 00012c 08 01000000 01000000',
      LONG.subarray(0, 128),
      'c4 01000000',
      LONG.subarray(128, 256),
      'c4 01000000',
      LONG.subarray(256),
      '84 000014',
      LONG.subarray(0, 128),
      'c4',
      LONG.subarray(128, 256),
      'c4',
      LONG.subarray(256),
    ),
    messages: [message(4, 0x1000000, LONG), message(4, 0x1000014, LONG)],
  },
  {
    name: 'timestamp beyond 2^32: the delta goes over the edge',
    bytes: bytes('04 ffffff 000002 08 01000000 fffffff6', AB, '84 000014', AB, 'c4', AB),
    messages: [message(4, 0xfffffff6, AB), message(4, 10, AB), message(4, 30, AB)],
  },
];

/** Allowed or seen in the wild, but never written by the writer. */
const READ_ONLY: Row[] = [
  {
    name: 'chunk stream id 64 in three bytes',
    bytes: bytes('01 0000 000000 000002 08 01000000', AB),
    messages: [message(64, 0, AB)],
  },
  {
    name: 'type 3 after type 0: its timestamp is the delta (5.3.1.2.4)',
    bytes: bytes('04 000010 000002 08 01000000', AB, 'c4', AB),
    messages: [message(4, 16, AB), message(4, 32, AB)],
  },
  {
    name: 'extended delta in a type 1 and a type 2 header',
    bytes: bytes('04 000001 000002 08 01000000', AB, '44 ffffff 000002 08 01000000', AB, '84 ffffff 00ffffff', AB),
    messages: [message(4, 1, AB), message(4, 0x1000001, AB), message(4, 0x2000000, AB)],
  },
  {
    name: 'type 3 message with the extended delta repeated, and without',
    bytes: bytes('04 000000 000002 08 01000000', AB, '84 ffffff 01000000', AB, 'c4 01000000', AB, 'c4', AB),
    messages: [message(4, 0, AB), message(4, 0x1000000, AB), message(4, 0x2000000, AB), message(4, 0x3000000, AB)],
  },
  {
    name: 'type 3 chunks without the extended timestamp: old FFmpeg and librtmp',
    bytes: bytes(
      '04 ffffff 00012c 08 01000000 01000000',
      LONG.subarray(0, 128),
      'c4',
      LONG.subarray(128, 256),
      'c4',
      LONG.subarray(256),
    ),
    messages: [message(4, 0x1000000, LONG)],
  },
  {
    name: 'type 3 chunks with the timestamp where the header had a delta',
    bytes: bytes(
      '04 000001 000002 08 01000000',
      AB,
      '44 ffffff 00012c 08 01000000',
      LONG.subarray(0, 128),
      'c4 01000001',
      LONG.subarray(128, 256),
      'c4 01000001',
      LONG.subarray(256),
    ),
    messages: [message(4, 1, AB), message(4, 0x1000001, LONG)],
  },
  {
    name: 'one byte left in a type 3 chunk without the extended timestamp',
    bytes: bytes('04 ffffff 000081 08 01000000 01000000', counting(128), 'c4', '77'),
    messages: [message(4, 0x1000000, bytes(counting(128), '77'))],
  },
  {
    name: 'messages of two chunk streams, their chunks in turn',
    bytes: bytes(
      '05 000000 000100 09 01000000',
      LONG.subarray(0, 128),
      '04 000000 000002 08 01000000',
      AB,
      'c5',
      LONG.subarray(128, 256),
    ),
    messages: [message(4, 0, AB), message(5, 0, LONG.subarray(0, 256), 9)],
  },
  {
    name: 'librtmp, which opens chunk stream 2 with a type 1 header',
    bytes: bytes('42 000000 000006 04 0007 00000001'),
    messages: [message(2, 0, bytes('0007 00000001'), 4, 0)],
  },
];

const WRONG: { name: string; bytes: Uint8Array; code: string }[] = [
  {
    name: 'type 1 on a chunk stream never used',
    bytes: bytes('44 000000 000002 08', AB),
    code: 'chunk.unknown-stream',
  },
  { name: 'type 2 on a chunk stream never used', bytes: bytes('82 000000'), code: 'chunk.unknown-stream' },
  { name: 'type 3 on a chunk stream never used', bytes: bytes('c2'), code: 'chunk.unknown-stream' },
  {
    name: 'a message of 16 MB, at its header',
    bytes: bytes('04 000000 ffffff 08 01000000'),
    code: 'chunk.message-size',
  },
  { name: 'a message of one byte too many', bytes: bytes('04 000000 001001 08 01000000'), code: 'chunk.message-size' },
  {
    name: 'a new message on a chunk stream where one is incomplete',
    bytes: bytes('04 000000 000100 08 01000000', repeat(0, 128), '04 000000 000002 08 01000000'),
    code: 'chunk.interrupted',
  },
  {
    name: 'three incomplete messages of 4096 bytes',
    bytes: bytes(...[4, 5, 6].map((id) => bytes(Uint8Array.of(id), '000000 001000 08 01000000', repeat(0, 128)))),
    code: 'chunk.bytes-in-flight',
  },
  {
    name: 'a seventeenth chunk stream',
    bytes: bytes(...Array.from({ length: 17 }, (_, id) => bytes(Uint8Array.of(id + 2), '000000 000000 08 01000000'))),
    code: 'chunk.streams',
  },
];

describe('chunk reader', () => {
  it.each([...CANONICAL, ...READ_ONLY])('reads $name', ({ bytes: input, messages }) => {
    expect(readAll([input])).toEqual(messages);
  });

  it.each([...CANONICAL, ...READ_ONLY])('reads $name, split at every byte', ({ bytes: input, messages }) => {
    for (let split = 1; split < input.length; split += 1) {
      expect(readAll([input.slice(0, split), input.slice(split)]), `split at ${split}`).toEqual(messages);
    }
    expect(readAll([...input].map((byte) => Uint8Array.of(byte)))).toEqual(messages);
  });

  it.each(WRONG)('refuses $name', ({ bytes: input, code }) => {
    expect(() => readAll([input])).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
    expect(() => readAll([...input].map((byte) => Uint8Array.of(byte)))).toThrow(expect.objectContaining({ code }));
  });

  it('takes messages of the greatest size and as many bytes in flight as allowed', () => {
    const greatest = [4, 5].map((id) => bytes(Uint8Array.of(id), '000000 001000 08 01000000', repeat(0, 128)));
    expect(() => readAll(greatest)).not.toThrow();
  });

  it('delivers a message that lies in one chunk and one read without copying it', () => {
    const input = bytes('04 000000 000002 08 01000000', AB);
    expect(readAll([input])[0]?.payload.buffer).toBe(input.buffer);
  });

  it('goes on with the new chunk size in the middle of a message', () => {
    const { input, reader } = newReader();
    input.push(bytes('05 000000 00012c 09 01000000', LONG.subarray(0, 128)));
    expect(reader.next()).toBeUndefined();
    reader.setChunkSize(172);
    input.push(bytes('c5', LONG.subarray(128)));
    expect(reader.next()?.payload).toEqual(LONG);
  });

  it.each([0, 0x80000000, 0xffffffff])('refuses chunk size %i', (size) => {
    expect(() => newReader().reader.setChunkSize(size)).toThrow(expect.objectContaining({ code: 'chunk.size' }));
  });

  it('takes chunk sizes from 1 to 2^31 - 1', () => {
    const { input, reader } = newReader();
    reader.setChunkSize(1);
    input.push(bytes('04 000000 000003 08 01000000 aa c4 bb c4 cc'));
    expect(reader.next()?.payload).toEqual(bytes('aabbcc'));
    reader.setChunkSize(0x7fffffff);
    input.push(bytes('04 000000 00012c 08 01000000', LONG));
    expect(reader.next()?.payload).toEqual(LONG);
  });

  it('forgets an aborted message, gives its bytes back and reads the next on the same chunk stream', () => {
    const { input, reader } = newReader();
    for (let round = 0; round < 10; round += 1) {
      input.push(bytes('04 000000 001000 08 01000000', repeat(0, 128)));
      expect(reader.next()).toBeUndefined();
      reader.abort(4);
    }
    input.push(bytes('04 000007 000002 08 01000000', AB));
    expect(reader.next()).toEqual(message(4, 7, AB));
  });

  it('ignores an abort where nothing is in progress', () => {
    const { input, reader } = newReader();
    reader.abort(99);
    input.push(bytes('04 000007 000002 08 01000000', AB));
    expect(reader.next()).toEqual(message(4, 7, AB));
    reader.abort(4);
    input.push(bytes('c4', AB));
    expect(reader.next()).toEqual(message(4, 14, AB));
  });
});

describe('chunk writer', () => {
  it.each(CANONICAL)('writes $name', ({ bytes: output, messages }) => {
    expect(writeAll(messages)).toEqual(output);
  });

  it('says how many bytes it wrote, and leaves payloads where they are', () => {
    const output: Uint8Array[] = [];
    expect(new ChunkWriter().write(message(5, 0, LONG), output)).toBe(12 + 300 + 2);
    expect(output.filter((part) => part.buffer === LONG.buffer)).toHaveLength(3);
  });

  it.each([0, 1, 512])('writes a message of %i bytes in one piece with its header', (length) => {
    const output: Uint8Array[] = [];
    const writer = new ChunkWriter();
    writer.setChunkSize(4_096);
    expect(writer.write(message(5, 0, repeat(7, length)), output)).toBe(12 + length);
    expect(output.map((part) => part.length)).toEqual([12 + length]);
  });

  it('uses type 2 where receivers disagree on what a type 3 would say', () => {
    expect(writeAll([message(4, 16, AB), message(4, 32, AB)])).toEqual(
      bytes('04 000010 000002 08 01000000', AB, '84 000010', AB),
    );
  });

  it.each([0, 0x1000000])('refuses chunk size %i', (size) => {
    expect(() => new ChunkWriter().setChunkSize(size)).toThrow(RtmpError);
  });

  it('refuses a payload that its length field cannot say', () => {
    expect(() => new ChunkWriter().write(message(4, 0, new Uint8Array(0x1000000)), [])).toThrow(
      expect.objectContaining({ code: 'chunk.message-size' }),
    );
  });

  it('puts a message into chunks for one reader as for the next, whatever each has read before', () => {
    const payloads = [1, 100, 300, 5_000].map((length) => counting(length));
    const anyStep = fc.record({
      writer: fc.integer({ min: 0, max: 3 }),
      timestamp: fc.constantFrom(0, 20, 40, 0xffffff, 0x1000013),
      typeId: fc.constantFrom(8, 9),
      streamId: fc.constantFrom(1, 2),
      chunkStreamId: fc.constantFrom(4, 5),
      payload: fc.constantFrom(...payloads),
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const readers = [128, 128, 4096, 4096].map((chunkSize) => {
          const writer = new ChunkWriter();
          writer.setChunkSize(chunkSize);
          return { chunkSize, writer, output: [] as Uint8Array[], messages: [] as RawMessage[] };
        });
        for (const { writer: index, ...next } of steps) {
          const reader = readers[index];
          const parts: Uint8Array[] = [];
          expect(reader?.writer.write(next, parts)).toBe(Buffer.concat(parts).length);
          reader?.output.push(...parts);
          reader?.messages.push(next);
        }
        for (const { output, messages, chunkSize } of readers) {
          const read = readAll([new Uint8Array(Buffer.concat(output))], chunkSize, LARGE);
          expect(read.map(asText)).toEqual(messages.map(asText));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is read back as it was written, whatever the messages, chunk sizes and reads', () => {
    const anyMessage = fc.record({
      chunkStreamId: fc.constantFrom(2, 3, 4, 63, 64, 319, 320, 65_599),
      timestamp: fc.oneof(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0xfffff0, max: 0x100000f }),
        fc.integer({ min: 0, max: 0xffffffff }),
      ),
      typeId: fc.integer({ min: 0, max: 255 }),
      streamId: fc.constantFrom(0, 1, 0xffffffff),
      payload: fc.uint8Array({ maxLength: 600 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 20 }),
        fc.constantFrom(1, 7, 128, 4096),
        fc.integer({ min: 1, max: 500 }),
        (messages, chunkSize, readSize) => {
          expect(readAll(pieces(writeAll(messages, chunkSize), readSize), chunkSize)).toEqual(messages);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function newReader(limits = LIMITS) {
  const input = new BufferList();
  return { input, reader: new ChunkReader(input, limits) };
}

function readAll(buffers: Uint8Array[], chunkSize = 128, limits = LIMITS): RawMessage[] {
  const { input, reader } = newReader(limits);
  reader.setChunkSize(chunkSize);
  const messages: RawMessage[] = [];
  for (const buffer of buffers) {
    input.push(buffer);
    for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next);
  }
  return messages;
}

function writeAll(messages: RawMessage[], chunkSize = 128): Uint8Array {
  const writer = new ChunkWriter();
  writer.setChunkSize(chunkSize);
  const output: Uint8Array[] = [];
  for (const next of messages) writer.write(next, output);
  return bytes(...output);
}

function asText({ payload, ...header }: RawMessage): string {
  return `${Object.entries(header).sort()} ${Buffer.from(payload).toString('latin1')}`;
}

function pieces(whole: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.slice(index * size, (index + 1) * size),
  );
}
