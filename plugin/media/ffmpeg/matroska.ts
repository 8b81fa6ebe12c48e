import { opusHeader, opusIdentification } from '../audio/opus.js';
import type { Container, ContainerReader } from './container.js';

/**
 * The Matroska that carries Opus to FFmpeg and from it (RFC 9559; its elements are those of EBML, RFC 8794), for its FLV
 * knows no Opus: one track in a segment without end, each packet in a cluster of its own.
 *
 *     |  id (1-4 octets)  |  size (1-8), all ones where it has no end  |  data ...
 */
const ids = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;

/** Those whose elements are read as if they stood outside: of most it need not be known where they end. */
const opened: ReadonlySet<number> = new Set([ids.segment, ids.cluster, ids.blockGroup]);

/** Track 1, no milliseconds from the cluster's timestamp, key frame. */
const blockHeader = Buffer.of(0x81, 0, 0, 0x80);

function element(id: number, ...data: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(data);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x10000000 + body.length);
  return Buffer.concat([idOf(id), size, body]);
}

function idOf(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(bytes.findIndex((octet) => octet !== 0));
}

function uint(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

/** 48,000 as a float of 32 bits. */
const samplingFrequency = Buffer.from('473b8000', 'hex');

const header = Buffer.concat([
  element(ids.ebml, element(ids.docType, Buffer.from('matroska'))),
  idOf(ids.segment),
  Buffer.from('01ffffffffffffff', 'hex'),
  element(
    ids.tracks,
    element(
      ids.trackEntry,
      element(ids.trackNumber, uint(1)),
      element(ids.trackUid, uint(1)),
      element(ids.trackType, uint(2)),
      element(ids.codecId, Buffer.from('A_OPUS')),
      element(ids.codecPrivate, opusIdentification(2)),
      element(ids.audio, element(ids.samplingFrequency, samplingFrequency), element(ids.channels, uint(2))),
    ),
  ),
]);

/** Longest element taken, in octets. An Opus packet has 7,662 at most (RFC 6716 section 3.2.5, 120 ms). */
const maxElement = 64 * 1024;

/** Takes the packets out of Matroska that comes in pieces. */
class MatroskaReader implements ContainerReader {
  readonly #take: (body: Buffer, position: number) => void;
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;
  /** Of the cluster. */
  #position = 0;

  constructor(take: (body: Buffer, position: number) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const id = readNumber(this.#rest, 0, 4);
      if (id === 'too-short') return true;
      if (id === 'too-long' || (!this.#begun && this.#rest.readUIntBE(0, id.length) !== ids.ebml)) return false;
      const size = readNumber(this.#rest, id.length, 8);
      if (size === 'too-short') return true;
      if (size === 'too-long') return false;
      this.#begun = true;
      const start = id.length + size.length;
      const name = this.#rest.readUIntBE(0, id.length);
      const end = opened.has(name) ? start : start + size.value;
      if (end - start > maxElement) return false;
      if (this.#rest.length < end) return true;
      this.#element(name, this.#rest.subarray(start, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  #element(id: number, data: Buffer): void {
    if (id === ids.timestamp && data.length >= 1 && data.length <= 6) {
      this.#position = data.readUIntBE(0, data.length);
    } else if ((id === ids.simpleBlock || id === ids.block) && data.length > blockHeader.length) {
      const packet = data.subarray(blockHeader.length);
      this.#take(Buffer.concat([opusHeader, packet]), Math.max(0, this.#position + data.readInt16BE(1)));
    }
  }
}

/** A number of 1 to `longest` octets: as many as the first has zeros before its first one, which does not count. */
function readNumber(
  bytes: Buffer,
  at: number,
  longest: number,
): { readonly length: number; readonly value: number } | 'too-short' | 'too-long' {
  const first = bytes[at];
  if (first === undefined) return 'too-short';
  const length = Math.clz32(first) - 23;
  if (length > longest) return 'too-long';
  if (at + length > bytes.length) return 'too-short';
  let value = first & (0xff >> length);
  for (let next = at + 1; next < at + length; next++) value = value * 256 + (bytes[next] ?? 0);
  return { length, value };
}

/** Messages of Enhanced RTMP that hold an Opus packet. */
export const matroska: Container = {
  input: ['-f', 'matroska'],
  output: ['-live', '1', '-cluster_time_limit', '1', '-f', 'matroska'],
  header,
  write: (body, position) =>
    element(
      ids.cluster,
      element(ids.timestamp, uint(position)),
      element(ids.simpleBlock, blockHeader, body.subarray(opusHeader.length)),
    ),
  reader: (take) => new MatroskaReader(take),
};
