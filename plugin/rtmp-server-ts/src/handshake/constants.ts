export const HANDSHAKE_LENGTH = 1536;
export const DIGEST_LENGTH = 32;

/** The version byte of C0 and S0 for plain RTMP (section 5.2.2). */
export const RTMP_VERSION = 3;

/** That of RTMPE. */
export const RTMPE_VERSION = 6;

/** RTMPE whose signatures are encrypted once more, by 16 keys that were never published. */
export const RTMPE_XTEA_VERSION = 8;
