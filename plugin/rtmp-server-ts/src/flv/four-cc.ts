import type { ByteReader } from '../bytes/byte-reader.js';
import type { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';

/** Codecs of the extended audio tag header (Enhanced RTMP v2, Enhanced Audio). */
export type AudioFourCc = 'Opus' | 'fLaC' | 'mp4a' | '.mp3' | 'ac-3' | 'ec-3';
/** Codecs of the extended video tag header (Enhanced RTMP v2, Enhanced Video). */
export type VideoFourCc = 'avc1' | 'hvc1' | 'vvc1' | 'av01' | 'vp08' | 'vp09';

/** Any four bytes, as four characters U+0000 to U+00FF: a codec that is not known can still be handed on. */
export type FourCc<Known extends string> = Known | (string & {});

export function readFourCc(reader: ByteReader): string {
  return String.fromCharCode(...reader.bytes(4));
}

/** @throws RtmpError `flv.value` */
export function writeFourCc(writer: ByteWriter, fourCc: string): void {
  const codes = [...fourCc].map((character) => character.codePointAt(0) ?? 0);
  if (codes.length !== 4 || codes.some((code) => code > 0xff)) {
    throw new RtmpError('flv.value', `FourCC ${JSON.stringify(fourCc)}, it must have four characters of one byte`);
  }
  for (const code of codes) writer.u8(code);
}
