import type { ByteReader } from '../bytes/byte-reader.js';
import type { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { readFourCc, writeFourCc } from './four-cc.js';

/**
 * `one-track`: one track with an id. `many-tracks`: several of one codec. `many-codecs`: several, each with its own. The names of the
 * specification are OneTrack, ManyTracks, ManyTracksManyCodecs.
 */
export type MultitrackType = 'one-track' | 'many-tracks' | 'many-codecs';

const MULTITRACK_TYPES: readonly MultitrackType[] = ['one-track', 'many-tracks', 'many-codecs'];
const NANOSECOND_OFFSET = 0;
const LARGEST_NANOSECOND_OFFSET = 999_999;

/** The numbers that audio and video have for the packet types which the header itself is made of. */
export interface PacketTypes<Name extends string> {
  readonly names: ReadonlyMap<number, Name>;
  readonly multitrack: number;
  readonly modEx: number;
}

/** What stands before the tracks of an extended audio or video tag. */
export interface EnhancedHeader<Name extends string> {
  /** The same for all tracks. */
  readonly packetType: Name;
  /** Nanoseconds later than the message's timestamp says: 24 bits, at most 999999 by the specification. */
  readonly nanosecondOffset?: number;
  /** Absent in the ordinary form, which has one track and no track id. */
  readonly multitrack?: MultitrackType;
}

export interface EnhancedTrack {
  /** 0-255; 0 in the ordinary form. */
  readonly trackId: number;
  readonly fourCc: string;
  readonly body: Uint8Array;
}

interface Modified {
  readonly packetType: number;
  readonly nanosecondOffset?: number;
}

/**
 * Reads the ModEx packets that come before the packet type proper:
 *
 *     | size - 1 (8), or 255 and size - 1 (16) | data (size) | ModEx type (4) | packet type (4) |
 *
 * Those of unknown types are passed over.
 *
 * @param first the packet type of the first byte
 * @throws RtmpError `flv.truncated`, `flv.header`
 */
export function readModEx(reader: ByteReader, first: number, modEx: number): Modified {
  let packetType = first;
  let nanosecondOffset: number | undefined;
  while (packetType === modEx) {
    const short = reader.u8() + 1;
    const data = reader.bytes(short === 256 ? reader.u16() + 1 : short);
    const types = reader.u8();
    packetType = types & 0x0f;
    if (types >> 4 !== NANOSECOND_OFFSET) continue;
    const [high, middle, low] = data;
    if (high === undefined || middle === undefined || low === undefined) {
      throw new RtmpError('flv.header', `nanosecond offset of ${data.length} bytes, it must have 3`);
    }
    nanosecondOffset = (high << 16) | (middle << 8) | low;
  }
  return { packetType, ...(nanosecondOffset !== undefined && { nanosecondOffset }) };
}

/**
 * Reads the rest of the header and the tracks:
 *
 *     ordinary      | FourCC (32) | body |
 *     one-track     | type (4) | packet type (4) | FourCC (32) | track id (8) | body |
 *     many-tracks   | type (4) | packet type (4) | FourCC (32) | { track id (8) | size (24) | body } ... |
 *     many-codecs   | type (4) | packet type (4) | { FourCC (32) | track id (8) | size (24) | body } ... |
 *
 * @throws RtmpError `flv.truncated`, `flv.header` for a packet type or a multitrack type that is not defined
 */
export function readTracks<Name extends string>(
  reader: ByteReader,
  { packetType, nanosecondOffset }: Modified,
  types: PacketTypes<Name>,
): EnhancedHeader<Name> & { readonly tracks: EnhancedTrack[] } {
  const offset = nanosecondOffset !== undefined && { nanosecondOffset };
  if (packetType !== types.multitrack) {
    const header = { packetType: named(packetType, types), ...offset };
    return { ...header, tracks: [{ trackId: 0, fourCc: readFourCc(reader), body: reader.bytes(reader.remaining) }] };
  }
  const byte = reader.u8();
  const multitrack = MULTITRACK_TYPES[byte >> 4];
  if (multitrack === undefined) throw new RtmpError('flv.header', `multitrack type ${byte >> 4} is not defined`);
  const header = { packetType: named(byte & 0x0f, types), ...offset, multitrack };
  const common = multitrack === 'many-codecs' ? undefined : readFourCc(reader);
  const tracks: EnhancedTrack[] = [];
  do {
    const fourCc = common ?? readFourCc(reader);
    const trackId = reader.u8();
    const size = multitrack === 'one-track' ? reader.remaining : reader.u24();
    tracks.push({ trackId, fourCc, body: reader.bytes(size) });
  } while (reader.remaining > 0);
  return { ...header, tracks };
}

/** @throws RtmpError `flv.header` */
function named<Name extends string>(packetType: number, { names }: PacketTypes<Name>): Name {
  const name = names.get(packetType);
  if (name === undefined) throw new RtmpError('flv.header', `packet type ${packetType} is not defined here`);
  return name;
}

/**
 * Writes everything from the first byte on, whose upper four bits are given.
 * @throws RtmpError `flv.value` for a value that does not fit its field, or tracks that do not fit the multitrack type
 */
export function writeEnhanced<Name extends string>(
  writer: ByteWriter,
  upperBits: number,
  header: EnhancedHeader<Name>,
  tracks: readonly EnhancedTrack[],
  types: PacketTypes<Name>,
): void {
  const { multitrack } = header;
  const packetType = numberOf(header.packetType, types);
  writeModEx(writer, upperBits, header, multitrack === undefined ? packetType : types.multitrack, types.modEx);
  const [first] = tracks;
  checkTracks(tracks, multitrack);
  if (multitrack !== undefined) writer.u8((MULTITRACK_TYPES.indexOf(multitrack) << 4) | packetType);
  if (multitrack !== 'many-codecs' && first !== undefined) writeFourCc(writer, first.fourCc);
  for (const { trackId, fourCc, body } of tracks) {
    if (multitrack === 'many-codecs') writeFourCc(writer, fourCc);
    if (multitrack !== undefined) writer.u8(trackId);
    if (multitrack !== undefined && multitrack !== 'one-track') writer.u24(body.length);
    writer.bytes(body);
  }
}

function writeModEx(
  writer: ByteWriter,
  upperBits: number,
  { nanosecondOffset }: { readonly nanosecondOffset?: number },
  packetType: number,
  modEx: number,
): void {
  if (nanosecondOffset === undefined) {
    writer.u8((upperBits << 4) | packetType);
    return;
  }
  if (!isWithin(nanosecondOffset, LARGEST_NANOSECOND_OFFSET)) {
    throw new RtmpError('flv.value', `nanosecond offset ${nanosecondOffset}, it must be from 0 to 999999`);
  }
  writer.u8((upperBits << 4) | modEx);
  writer.u8(3 - 1);
  writer.u24(nanosecondOffset);
  writer.u8((NANOSECOND_OFFSET << 4) | packetType);
}

function numberOf<Name extends string>(packetType: Name, { names }: PacketTypes<Name>): number {
  for (const [number, name] of names) if (name === packetType) return number;
  throw new RtmpError('flv.value', `packet type ${packetType} is not defined here`);
}

function checkTracks(tracks: readonly EnhancedTrack[], multitrack: MultitrackType | undefined): void {
  const single = multitrack === undefined || multitrack === 'one-track';
  if (tracks.length === 0 || (single && tracks.length > 1)) {
    throw new RtmpError('flv.value', `${tracks.length} tracks, ${single ? 'there must be one' : 'there must be some'}`);
  }
  for (const { trackId, fourCc, body } of tracks) {
    if (!isWithin(trackId, 0xff)) throw new RtmpError('flv.value', `track id ${trackId}, it must be from 0 to 255`);
    if (!single && body.length > 0xffffff) {
      throw new RtmpError('flv.value', `track of ${body.length} bytes, at most 16777215 fit`);
    }
    if (multitrack === 'many-tracks' && fourCc !== tracks[0]?.fourCc) {
      throw new RtmpError('flv.value', `tracks of ${tracks[0]?.fourCc} and ${fourCc} are many-codecs, not many-tracks`);
    }
  }
}

function isWithin(value: number, largest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largest;
}
