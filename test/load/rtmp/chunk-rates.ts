import { createRequire } from 'node:module';
import {
  BufferList,
  ChunkReader,
  ChunkWriter,
  DEFAULT_RTMP_LIMITS,
  decodeMessage,
  encodeMessage,
  type RawMessage,
} from 'rtmp-server-ts';

/**
 * Chunk parsing and writing by this package and by node-media-server, in processor time of one core; prints messages per second as JSON.
 * Arguments: audio or video, mean length of a message, chunk size, node-media-server's chunk stream or nothing.
 */
const [type = 'audio', length = '100', chunkSize = '4096', peerPath] = process.argv.slice(2);

/** What of node-media-server's `src/protocol/rtmp.js` is used: both directions of its chunk stream. */
interface NmsRtmp {
  onPacketCallback: () => void;
  onOutputCallback: () => void;
  parserData(bytes: Buffer): string | null;
}

interface NmsRtmpClass {
  new (): NmsRtmp;
  createMessage(packet: { codec_type: number; dts: number; size: number; data: Buffer }): Buffer;
}

interface Load {
  readonly type: 'audio' | 'video';
  readonly chunkSize: number;
  readonly payloads: readonly Uint8Array[];
}

/** Lengths differ by a few bytes, as those of encoders do, so that each message has a header that says it. */
function makePayloads(length: number, first: number): Uint8Array[] {
  return Array.from({ length: 64 }, (_, index) => {
    const payload = new Uint8Array(length - 8 + ((index * 5) % 17)).fill(index);
    payload[0] = first;
    payload[1] = 1;
    return payload;
  });
}

/** What a socket reads at once. */
const readLength = 65_536;
/**
 * Bytes of one go, and goes: those of the two sides take turns, so that what else the machine does hits both. The compiler is done with what
 * seldom happens, such as a header in two reads, after the fourth.
 */
const goBytes = 24 * 1024 * 1024;
const goes = 12;
const warmUp = 5;

/** A way to do something with the same messages again and again. */
interface Side {
  /** @returns the number of messages done */
  run(): number;
}

/** Messages per second of processor time. */
interface Rates {
  readonly own: number;
  /** NaN without the peer. */
  readonly other: number;
}

function alternate(ours: Side, theirs: Side | undefined): Rates {
  const sides = theirs === undefined ? [ours] : [ours, theirs];
  const rates = sides.map(() => ({ messages: 0, seconds: 0 }));
  for (let go = 0; go < warmUp + goes; go++) {
    for (const [index, side] of sides.entries()) {
      const before = process.cpuUsage();
      const messages = side.run();
      const { user, system } = process.cpuUsage(before);
      const rate = rates[index];
      if (rate === undefined || go < warmUp) continue;
      rate.messages += messages;
      rate.seconds += (user + system) / 1e6;
    }
  }
  const [own = Number.NaN, other = Number.NaN] = rates.map(({ messages, seconds }) => messages / seconds);
  return { own, other };
}

function parsing({ chunkSize }: Load, reads: readonly Uint8Array[]): Side {
  return {
    run() {
      const input = new BufferList();
      const reader = new ChunkReader(input, DEFAULT_RTMP_LIMITS);
      reader.setChunkSize(chunkSize);
      let messages = 0;
      for (const read of reads) {
        input.push(read);
        for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
          if (decodeMessage(raw).type !== 'unknown') messages += 1;
        }
      }
      return messages;
    },
  };
}

function peerParsing(Rtmp: NmsRtmpClass, { chunkSize }: Load, reads: readonly Uint8Array[]): Side {
  const buffers = reads.map(({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length));
  const setChunkSize = Buffer.from('02000000000004010000000000000000', 'hex');
  setChunkSize.writeUInt32BE(chunkSize, 12);
  return {
    run() {
      const rtmp = new Rtmp();
      let messages = 0;
      rtmp.onOutputCallback = () => {};
      rtmp.onPacketCallback = () => {
        messages += 1;
      };
      rtmp.parserData(Buffer.alloc(1 + 2 * 1536, 3));
      rtmp.parserData(setChunkSize);
      for (const buffer of buffers) rtmp.parserData(buffer);
      return messages;
    },
  };
}

/** To what the system is given. */
function writing({ type, chunkSize, payloads }: Load): Side {
  return {
    run() {
      const writer = new ChunkWriter();
      writer.setChunkSize(chunkSize);
      const messages = messageCount(payloads);
      for (let index = 0; index < messages; index++) {
        const payload = payloads[index % payloads.length] ?? new Uint8Array();
        const parts: Uint8Array[] = [];
        writer.write(rawMessage(type, index, payload), parts);
      }
      return messages;
    },
  };
}

function peerWriting(Rtmp: NmsRtmpClass, { type, payloads }: Load): Side {
  const buffers = payloads.map((payload) => Buffer.from(payload));
  return {
    run() {
      const messages = messageCount(payloads);
      for (let index = 0; index < messages; index++) {
        const data = buffers[index % buffers.length] ?? Buffer.alloc(0);
        // What was parsed is handed to it as it is: making one is not its work.
        Rtmp.createMessage({ codec_type: type === 'audio' ? 8 : 9, dts: index * 20, size: data.length, data });
      }
      return messages;
    },
  };
}

function rawMessage(type: Load['type'], index: number, payload: Uint8Array): RawMessage {
  const { typeId, streamId, timestamp } = encodeMessage({ type, streamId: 1, timestamp: index * 20, payload });
  return { chunkStreamId: 4, typeId, streamId, timestamp, payload };
}

/** The messages as a connection carries them, cut as a socket reads them. */
function splitReads({ type, chunkSize, payloads }: Load): Uint8Array[] {
  const writer = new ChunkWriter();
  writer.setChunkSize(chunkSize);
  const parts: Uint8Array[] = [];
  const messages = messageCount(payloads);
  for (let index = 0; index < messages; index++) {
    const payload = payloads[index % payloads.length] ?? new Uint8Array();
    writer.write(rawMessage(type, index, payload), parts);
  }
  const bytes = Buffer.concat(parts);
  const reads: Uint8Array[] = [];
  // Each read of a socket is an array of its own.
  for (let at = 0; at < bytes.length; at += readLength) reads.push(new Uint8Array(bytes.subarray(at, at + readLength)));
  return reads;
}

const messageCount = (payloads: readonly Uint8Array[]): number => Math.floor(goBytes / meanLength({ payloads }));

function meanLength({ payloads }: Pick<Load, 'payloads'>): number {
  return payloads.reduce((sum, { length }) => sum + length, 0) / payloads.length;
}

const speex = 0xb2;
const avcInterFrame = 0x27;
const load: Load = {
  type: type === 'video' ? 'video' : 'audio',
  chunkSize: Number(chunkSize),
  payloads: makePayloads(Number(length), type === 'video' ? avcInterFrame : speex),
};
const peer: NmsRtmpClass | undefined = peerPath === undefined ? undefined : createRequire(import.meta.url)(peerPath);
const reads = splitReads(load);
const parse = alternate(parsing(load, reads), peer && peerParsing(peer, load, reads));
const write = alternate(writing(load), peer && peerWriting(peer, load));
console.log(JSON.stringify({ parse, write }));
