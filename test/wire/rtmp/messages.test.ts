import fc from 'fast-check';
import {
  BufferList,
  ChunkReader,
  ChunkWriter,
  DEFAULT_AMF_LIMITS,
  decodeMessage,
  encodeMessage,
  MessageType,
  RtmpError,
  type RtmpMessage,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { anyAmf0Value, anyAmf3Value } from './amf-values.js';
import { bytes, counting, repeat, text } from './bytes.js';

interface Row {
  name: string;
  typeId: number;
  bytes: Uint8Array;
  /** Media, data and commands are on message stream 1 at 40 ms. */
  value: RtmpMessage;
}

const ORIGIN = { streamId: 1, timestamp: 40 };
const COMMAND = { type: 'command', ...ORIGIN, commandObject: null } as const;
const DATA = { type: 'data', ...ORIGIN } as const;

/** Sections are those of the RTMP specification. */
const CANONICAL: Row[] = [
  {
    name: 'Set Chunk Size (5.4.1)',
    typeId: 1,
    bytes: bytes('00001000'),
    value: { type: 'setChunkSize', chunkSize: 4096 },
  },
  { name: 'Abort (5.4.2)', typeId: 2, bytes: bytes('0001003f'), value: { type: 'abort', chunkStreamId: 65_599 } },
  {
    name: 'Acknowledgement (5.4.3)',
    typeId: 3,
    bytes: bytes('ffffffff'),
    value: { type: 'acknowledgement', sequenceNumber: 0xffffffff },
  },
  {
    name: 'Window Acknowledgement Size (5.4.4)',
    typeId: 5,
    bytes: bytes('002625a0'),
    value: { type: 'windowAcknowledgementSize', size: 2_500_000 },
  },
  {
    name: 'Set Peer Bandwidth (5.4.5)',
    typeId: 6,
    bytes: bytes('002625a0 02'),
    value: { type: 'setPeerBandwidth', size: 2_500_000, limitType: 2 },
  },
  ...(
    [
      ['streamBegin', '0000'],
      ['streamEof', '0001'],
      ['streamDry', '0002'],
      ['streamIsRecorded', '0004'],
      ['bufferEmpty', '001f'],
      ['bufferReady', '0020'],
    ] as const
  ).map(
    ([event, code]): Row => ({
      name: `user control ${event} (7.1.7)`,
      typeId: 4,
      bytes: bytes(code, '00000001'),
      value: { type: 'userControl', event, eventStreamId: 1 },
    }),
  ),
  {
    name: 'user control setBufferLength',
    typeId: 4,
    bytes: bytes('0003 00000001 00000bb8'),
    value: { type: 'userControl', event: 'setBufferLength', eventStreamId: 1, bufferLength: 3000 },
  },
  {
    name: 'user control pingRequest',
    typeId: 4,
    bytes: bytes('0006 fffffff0'),
    value: { type: 'userControl', event: 'pingRequest', pingTimestamp: 0xfffffff0 },
  },
  {
    name: 'user control pingResponse',
    typeId: 4,
    bytes: bytes('0007 00000010'),
    value: { type: 'userControl', event: 'pingResponse', pingTimestamp: 16 },
  },
  {
    name: 'user control of an unknown type: SWF verification',
    typeId: 4,
    bytes: bytes('001b 0102'),
    value: { type: 'userControl', event: 'unknown', eventType: 27, eventData: bytes('0102') },
  },
  {
    name: 'audio (7.1.4)',
    typeId: 8,
    bytes: bytes('b2 36 9d'),
    value: { type: 'audio', ...ORIGIN, payload: bytes('b2369d') },
  },
  { name: 'empty audio', typeId: 8, bytes: bytes(), value: { type: 'audio', ...ORIGIN, payload: bytes() } },
  {
    name: 'video (7.1.5)',
    typeId: 9,
    bytes: bytes('17 01 00'),
    value: { type: 'video', ...ORIGIN, payload: bytes('170100') },
  },
  {
    name: 'data in AMF0 (7.1.2)',
    typeId: 18,
    bytes: bytes('02 0011', text('|RtmpSampleAccess'), '01 01 01 01'),
    value: { ...DATA, encoding: 0, name: '|RtmpSampleAccess', values: [true, true] },
  },
  {
    name: 'data in its AMF3 form, an object in AMF3',
    typeId: 15,
    bytes: bytes('00 02 0001 78 11 0a 0b 01 03 61 04 05 01'),
    value: { ...DATA, encoding: 3, name: 'x', values: [{ a: 5 }] },
  },
  {
    name: 'data in its AMF3 form',
    typeId: 15,
    bytes: bytes('00 02 0001', text('x'), '05'),
    value: { ...DATA, encoding: 3, name: 'x', values: [null] },
  },
  {
    name: 'command in AMF0 (7.1.1)',
    typeId: 20,
    bytes: bytes('02 0007', text('publish'), '00 0000000000000000 05 02 0005', text('dummy'), '02 0004', text('live')),
    value: { ...COMMAND, encoding: 0, name: 'publish', transactionId: 0, args: ['dummy', 'live'] },
  },
  {
    name: 'command in its AMF3 form, scalars in AMF0 and everything else in AMF3',
    typeId: 17,
    bytes: bytes(
      '00 02 0001 78 00 0000000000000000 05',
      '02 0001 61 00 3ff0000000000000 01 01',
      '11 09 03 01 06 03 61',
    ),
    value: { ...COMMAND, encoding: 3, name: 'x', transactionId: 0, args: ['a', 1, true, ['a']] },
  },
  {
    name: 'command in its AMF3 form',
    typeId: 17,
    bytes: bytes('00 02 000c', text('createStream'), '00 4010000000000000 05'),
    value: { ...COMMAND, encoding: 3, name: 'createStream', transactionId: 4, args: [] },
  },
  {
    name: 'command with a command object',
    typeId: 20,
    bytes: bytes(
      '02 0007',
      text('connect'),
      '00 3ff0000000000000 03 0003',
      text('app'),
      '02 0003',
      text('sip'),
      '0000 09',
    ),
    value: { ...COMMAND, encoding: 0, name: 'connect', transactionId: 1, commandObject: { app: 'sip' }, args: [] },
  },
  {
    name: 'aggregate (7.1.6)',
    typeId: 22,
    bytes: bytes(
      '08 000002 000028 00 000001 b2aa 0000000d',
      '09 000001 000030 01 000001 27 0000000c',
      '12 000001 000031 00 000001 05 0000000c',
    ),
    value: {
      type: 'aggregate',
      ...ORIGIN,
      parts: [
        { typeId: 8, streamId: 1, timestamp: 40, payload: bytes('b2aa') },
        { typeId: 9, streamId: 1, timestamp: 0x1000030, payload: bytes('27') },
        { typeId: 18, streamId: 1, timestamp: 49, payload: bytes('05') },
      ],
    },
  },
  {
    name: 'shared object, which nobody asks for',
    typeId: 19,
    bytes: bytes('0000'),
    value: { type: 'unknown', typeId: 19, ...ORIGIN, payload: bytes('0000') },
  },
];

const DECODED_ONLY: Row[] = [
  {
    name: 'AMF3 command without the leading 0',
    typeId: 17,
    bytes: bytes('02 0001', text('a'), '00 3ff0000000000000 05'),
    value: { ...COMMAND, encoding: 3, name: 'a', transactionId: 1, args: [] },
  },
  {
    name: 'AMF3 command with an argument in AMF3',
    typeId: 17,
    bytes: bytes('00 02 0004', text('dial'), '00 4000000000000000 05 11 06 0b', text('sip:a')),
    value: { ...COMMAND, encoding: 3, name: 'dial', transactionId: 2, args: ['sip:a'] },
  },
  {
    name: 'command that is only a name',
    typeId: 20,
    bytes: bytes('02 0001', text('a')),
    value: { ...COMMAND, encoding: 0, name: 'a', transactionId: 0, args: [] },
  },
  {
    name: 'command whose transaction id is null',
    typeId: 20,
    bytes: bytes('02 0001', text('a'), '05 05'),
    value: { ...COMMAND, encoding: 0, name: 'a', transactionId: 0, args: [] },
  },
  {
    name: 'protocol control with more bytes than fields',
    typeId: 1,
    bytes: bytes('00001000 ff'),
    value: { type: 'setChunkSize', chunkSize: 4096 },
  },
  {
    name: 'aggregate with other timestamps than its own, and without the last back pointer',
    typeId: 22,
    bytes: bytes('08 000001 0003e8 00 000000 aa 0000000c', '08 000001 0003fc 00 000000 bb'),
    value: {
      type: 'aggregate',
      ...ORIGIN,
      parts: [
        { typeId: 8, streamId: 1, timestamp: 40, payload: bytes('aa') },
        { typeId: 8, streamId: 1, timestamp: 60, payload: bytes('bb') },
      ],
    },
  },
  {
    name: 'aggregate whose timestamps wrap',
    typeId: 22,
    bytes: bytes('08 000000 fffff0 ff 000000 0000000b', '08 000000 000004 00 000000 0000000b'),
    value: {
      type: 'aggregate',
      ...ORIGIN,
      parts: [
        { typeId: 8, streamId: 1, timestamp: 40, payload: bytes() },
        { typeId: 8, streamId: 1, timestamp: 60, payload: bytes() },
      ],
    },
  },
  { name: 'empty aggregate', typeId: 22, bytes: bytes(), value: { type: 'aggregate', ...ORIGIN, parts: [] } },
];

const WRONG = [
  ...[1, 2, 3, 5].map((typeId) => ({
    name: `protocol control ${typeId} of three bytes`,
    typeId,
    bytes: bytes('000000'),
    code: 'message.truncated',
  })),
  { name: 'Set Peer Bandwidth without its limit type', typeId: 6, bytes: bytes('00000000'), code: 'message.truncated' },
  { name: 'user control without an event', typeId: 4, bytes: bytes('00'), code: 'message.truncated' },
  { name: 'ping without a timestamp', typeId: 4, bytes: bytes('0006 0000'), code: 'message.truncated' },
  { name: 'setBufferLength without the length', typeId: 4, bytes: bytes('0003 00000001'), code: 'message.truncated' },
  { name: 'empty command', typeId: 20, bytes: bytes(), code: 'message.command' },
  { name: 'command whose name is a number', typeId: 20, bytes: bytes('00 0000000000000000'), code: 'message.command' },
  { name: 'command cut short', typeId: 20, bytes: bytes('02 0007', text('conn')), code: 'amf.truncated' },
  {
    name: 'command with endless nesting',
    typeId: 20,
    bytes: bytes('02 0001 61 00 0000000000000000', ...Array(999).fill('0a 00000001')),
    code: 'amf.depth',
  },
  {
    name: 'AMF3 command with an object that its class writes by itself',
    typeId: 17,
    bytes: bytes('00 02 0001 61 05 05 11 0a 07 03 58'),
    code: 'amf.unsupported',
  },
  { name: 'empty data', typeId: 18, bytes: bytes(), code: 'message.data' },
  { name: 'data whose name is null', typeId: 18, bytes: bytes('05'), code: 'message.data' },
  {
    name: 'aggregate in an aggregate',
    typeId: 22,
    bytes: bytes('16 000000 000000 00 000000 0000000b'),
    code: 'message.aggregate',
  },
  {
    name: 'command in an aggregate',
    typeId: 22,
    bytes: bytes('14 000000 000000 00 000000 0000000b'),
    code: 'message.aggregate',
  },
  {
    name: 'aggregate part longer than the aggregate',
    typeId: 22,
    bytes: bytes('08 ffffff 000000 00 000000 aa'),
    code: 'message.truncated',
  },
];

describe('messages', () => {
  it.each(CANONICAL)('decodes and encodes $name', ({ typeId, bytes: payload, value }) => {
    expect(decodeMessage({ typeId, ...ORIGIN, payload })).toEqual(value);
    const origin = 'streamId' in value ? ORIGIN : { streamId: 0, timestamp: 0 };
    expect(encodeMessage(value)).toEqual({ typeId, ...origin, payload });
  });

  it.each(DECODED_ONLY)('decodes $name', ({ typeId, bytes: payload, value }) => {
    expect(decodeMessage({ typeId, ...ORIGIN, payload })).toEqual(value);
  });

  it.each(WRONG)('refuses $name', ({ typeId, bytes: payload, code }) => {
    expect(() => decodeMessage({ typeId, ...ORIGIN, payload })).toThrow(
      expect.objectContaining({ name: 'RtmpError', code }),
    );
  });

  it.each(CANONICAL)('passes $name through chunks, split at every byte', ({ value }) => {
    const output: Uint8Array[] = [];
    new ChunkWriter().write({ ...encodeMessage(value), chunkStreamId: 3 }, output);
    const wire = bytes(...output);
    for (let split = 0; split <= wire.length; split += 1) {
      const input = new BufferList();
      const reader = new ChunkReader(input, { messageSize: 1000, bytesInFlight: 1000, chunkStreams: 1 });
      input.push(wire.slice(0, split));
      const early = reader.next();
      input.push(wire.slice(split));
      const raw = early ?? reader.next();
      expect(raw && decodeMessage(raw), `split at ${split}`).toEqual(value);
    }
  });

  it('does not copy media', () => {
    const payload = counting(100);
    const message = decodeMessage({ typeId: MessageType.audio, ...ORIGIN, payload });
    expect(message).toHaveProperty('payload', payload);
    expect(encodeMessage(message).payload).toBe(payload);
  });

  it('keeps within the AMF limits that it is given', () => {
    const payload = bytes('02 0001 61', repeat(5, 10));
    const raw = { typeId: MessageType.dataAmf0, ...ORIGIN, payload };
    expect(() => decodeMessage(raw, { ...DEFAULT_AMF_LIMITS, depth: 1, elements: 11 })).not.toThrow();
    expect(() => decodeMessage(raw, { ...DEFAULT_AMF_LIMITS, depth: 1, elements: 10 })).toThrow(
      expect.objectContaining({ code: 'amf.elements' }),
    );
  });

  it.each([0, 3] as const)('carries any values in commands and data with encoding %s', (encoding) => {
    const values = encoding === 3 ? anyAmf3Value() : anyAmf0Value();
    fc.assert(
      fc.property(fc.array(values, { maxLength: 3 }), (args) => {
        const command = { ...COMMAND, encoding, name: 'x', transactionId: 1, args } as const;
        expect(decodeMessage(encodeMessage(command))).toEqual(command);
        const data = { ...DATA, encoding, name: 'x', values: args } as const;
        expect(decodeMessage(encodeMessage(data))).toEqual(data);
      }),
      { numRuns: 100 },
    );
  });

  it('answers any payload of any type with a message or an RtmpError', () => {
    const types = Object.values(MessageType);
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 64 }), (typeId, payload) => {
        try {
          decodeMessage({ typeId, ...ORIGIN, payload });
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
