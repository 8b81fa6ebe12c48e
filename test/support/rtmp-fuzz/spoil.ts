import type { Random } from './random.js';

/** Values at which lengths, counts and types turn. */
const TURNS = [0x00, 0x01, 0x03, 0x07, 0x09, 0x0a, 0x0b, 0x11, 0x12, 0x13, 0x7f, 0x80, 0xfe, 0xff] as const;
const LARGEST = 16_384;

/** The input with some bytes changed, cut out, put in, repeated, moved in from another input, or cut off. */
export function spoil(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let output: Uint8Array = Uint8Array.from(input);
  for (let count = 1 + random(5); count > 0; count -= 1) output = change(output, other, random);
  return output.length > LARGEST ? output.subarray(0, LARGEST) : output;
}

function change(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random(input.length + 1);
  const length = 1 + random(20);
  switch (random(8)) {
    case 0:
      input[at] = random(256);
      return input;
    case 1:
    case 2:
      input[at] = TURNS[random(TURNS.length)] ?? 0;
      return input;
    case 3:
      input[at] = (input[at] ?? 0) ^ (1 << random(8));
      return input;
    case 4:
      return joined(input.subarray(0, at), input.subarray(at + length));
    case 5:
      return joined(input.subarray(0, at), slice(input, length, random), input.subarray(at));
    case 6:
      return joined(input.subarray(0, at), slice(other, 4 * length, random), input.subarray(at));
    default:
      return random(4) === 0 ? input.subarray(0, at) : input;
  }
}

function slice(input: Uint8Array, length: number, random: Random): Uint8Array {
  const start = random(input.length + 1);
  return input.subarray(start, start + length);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const output = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    output.set(part, offset);
    offset += part.length;
  }
  return output;
}
