/** What a crypto suite of SDP (RFC 4568 section 6.2, RFC 7714 section 14.1) stands for; lengths in octets. */
export interface CryptoSuite {
  readonly transform: 'aes-cm-hmac-sha1' | 'aes-gcm';
  readonly keyLength: 16;
  readonly saltLength: number;
  /** Of the authentication tag of SRTP. */
  readonly tagLength: number;
  /** Of the authentication tag of SRTCP: 80 bits also where that of SRTP has 32. */
  readonly rtcpTagLength: number;
}

const counterMode = { transform: 'aes-cm-hmac-sha1', keyLength: 16, saltLength: 14, rtcpTagLength: 10 } as const;

/** The suites that we know, in the order that we offer them: first the one that everybody has to know. */
export const cryptoSuites = {
  AES_CM_128_HMAC_SHA1_80: { ...counterMode, tagLength: 10 },
  AEAD_AES_128_GCM: { transform: 'aes-gcm', keyLength: 16, saltLength: 12, tagLength: 16, rtcpTagLength: 16 },
  AES_CM_128_HMAC_SHA1_32: { ...counterMode, tagLength: 4 },
} as const satisfies Readonly<Record<string, CryptoSuite>>;

export type SuiteName = keyof typeof cryptoSuites;

export const suiteNames = Object.keys(cryptoSuites) as readonly SuiteName[];

export function isSuiteName(text: string): text is SuiteName {
  return Object.hasOwn(cryptoSuites, text);
}

/** Octets of the master key and master salt together. */
export function keyMaterialLength(name: SuiteName): number {
  const { keyLength, saltLength } = cryptoSuites[name];
  return keyLength + saltLength;
}

/** What two parties agreed on. Each direction has the key of who sends. */
export interface SrtpKeys {
  readonly suite: SuiteName;
  /** Master key and master salt that we send with. A secret. */
  readonly local: Uint8Array;
  /** Master key and master salt that the far end sends with. A secret. */
  readonly remote: Uint8Array;
}
