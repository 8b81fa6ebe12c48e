export const HANDSHAKE_LENGTH = 1536;
export const DIGEST_LENGTH = 32;

/** The version byte of C0 and S0 for plain RTMP (section 5.2.2). */
export const RTMP_VERSION = 3;

/** Those of RTMPE. Type 8 encrypts the signatures of C2 and S2 once more; what is sent afterwards is encrypted alike. */
export type RtmpeType = 6 | 8;

export function isRtmpeType(version: number | undefined): version is RtmpeType {
  return version === 6 || version === 8;
}
