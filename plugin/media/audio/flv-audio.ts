import type { ClientCodec } from '../../call/client-audio.js';

/** The codecs that calls are carried in, as RTP names them (RFC 3551, RFC 5574, RFC 7587). */
export type AudioCodec = 'speex' | 'pcmu' | 'pcma' | 'opus';

/** The codecs of clients that no far end speaks. */
export type ForeignCodec = Exclude<ClientCodec, AudioCodec>;

/** Codecs of clients that take another program to become what the far end speaks, and back. */
export type ProgramCodec = ForeignCodec | 'opus';

/** The client's codec where that and the far end's take another program to become one another, else undefined. */
export function programCodec(client: ClientCodec, far: AudioCodec): ProgramCodec | undefined {
  return isForeign(client) || (client === 'opus' && far !== 'opus') ? client : undefined;
}

export function isForeign(codec: ClientCodec): codec is ForeignCodec {
  return codec !== 'speex' && codec !== 'pcmu' && codec !== 'pcma' && codec !== 'opus';
}

/** What Flash Player writes for Speex, whatever its rate, and what old clients look for. */
export const flvSpeexOctet = 0xb2;

/**
 * The first octet of an FLV audio tag's body (FLV specification E.4.2.1): codec in the high nibble, then rate, sample
 * size and channels, which mean nothing for Speex and are always 16 bit mono of the lowest rate for G.711.
 */
export const flvOctet = { speex: flvSpeexOctet, pcma: 0x72, pcmu: 0x82 } as const;
