/** Until a Set Chunk Size message says otherwise (section 5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;
/** A chunk never holds more than a message does. */
export const MAX_CHUNK_SIZE = 0xffffff;
/** A length or timestamp field has 24 bits; in the timestamp field this value announces 32 more (section 5.3.1.3). */
export const U24_MAX = 0xffffff;
export const MAX_CHUNK_STREAM_ID = 65_599;
/** Chunk stream of the protocol control messages (section 5.4). */
export const CONTROL_CHUNK_STREAM_ID = 2;
