/** Big-endian integers in a byte array; the caller has checked the length. A byte beyond the end reads as 0. */

export function readU24(bytes: Uint8Array, offset: number): number {
  return (at(bytes, offset) << 16) | (at(bytes, offset + 1) << 8) | at(bytes, offset + 2);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return ((at(bytes, offset) << 24) | readU24(bytes, offset + 1)) >>> 0;
}

/** The one little-endian number of RTMP: the message stream id of a type 0 chunk header (section 5.3.1.2.1). */
export function readU32LittleEndian(bytes: Uint8Array, offset: number): number {
  const high = (at(bytes, offset + 3) << 24) | (at(bytes, offset + 2) << 16);
  return (high | (at(bytes, offset + 1) << 8) | at(bytes, offset)) >>> 0;
}

export function writeU24(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  writeU24(bytes, offset + 1, value);
}

/** As {@link readU32LittleEndian}. */
export function writeU32LittleEndian(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

function at(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}
