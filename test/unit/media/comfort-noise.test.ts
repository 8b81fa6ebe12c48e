import { describe, expect, it } from 'vitest';
import { ComfortNoise, levelOf } from '../../../plugin/media/audio/comfort-noise.js';
import { runProgram } from '../../support/process.js';

/** A second of the noise that a payload describes. */
function noise(...payloads: readonly (readonly number[])[]): Int16Array {
  const source = new ComfortNoise();
  for (const payload of payloads) expect(source.describe(Uint8Array.from(payload))).toBe(true);
  const samples = new Int16Array(8000);
  source.fill(samples);
  return samples;
}

const meanSquare = (samples: Int16Array): number => samples.reduce((sum, one) => sum + one * one, 0) / samples.length;

/** How much each sample is like the one before: 1 for a rumble, 0 for white noise, below 0 for a hiss. */
function correlation(samples: Int16Array): number {
  const product = samples.reduce((sum, one, at) => sum + one * (samples[at - 1] ?? 0), 0);
  return product / samples.length / meanSquare(samples);
}

const decibels = (samples: Int16Array): number => 10 * Math.log10(meanSquare(samples) / 2 ** 30);

describe('comfort noise (RFC 3389)', () => {
  it.each<[name: string, payload: readonly number[], level: number]>([
    ['-50 dBov', [50], -50],
    ['-70 dBov', [70], -70],
    ['the most significant bit, which is to be 0', [0x80 | 50], -50],
    ['as loud as can be: what would hurt is bounded', [0], -30],
    ['a low-pass filter', [50, 127 - 114], -50],
    ['a high-pass filter', [50, 127 + 114], -50],
    ['ten coefficients', [50, 40, 180, 110, 140, 127, 120, 130, 127, 125, 129], -50],
    ['more coefficients than anybody needs', [50, ...new Array(60).fill(120)], -50],
  ])('is as loud as described: %s', (_, payload, level) => {
    expect(decibels(noise(payload))).toBeGreaterThan(level - 1.5);
    expect(decibels(noise(payload))).toBeLessThan(level + 1.5);
  });

  it('of -127 dBov is silence', () => {
    expect(noise([127]).every((sample) => sample === 0)).toBe(true);
  });

  it('has the colour of its first coefficient, white without', () => {
    expect(correlation(noise([50]))).toBeCloseTo(0, 1);
    expect(correlation(noise([50, 127 - 114]))).toBeGreaterThan(0.8);
    expect(correlation(noise([50, 127 + 114]))).toBeLessThan(-0.8);
  });

  it('never runs away, whatever the octets', () => {
    for (const octet of [0, 1, 253, 254, 255]) {
      expect(decibels(noise([40, ...new Array(12).fill(octet)]))).toBeLessThan(-20);
    }
  });

  it('of no octet is none', () => {
    expect(new ComfortNoise().describe(new Uint8Array())).toBe(false);
  });

  it('gets louder and quieter without steps', () => {
    const source = new ComfortNoise();
    source.describe(Uint8Array.of(80));
    const frame = new Int16Array(160);
    source.fill(frame);
    source.describe(Uint8Array.of(40));
    const levels = Array.from({ length: 20 }, () => {
      source.fill(frame);
      return decibels(frame);
    });
    expect(levels[0]).toBeLessThan(-48);
    expect(levels.at(-1)).toBeGreaterThan(-42);
  });
});

it.each([
  [2 ** 30, 0],
  [2 ** 30 / 1000, 30],
  [1, 90],
  [0, 127],
])('samples of mean square %d have the level %i', (meanSquare, level) => {
  expect(levelOf(meanSquare)).toBe(level);
});

/** FFmpeg's encoder analyses noise in pieces of 80 ms, each a level and ten coefficients. */
describe.each(['white', 'pink', 'brown', 'blue'])('%s noise as FFmpeg describes it', (color) => {
  it('is made again as loud and of the same colour', async () => {
    const source = ['-f', 'lavfi', '-i', `anoisesrc=color=${color}:r=8000:amplitude=0.03:d=1:seed=7`, '-ac', '1'];
    const run = (...output: string[]) => runProgram('ffmpeg', ['-nostdin', '-v', 'error', ...source, ...output, '-']);
    const described = await run('-c:a', 'comfortnoise', '-map', '0:a', '-f', 'data');
    const original = await run('-f', 's16le');
    expect(described.length).toBeGreaterThanOrEqual(11 * 12);
    for (const piece of [1, 5, 9]) {
      const samples = Int16Array.from({ length: 640 }, (_, at) => original.readInt16LE((piece * 640 + at) * 2));
      const again = noise([...described.subarray(piece * 11, piece * 11 + 11)]);
      expect(Math.abs(decibels(again) - decibels(samples))).toBeLessThan(3);
      expect(Math.abs(correlation(again) - correlation(samples))).toBeLessThan(0.15);
    }
  });
});
