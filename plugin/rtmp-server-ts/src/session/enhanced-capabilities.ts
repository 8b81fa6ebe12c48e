import { type AmfObject, type AmfValue, amfProperties, isAmfArray } from '../amf/values.js';

/** What one side can do with a codec (FourCcInfoMask). */
export interface FourCcInfo {
  readonly decode?: boolean;
  readonly encode?: boolean;
  readonly forward?: boolean;
}

/** By FourCC; `*` is every codec. */
export type FourCcInfoMap = Readonly<Record<string, FourCcInfo>>;

/** Enhanced RTMP v2, Enhancing NetConnection connect Command: what a client says in connect, and a server in the answer to it. */
export interface EnhancedCapabilities {
  /** FourCCs, or `*`: the older way to say it, without what can be done with them. */
  readonly fourCcList?: readonly string[];
  readonly audioFourCcInfoMap?: FourCcInfoMap;
  readonly videoFourCcInfoMap?: FourCcInfoMap;
  readonly capsEx?: {
    /** Heeds a request to connect anew. */
    readonly reconnect?: boolean;
    readonly multitrack?: boolean;
    /** Passes over ModEx packets that it does not know. */
    readonly modEx?: boolean;
    readonly timestampNanoOffset?: boolean;
  };
}

const FOUR_CC_INFO = { decode: 0x01, encode: 0x02, forward: 0x04 } as const;
const CAPS_EX = { reconnect: 0x01, multitrack: 0x02, modEx: 0x04, timestampNanoOffset: 0x08 } as const;

/**
 * Fields of the wrong type count as not said.
 * @returns undefined when nothing of it was said
 */
export function readEnhancedCapabilities(properties: AmfObject): EnhancedCapabilities | undefined {
  const fourCcList = isAmfArray(properties.fourCcList) ? properties.fourCcList.filter(isString) : undefined;
  const audioFourCcInfoMap = readInfoMap(properties.audioFourCcInfoMap);
  const videoFourCcInfoMap = readInfoMap(properties.videoFourCcInfoMap);
  const capsEx = typeof properties.capsEx === 'number' ? readFlags(properties.capsEx, CAPS_EX) : undefined;
  const capabilities = {
    ...(fourCcList && { fourCcList }),
    ...(audioFourCcInfoMap && { audioFourCcInfoMap }),
    ...(videoFourCcInfoMap && { videoFourCcInfoMap }),
    ...(capsEx && { capsEx }),
  };
  return Object.keys(capabilities).length > 0 ? capabilities : undefined;
}

/** The properties that say it. */
export function enhancedProperties(capabilities: EnhancedCapabilities): AmfObject {
  const { fourCcList, audioFourCcInfoMap, videoFourCcInfoMap, capsEx } = capabilities;
  return {
    ...(fourCcList && { fourCcList }),
    ...(audioFourCcInfoMap && { audioFourCcInfoMap: writeInfoMap(audioFourCcInfoMap) }),
    ...(videoFourCcInfoMap && { videoFourCcInfoMap: writeInfoMap(videoFourCcInfoMap) }),
    ...(capsEx && { capsEx: writeFlags(capsEx, CAPS_EX) }),
  };
}

/**
 * Whether a side said that it can do this with that codec. What it says of `*` holds for every codec beside what it says of one; in the older
 * list a codec counts as one that it can do everything with.
 */
export function supportsCodec(
  capabilities: EnhancedCapabilities | undefined,
  kind: 'audio' | 'video',
  fourCc: string,
  ability: keyof FourCcInfo,
): boolean {
  if (capabilities === undefined) return false;
  const { fourCcList = [], audioFourCcInfoMap = {}, videoFourCcInfoMap = {} } = capabilities;
  const map = kind === 'audio' ? audioFourCcInfoMap : videoFourCcInfoMap;
  return [fourCc, '*'].some(
    (key) => fourCcList.includes(key) || (Object.hasOwn(map, key) && map[key]?.[ability] === true),
  );
}

function readInfoMap(value: AmfValue): FourCcInfoMap | undefined {
  const properties = amfProperties(value);
  if (properties === undefined) return undefined;
  const map: Record<string, FourCcInfo> = Object.create(null);
  for (const [fourCc, flags] of Object.entries(properties)) {
    if (typeof flags === 'number') map[fourCc] = readFlags(flags, FOUR_CC_INFO);
  }
  return map;
}

function writeInfoMap(map: FourCcInfoMap): AmfObject {
  return Object.fromEntries(Object.entries(map).map(([fourCc, info]) => [fourCc, writeFlags(info, FOUR_CC_INFO)]));
}

type Flags<Name extends string> = Readonly<Record<Name, number>>;

function readFlags<Name extends string>(value: number, masks: Flags<Name>): Record<Name, boolean> {
  const names = Object.keys(masks) as Name[];
  return Object.fromEntries(names.map((name) => [name, (value & masks[name]) !== 0])) as Record<Name, boolean>;
}

function writeFlags<Name extends string>(flags: { readonly [name in Name]?: boolean }, masks: Flags<Name>): number {
  const names = Object.keys(masks) as Name[];
  return names.reduce((value, name) => (flags[name] === true ? value | masks[name] : value), 0);
}

function isString(value: AmfValue): value is string {
  return typeof value === 'string';
}
