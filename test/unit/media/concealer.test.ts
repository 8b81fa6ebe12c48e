import { expect, it } from 'vitest';
import { Concealer } from '../../../plugin/media/audio/concealer.js';
import { compress, expand } from '../../../plugin/media/audio/g711.js';

const rate = 8000;
/** A voice of 125 Hz: pulses of a period of 64 samples. */
const voice = (at: number): number =>
  [1, 2, 3, 4].reduce((sum, n) => sum + (5000 / n) * Math.sin((2 * Math.PI * 125 * n * at) / rate), 0);

const conceal = (concealer: Concealer): Int16Array => expand('pcmu', concealer.conceal());

function heardVoice(samples: number): Concealer {
  const concealer = new Concealer('pcmu');
  for (let at = 0; at < samples; at += 160) {
    concealer.heard(
      compress(
        'pcmu',
        Int16Array.from({ length: 160 }, (_, index) => voice(at + index)),
      ),
    );
  }
  return concealer;
}

it('goes on with the voice for 10 ms, in its phase', () => {
  const made = conceal(heardVoice(800));
  expect(made.length).toBe(160);
  for (let at = 0; at < 80; at++) expect(Math.abs((made[at] ?? 0) - voice(800 + at))).toBeLessThan(700);
});

it('fades out within 60 ms', () => {
  const concealer = heardVoice(800);
  const loudest = Array.from({ length: 5 }, () => Math.max(...conceal(concealer)));
  expect(loudest[1]).toBeLessThan(loudest[0] ?? 0);
  expect(loudest[2]).toBeLessThan(loudest[1] ?? 0);
  expect(loudest.slice(3)).toEqual([0, 0]);
});

it('begins anew after what is heard next', () => {
  const concealer = heardVoice(800);
  for (let frame = 0; frame < 5; frame++) concealer.conceal();
  concealer.heard(
    compress(
      'pcmu',
      Int16Array.from({ length: 400 }, (_, at) => voice(at)),
    ),
  );
  expect(Math.max(...conceal(concealer))).toBeGreaterThan(5000);
});

it('is silent when nothing was heard', () => {
  expect(conceal(new Concealer('pcmu'))).toEqual(new Int16Array(160));
});
