import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Downsampler, Upsampler } from '../../../plugin/media/audio/resampler.js';

const amplitude = 20_000;

function tone(hertz: number, rate: number, seconds = 0.5): Int16Array {
  return Int16Array.from(
    { length: rate * seconds },
    (_, at) => amplitude * Math.sin((2 * Math.PI * hertz * at) / rate),
  );
}

/** Level of one frequency in the second half of the samples, in dB against the tone that went in. */
function decibels(samples: Int16Array, hertz: number, rate: number): number {
  const half = samples.subarray(samples.length / 2);
  let [real, imaginary] = [0, 0];
  for (const [at, sample] of half.entries()) {
    real += sample * Math.cos((2 * Math.PI * hertz * at) / rate);
    imaginary += sample * Math.sin((2 * Math.PI * hertz * at) / rate);
  }
  return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / half.length / amplitude + 1e-9);
}

describe('from 16 to 8 kHz', () => {
  it.each([100, 300, 1000, 2000, 3000, 3400])('%i Hz comes through within 0.1 dB', (hertz) => {
    expect(Math.abs(decibels(new Downsampler().process(tone(hertz, 16000)), hertz, 8000))).toBeLessThan(0.1);
  });

  it.each([4000, 4200, 5000, 6000, 7000, 7900])(
    '%i Hz, which would come out at another pitch, is 60 dB down',
    (hertz) => {
      expect(decibels(new Downsampler().process(tone(hertz, 16000)), 8000 - hertz, 8000)).toBeLessThan(-60);
    },
  );
});

describe('from 8 to 16 kHz', () => {
  it.each([100, 300, 1000, 2000, 3000, 3400])('%i Hz comes through within 0.1 dB, its image is 60 dB down', (hertz) => {
    const up = new Upsampler().process(tone(hertz, 8000));
    expect(Math.abs(decibels(up, hertz, 16000))).toBeLessThan(0.1);
    expect(decibels(up, 8000 - hertz, 16000)).toBeLessThan(-60);
  });
});

it('up and down again is the same 6 ms later', () => {
  const samples = tone(440, 8000);
  const back = new Downsampler().process(new Upsampler().process(samples));
  for (let at = 1000; at < 2000; at++) expect(Math.abs((back[at] ?? 0) - (samples[at - 48] ?? 0))).toBeLessThan(20);
});

it('blocks of any length give what one gives', () => {
  const samples = tone(700, 16000, 0.1);
  const whole = [new Downsampler().process(samples), new Upsampler().process(samples)];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 30 }), (lengths) => {
      const [down, up] = [new Downsampler(), new Upsampler()];
      const parts: [number[], number[]] = [[], []];
      let at = 0;
      for (const length of [...lengths.map((value) => value * 2), samples.length]) {
        const block = samples.subarray(at, at + length);
        at += block.length;
        parts[0].push(...down.process(block));
        parts[1].push(...up.process(block));
      }
      expect(parts).toEqual(whole.map((one) => [...one]));
    }),
    { numRuns: 50 },
  );
});

it('clips what overshoots', () => {
  const square = Int16Array.from({ length: 1600 }, (_, at) => (at % 40 < 20 ? 32767 : -32768));
  const down = new Downsampler().process(square);
  for (let at = 60; at < down.length; at++) if (at % 20 === 15) expect(Math.abs(down[at] ?? 0)).toBeGreaterThan(25_000);
  expect(Math.max(...down)).toBe(32767);
});
