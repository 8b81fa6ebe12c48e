/** The codecs that calls are carried in, as RTP names them (RFC 3551, RFC 5574). */
export type AudioCodec = 'speex' | 'pcmu' | 'pcma';

/**
 * The first octet of an FLV audio tag's body (FLV specification E.4.2.1): codec in the high nibble, then rate, sample
 * size and channels, which mean nothing for Speex and are always 16 bit mono of the lowest rate for G.711.
 */
export const flvCodec = { pcma: 7, pcmu: 8, speex: 11 } as const;

/** What Flash Player writes for Speex, whatever its rate, and what old clients look for. */
export const flvSpeexOctet = 0xb2;

export const flvOctet: Readonly<Record<AudioCodec, number>> = { speex: flvSpeexOctet, pcma: 0x72, pcmu: 0x82 };

const byNumber: readonly (AudioCodec | undefined)[] = Object.assign(new Array(16).fill(undefined), {
  [flvCodec.pcma]: 'pcma',
  [flvCodec.pcmu]: 'pcmu',
  [flvCodec.speex]: 'speex',
});

/** What a body says it is in; undefined for codecs that are not carried. */
export function flvCodecOf(body: Uint8Array): AudioCodec | undefined {
  return byNumber[(body[0] ?? 0) >> 4];
}
