/** What audio messages of RTMP can be in, named as by RTP and, for Nellymoser, by the RTMP specification (section 7.2.1.1). */
export type ClientCodec = 'speex' | 'pcmu' | 'pcma' | 'opus' | 'nelly' | 'nelly8' | 'nelly16' | 'aac' | 'mp3';

/** What is known of a client's audio. */
export interface ClientAudio {
  /** What it says that it can play; absent when it did not say. */
  readonly receives?: ReadonlySet<ClientCodec>;
  /** What it sent last; absent when it has not sent yet. */
  readonly sends?: ClientCodec;
  /** The message that it sent last of those without which the others cannot be read: AAC's sequence header. */
  readonly header?: Uint8Array;
}

/** SoundFormat of FLV (specification 10.1, section E.4.2.1): the high nibble of the first octet. */
const soundFormats: readonly (ClientCodec | undefined)[] = Object.assign(new Array(16).fill(undefined), {
  2: 'mp3',
  4: 'nelly16',
  5: 'nelly8',
  6: 'nelly',
  7: 'pcma',
  8: 'pcmu',
  10: 'aac',
  11: 'speex',
  14: 'mp3',
});

/** The ExHeader of Enhanced RTMP (v2, "Enhanced Audio"): packet type in the low nibble, then a FourCC. */
const exHeader = 9;

/** The FourCC `Opus`. */
const opus = [0x4f, 0x70, 0x75, 0x73] as const;

/** What the body of an FLV audio tag is in; undefined when it is empty or in none of these. */
export function clientCodecOf(body: Uint8Array): ClientCodec | undefined {
  const first = body[0];
  if (first === undefined) return undefined;
  if (first >> 4 !== exHeader) return soundFormats[first >> 4];
  return opus.every((octet, index) => body[index + 1] === octet) ? 'opus' : undefined;
}

/** Whether the body is AAC's sequence header (FLV specification E.4.2.2: packet type 0). */
export function isSequenceHeader(body: Uint8Array): boolean {
  return (body[0] ?? 0) >> 4 === 10 && body[1] === 0;
}
