import type { Container, ContainerReader } from './container.js';

/**
 * The FLV that goes to FFmpeg and comes from it (FLV specification 10.1, annex E): audio tags in a stream without end.
 *
 *     |  type (8)  |       size of the body (24)      |
 *     |       timestamp (24)       |  its top (8)     |
 *     |       stream id, 0 (24)    |  body ...        |
 *     |       size of the tag (32)                    |
 */

/** Signature, version 1, audio only, header length, and the size of the tag before the first. */
export const flvHeader = Buffer.from('464c56010400000009' + '00000000', 'hex');

const audioTag = 8;
const tagHeader = 11;
const tagTrailer = 4;

/** @param timestamp milliseconds, below 2^32 */
export function flvAudioTag(body: Uint8Array, timestamp: number): Buffer {
  const tag = Buffer.alloc(tagHeader + body.length + tagTrailer);
  tag.writeUInt8(audioTag, 0);
  tag.writeUIntBE(body.length, 1, 3);
  tag.writeUIntBE(timestamp % 2 ** 24, 4, 3);
  tag.writeUInt8(Math.floor(timestamp / 2 ** 24), 7);
  tag.set(body, tagHeader);
  tag.writeUInt32BE(tagHeader + body.length, tagHeader + body.length);
  return tag;
}

/** Longest body taken, in octets. FFmpeg's are below 5,000. */
const maxBody = 64 * 1024;

/** Takes the audio tags out of FLV that comes in pieces. */
export class FlvReader implements ContainerReader {
  readonly #take: (body: Buffer, timestamp: number) => void;
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  /** @param take gets a body of its own memory and its milliseconds */
  constructor(take: (body: Buffer, timestamp: number) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#begun) {
      if (this.#rest.length < flvHeader.length) return true;
      if (this.#rest.toString('latin1', 0, 3) !== 'FLV') return false;
      this.#rest = this.#rest.subarray(flvHeader.length);
      this.#begun = true;
    }
    while (this.#rest.length >= tagHeader) {
      const size = this.#rest.readUIntBE(1, 3);
      if (size > maxBody) return false;
      const end = tagHeader + size + tagTrailer;
      if (this.#rest.length < end) break;
      const tag = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      if (tag[0] === audioTag) this.#take(Buffer.from(tag.subarray(tagHeader, tagHeader + size)), timestampOf(tag));
    }
    return true;
  }
}

function timestampOf(tag: Buffer): number {
  return tag.readUIntBE(4, 3) + tag.readUInt8(7) * 2 ** 24;
}

export const flv: Container = {
  input: ['-f', 'flv'],
  output: ['-flvflags', 'no_duration_filesize+no_metadata', '-f', 'flv'],
  header: flvHeader,
  write: flvAudioTag,
  reader: (take) => new FlvReader(take),
};
