/** Bytes from annotated parts: hexadecimal digits (spaces ignored) and byte arrays. */
export function bytes(...parts: (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? fromHex(part) : [...part])));
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function repeat(byte: number, count: number): Uint8Array {
  return new Uint8Array(count).fill(byte);
}

/** 0, 1, 2 ... 255, 0 ...: a payload in which a misplaced byte shows. */
export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

function fromHex(digits: string): number[] {
  const compact = digits.replaceAll(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(compact)) throw new Error(`not hexadecimal: ${digits}`);
  return [...Buffer.from(compact, 'hex')];
}
