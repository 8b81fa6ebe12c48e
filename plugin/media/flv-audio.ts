/**
 * The first octet of an FLV audio tag's body (FLV specification E.4.2.1): codec in the high nibble, then rate, sample
 * size and channels, which mean nothing for Speex.
 */
export const flvCodec = { speex: 11 } as const;

/** What Flash Player writes for Speex, whatever its rate, and what old clients look for. */
export const flvSpeexOctet = 0xb2;
