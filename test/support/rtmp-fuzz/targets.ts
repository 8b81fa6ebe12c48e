import {
  type AmfValue,
  BufferList,
  ChunkReader,
  decodeAmf0,
  decodeAmf3,
  decodeMessage,
  encodeAmf0,
  encodeAmf3,
  encodeEnhancedAudioTag,
  encodeEnhancedVideoTag,
  encodeMessage,
  MessageType,
  parseEnhancedAudioTag,
  parseEnhancedVideoTag,
  parseFlvAudioTag,
  parseFlvVideoTag,
  parseMultichannelConfig,
  RtmpError,
  ServerHandshake,
} from 'rtmp-server-ts';
import { bytes, repeat } from '../../wire/rtmp/bytes.js';
import { RtmpeClient } from '../../wire/rtmp/rtmpe.js';
import type { Random } from './random.js';
import { MESSAGES, TAGS, traffic, VALUES } from './seeds.js';
import { tunnelTarget } from './tunnel.js';

export interface FuzzTarget {
  readonly name: string;
  /** How many inputs, beside those of the others: the slow ones get fewer. */
  readonly share: number;
  /** Valid inputs, to be spoilt. */
  readonly seeds: readonly Uint8Array[];
  /**
   * @returns what came of it: two inputs with the same text went much the same way
   * @throws RtmpError for input that is wrong; anything else is a fault of the package
   */
  feed(input: Uint8Array, random: Random): string;
}

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'AMF0',
    share: 300,
    seeds: VALUES.map((value) => encodeAmf0([value])),
    feed: (input) => amf(decodeAmf0(input)),
  },
  {
    name: 'AMF3',
    share: 400,
    seeds: VALUES.map((value) => encodeAmf3([value])),
    feed: (input) => amf(decodeAmf3(input)),
  },
  { name: 'messages', share: 200, seeds: MESSAGES.map(encodedMessage), feed: message },
  { name: 'FLV tags', share: 400, seeds: TAGS, feed: tag },
  { name: 'chunk stream', share: 100, seeds: [traffic(), ...MESSAGES.map((one) => traffic([one]))], feed: chunks },
  { name: 'handshake', share: 1, seeds: handshakes(), feed: handshake },
  tunnelTarget(traffic()),
];

/** What was decoded can be encoded again, or is refused with a reason. */
function amf(values: readonly AmfValue[]): string {
  for (const encode of [encodeAmf0, encodeAmf3]) {
    try {
      encode(values);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
    }
  }
  return values.map(shape).join();
}

function shape(value: AmfValue): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'object') : typeof value;
}

/** The first byte is the type. */
function encodedMessage(one: (typeof MESSAGES)[number]): Uint8Array {
  const { typeId, payload } = encodeMessage(one);
  return bytes(Uint8Array.of(typeId), payload);
}

const TYPES = Object.values(MessageType);

function message(input: Uint8Array): string {
  const [first = 0] = input;
  const typeId = TYPES.includes(first as (typeof TYPES)[number]) ? first : (TYPES[first % TYPES.length] ?? first);
  const decoded = decodeMessage({ typeId, streamId: 1, timestamp: 0, payload: input.subarray(1) });
  encodeMessage(decoded);
  return decoded.type;
}

function tag(input: Uint8Array): string {
  const audio = parseFlvAudioTag(input);
  const video = parseFlvVideoTag(input);
  if (audio?.codec === 'enhanced') {
    const parsed = parseEnhancedAudioTag(input);
    if ((parsed.nanosecondOffset ?? 0) < 1_000_000) encodeEnhancedAudioTag(parsed);
    const { packetType, multitrack, tracks } = parsed;
    const layouts = packetType === 'multichannel-config' ? tracks.map((one) => parseMultichannelConfig(one.body)) : [];
    return `audio ${packetType} ${multitrack} ${layouts.map(({ order }) => order).join()}`;
  }
  if (video?.enhanced === true) {
    const parsed = parseEnhancedVideoTag(input);
    if (parsed.packetType === 'command') return 'video command';
    if ((parsed.nanosecondOffset ?? 0) < 1_000_000 && parsed.frameType !== 'command') encodeEnhancedVideoTag(parsed);
    return `video ${parsed.packetType} ${parsed.multitrack}`;
  }
  return `${audio?.codec} ${video?.codec}`;
}

function chunks(input: Uint8Array, random: Random): string {
  const list = new BufferList();
  const reader = new ChunkReader(list, { messageSize: 10_000, bytesInFlight: 20_000, chunkStreams: 16 });
  const types = new Set<string>();
  for (let offset = 0; offset < input.length; ) {
    const size = 1 + random(300);
    list.push(input.subarray(offset, offset + size));
    offset += size;
    for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
      const decoded = decodeMessage(raw);
      if (decoded.type === 'setChunkSize') reader.setChunkSize(decoded.chunkSize);
      if (decoded.type === 'abort') reader.abort(decoded.chunkStreamId);
      types.add(decoded.type);
    }
  }
  return [...types].join();
}

function handshakes(): Uint8Array[] {
  const plain = bytes('03', repeat(0, 2 * 1536));
  const signed = ([0, 1] as const).map((scheme) => bytes(new RtmpeClient(scheme).c0c1({ type: 3 }), repeat(1, 1536)));
  const encrypted = ([0, 1] as const).flatMap((scheme) =>
    [6, 8].map((type) => bytes(new RtmpeClient(scheme).c0c1({ type }), repeat(1, 1536))),
  );
  return [plain, ...signed, ...encrypted];
}

function handshake(input: Uint8Array, random: Random): string {
  const list = new BufferList();
  const server = new ServerHandshake(list, { random: (length) => new Uint8Array(length) });
  for (let offset = 0; offset < input.length && !server.done; ) {
    const size = 1 + random(2_000);
    list.push(input.subarray(offset, offset + size));
    offset += size;
    server.advance();
  }
  return `${server.scheme} ${server.done} ${server.ciphers !== undefined}`;
}
