/** NAL units of H.264 (ITU-T H.264 section 7.4.1, table 7-1): the types that this gateway tells apart. */
export const nalType = {
  slice: 1,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

/** 1-23 is a NAL unit of H.264; 24-31 are packets of RFC 6184 and never part of a stream. */
export function typeOf(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** Whether it holds a part of a picture. */
export function isSlice(nal: Uint8Array): boolean {
  const type = typeOf(nal);
  return type >= nalType.slice && type <= nalType.idr;
}

export function isParameterSet(nal: Uint8Array): boolean {
  const type = typeOf(nal);
  return type === nalType.sps || type === nalType.pps;
}

const marks: readonly number[] = [nalType.delimiter, nalType.endOfSequence, nalType.endOfStream, nalType.filler];

/** What only separates or fills: FLV and RTP have means of their own for that, and some decoders dislike it in FLV. */
export function carriesNothing(nal: Uint8Array): boolean {
  return marks.includes(typeOf(nal));
}
