/** A wideband frame of 42 octets: narrowband mode 5 (300 bits) and a layer of mode 1 (36 bits). Each seed has its own. */
export function wideband(seed: number): Uint8Array {
  const frame = new Uint8Array(42).fill(seed);
  frame[0] = 0x28 | (seed & 0x07); // 0 0101: narrowband, mode 5
  frame[37] = 0x09; // bits 300-303 are 1001: a layer of mode 1
  return frame;
}

/** Two frames in one packet: each of 9 bits, silence as a wideband encoder sends it in DTX (0 0000 1000), and 1s. */
export const twoSilences = Uint8Array.of(0b00000100, 0b00000010, 0b00011111);
/** One of them by itself. */
export const silence = Uint8Array.of(0b00000100, 0b00111111);

/** The body of an FLV audio tag: Speex, as Flash Player writes it. */
export function flv(packet: Uint8Array): Uint8Array {
  return Uint8Array.of(0xb2, ...packet);
}
