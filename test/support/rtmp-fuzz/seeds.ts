import {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  AmfXmlDocument,
  ChunkWriter,
  type CommandMessage,
  encodeEnhancedAudioTag,
  encodeEnhancedVideoTag,
  encodeMessage,
  type RtmpMessage,
} from 'rtmp-server-ts';
import { bytes, counting, text } from '../../wire/rtmp/bytes.js';

/** At least one of every type of AMF, with references, a loop and classes met again. */
export const VALUES: readonly AmfValue[] = [
  1,
  -1.5,
  'text',
  [true, null, undefined, 300_000, 'text', 'text', ''],
  { app: 'x', list: [1, 'two', { deep: [new Date(0)] }] },
  new AmfEcmaArray({ width: 320 }, [1, 2]),
  [new AmfTypedObject('P', { x: 1 }), new AmfTypedObject('P', { x: 2 })],
  new AmfTypedObject('M', { x: 1, y: [] }, { sealed: ['x'], dynamic: true }),
  [1, 2].map((n) => new AmfExternalizable('flex.messaging.io.ArrayCollection', [n])),
  new AmfVector(Int32Array.of(1, -1)),
  new AmfVector(Float64Array.of(0.5), { fixed: true }),
  new AmfVector(['a', {}], { className: 'P' }),
  new AmfDictionary(
    new Map<AmfValue, AmfValue>([
      [[], 1],
      ['k', {}],
    ]),
  ),
  new AmfXml('<a/>'),
  new AmfXmlDocument('<b/>'),
  counting(9),
  loop(),
  // Almost as deep as the limit, and twice as much with each level.
  nested(63, (within) => [within]),
  nested(8, (within) => [within, within]),
];

const ORIGIN = { streamId: 1, timestamp: 0xfffff0 };

/** One of every message. */
export const MESSAGES: readonly RtmpMessage[] = [
  command('createStream', [VALUES[4]]),
  { ...command('dial', VALUES.slice(0, -1)), encoding: 3 },
  { type: 'userControl', event: 'setBufferLength', eventStreamId: 1, bufferLength: 3000 },
  { type: 'userControl', event: 'pingRequest', pingTimestamp: 7 },
  { type: 'windowAcknowledgementSize', size: 5_000 },
  { type: 'setPeerBandwidth', size: 5_000, limitType: 2 },
  { type: 'setChunkSize', chunkSize: 200 },
  { type: 'abort', chunkStreamId: 4 },
  { type: 'acknowledgement', sequenceNumber: 1 },
  { type: 'audio', ...ORIGIN, payload: counting(70) },
  { type: 'audio', ...ORIGIN, timestamp: 0x1000004, payload: counting(70) },
  { type: 'audio', ...ORIGIN, timestamp: 0x1000018, payload: counting(70) },
  { type: 'video', ...ORIGIN, timestamp: 0x2000000, payload: counting(400) },
  { type: 'data', encoding: 0, ...ORIGIN, name: 'onMetaData', values: [VALUES[5]] },
  { type: 'data', encoding: 3, ...ORIGIN, name: 'onMetaData', values: VALUES.slice(0, -1) },
  { type: 'aggregate', ...ORIGIN, parts: [{ typeId: 8, ...ORIGIN, payload: text('abc') }] },
];

/** All of them in the chunk stream: every header form. */
export function traffic(messages: readonly RtmpMessage[] = MESSAGES): Uint8Array {
  const writer = new ChunkWriter();
  const output: Uint8Array[] = [];
  const chunkStreams: Partial<Record<RtmpMessage['type'], number>> = { audio: 4, video: 70, data: 400, command: 3 };
  for (const message of messages) {
    if (message.type === 'setChunkSize') continue;
    writer.write({ ...encodeMessage(message), chunkStreamId: chunkStreams[message.type] ?? 2 }, output);
  }
  return bytes(...output);
}

export function command(name: string, args: readonly AmfValue[] = [], transactionId = 2): CommandMessage {
  const origin = { streamId: 0, timestamp: 0 };
  return { type: 'command', encoding: 0, ...origin, name, transactionId, commandObject: null, args };
}

const body = counting(5);

/** FLV tags, ordinary and extended. */
export const TAGS: readonly Uint8Array[] = [
  bytes('b2 36'),
  bytes('af 01 21'),
  bytes('27 01 000028 00000001 09'),
  encodeEnhancedAudioTag({ packetType: 'coded-frames', tracks: [{ trackId: 0, fourCc: 'Opus', body }] }),
  encodeEnhancedAudioTag({
    packetType: 'coded-frames',
    nanosecondOffset: 5,
    multitrack: 'many-codecs',
    tracks: ['Opus', 'mp4a'].map((fourCc, trackId) => ({ trackId, fourCc, body })),
  }),
  bytes('94', text('Opus'), '02 03 01 00 fe'),
  encodeEnhancedVideoTag({
    frameType: 'key',
    packetType: 'coded-frames',
    multitrack: 'many-tracks',
    tracks: [0, 1].map((trackId) => ({ trackId, fourCc: 'hvc1', compositionTime: 40, body })),
  }),
  encodeEnhancedVideoTag({ packetType: 'command', command: 1 }),
];

function nested(levels: number, around: (within: AmfValue) => AmfValue): AmfValue {
  return levels === 0 ? 'innermost' : around(nested(levels - 1, around));
}

function loop(): AmfValue {
  const value: Record<string, AmfValue> = {};
  value.self = [value];
  return value;
}
