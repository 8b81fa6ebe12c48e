/** Packs a text of 0s and 1s, blanks ignored, into octets; the rest of the last octet is padded as RFC 5574 has it. */
export function pack(text: string): Uint8Array {
  const bits = text.replaceAll(' ', '');
  const rest = (8 - (bits.length % 8)) % 8;
  const padded = rest === 0 ? bits : `${bits}0${'1'.repeat(rest - 1)}`;
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2));
}

/** The narrowband frame of a mode with given content. */
export function narrowband(mode: number, content = ''): string {
  const size = [5, 43, 119, 160, 220, 300, 364, 492, 79][mode] ?? 0;
  return `0${mode.toString(2).padStart(4, '0')}${content}`.padEnd(size, '0').slice(0, size);
}

/** A layer above a frame. */
export function layer(mode: number, content = ''): string {
  const size = [4, 36, 112, 192, 352][mode] ?? 0;
  return `1${mode.toString(2).padStart(3, '0')}${content}`.padEnd(size, '0').slice(0, size);
}
