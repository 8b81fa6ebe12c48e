export const HANDSHAKE_LENGTH = 1536;
export const DIGEST_LENGTH = 32;

/** The version byte of C0 and S0 for plain RTMP (section 5.2.2). */
export const RTMP_VERSION = 3;

/** Those of RTMPE. */
export const RTMPE_VERSIONS: readonly number[] = [6, 8];
