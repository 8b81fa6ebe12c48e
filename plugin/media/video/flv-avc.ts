import type { AvcConfig } from './avc-config.js';
import { nalType, typeOf } from './nal.js';

/**
 * H.264 in FLV video messages (FLV specification E.4.3):
 *
 *     frame type (4) codec = 7 (4) | packet type (8) | composition time (24, signed) | record or NAL units
 *
 * and in the extended header of Enhanced RTMP:
 *
 *     1 frame type (3) packet type (4) | "avc1" (32) | [composition time (24), packet type 1] | record or NAL units
 */
export type AvcMessage =
  | { readonly kind: 'config'; readonly record: Uint8Array }
  | {
      readonly kind: 'frame';
      readonly key: boolean;
      /** Milliseconds from decoding to presentation. */
      readonly compositionTime: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'nothing' } // end of sequence, commands of a server, an empty message
  | { readonly kind: 'other-codec' }
  | { readonly kind: 'malformed' };

const avc = 7;
const keyFrame = 1;
const command = 5;
const fourCc = [0x61, 0x76, 0x63, 0x31];
const packetType = { config: 0, frame: 1, end: 2, frameInTime: 3, metadata: 4 } as const;

export function parseAvcMessage(body: Uint8Array): AvcMessage {
  const [first] = body;
  if (first === undefined) return { kind: 'nothing' };
  const frameType = (first >> 4) & 7;
  if (frameType === command) return { kind: 'nothing' };
  if (first >= 0x80) return parseExtended(body, first, frameType);
  if ((first & 0x0f) !== avc) return { kind: 'other-codec' };
  if (body.length < 5) return { kind: 'malformed' };
  return parsePacket(body, body[1] ?? 0, 2, frameType);
}

function parseExtended(body: Uint8Array, first: number, frameType: number): AvcMessage {
  if (body.length < 5) return { kind: 'malformed' };
  if (fourCc.some((character, index) => body[1 + index] !== character)) return { kind: 'other-codec' };
  const type = first & 0x0f;
  if (type === packetType.config) return { kind: 'config', record: body.subarray(5) };
  if (type === packetType.frameInTime) {
    return { kind: 'frame', key: frameType === keyFrame, compositionTime: 0, data: body.subarray(5) };
  }
  return parsePacket(body, type, 5, frameType);
}

/** @param at where the composition time begins */
function parsePacket(body: Uint8Array, type: number, at: number, frameType: number): AvcMessage {
  if (type === packetType.end || type === packetType.metadata) return { kind: 'nothing' };
  if (body.length < at + 3) return { kind: 'malformed' };
  const data = body.subarray(at + 3);
  if (type === packetType.config) return { kind: 'config', record: data };
  if (type !== packetType.frame) return { kind: 'malformed' };
  const [high = 0, middle = 0, low = 0] = body.subarray(at, at + 3);
  const compositionTime = ((high << 24) | (middle << 16) | (low << 8)) >> 8;
  return { kind: 'frame', key: frameType === keyFrame, compositionTime, data };
}

/** The sequence header in a message, if it is one. */
export function isAvcConfig(body: Uint8Array): boolean {
  return parseAvcMessage(body).kind === 'config';
}

/** NAL units of a picture taken: level 5.2 has less slices than that (ITU-T H.264 table A-4). */
export const maxNals = 1024;

/** The NAL units behind their lengths; undefined where the lengths do not fit the data. Empty ones are left out. */
export function splitNals(data: Uint8Array, lengthSize: AvcConfig['lengthSize']): Uint8Array[] | undefined {
  const nals: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    let length = 0;
    for (let index = 0; index < lengthSize; index++) length = length * 256 + (data[at + index] ?? 0);
    at += lengthSize;
    if (at + length > data.length || nals.length === maxNals) return undefined;
    if (length > 0) nals.push(data.subarray(at, at + length));
    at += length;
  }
  return nals;
}

export function buildConfigMessage(record: Uint8Array): Uint8Array {
  const body = new Uint8Array(5 + record.length);
  body.set([(keyFrame << 4) | avc, packetType.config]);
  body.set(record, 5);
  return body;
}

/** A message with the NAL units of one picture, each behind a length of 4 octets. */
export function buildFrameMessage(
  nals: readonly Uint8Array[],
  compositionTime: number,
  key = nals.some((nal) => typeOf(nal) === nalType.idr),
): Uint8Array {
  const body = new Uint8Array(nals.reduce((length, nal) => length + 4 + nal.length, 5));
  const view = new DataView(body.buffer);
  view.setUint32(0, (((key ? 1 : 2) << 28) | (avc << 24) | (packetType.frame << 16)) >>> 0);
  view.setUint32(1, ((packetType.frame << 24) | (compositionTime & 0xffffff)) >>> 0);
  let at = 5;
  for (const nal of nals) {
    view.setUint32(at, nal.length);
    body.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return body;
}
