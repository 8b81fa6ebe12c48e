/** Timer values of RFC 3261 table 4, in milliseconds. */
export const T1 = 500;
export const T2 = 4_000;
export const T4 = 5_000;
/** Timers B, D (unreliable), F, H, J and, from RFC 6026, L and M. */
export const TIMEOUT = 64 * T1;
/** Timer C: how long an INVITE may ring; the drachtio server's value. */
export const RING_TIMEOUT = 185_000;
