import { describe, expect, it } from 'vitest';
import { compress, convert, expand, type Law, silentOctet } from '../../../plugin/media/audio/g711.js';
import { runProgram } from '../../support/process.js';

const laws: readonly Law[] = ['pcmu', 'pcma'];
const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);
const everySample = Int16Array.from({ length: 65536 }, (_, index) => index - 32768);

const bytesOf = (samples: Int16Array): Uint8Array => new Uint8Array(samples.buffer);
const rawFormat: Readonly<Record<Law, string>> = { pcmu: 'mulaw', pcma: 'alaw' };

describe.each(laws)('%s', (law) => {
  it("expands every octet as FFmpeg's decoder does", async () => {
    const format = ['-nostdin', '-v', 'error', '-f', rawFormat[law], '-ar', '8000', '-i', '-', '-f', 's16le', '-'];
    const theirs = await runProgram('ffmpeg', format, { input: octets });
    expect(Buffer.from(bytesOf(expand(law, octets))).equals(theirs)).toBe(true);
  });

  it('compresses every sample to the nearest level', () => {
    const levels = [...expand(law, octets)];
    const back = expand(law, compress(law, everySample));
    for (let at = 0; at < everySample.length; at += 7) {
      const sample = everySample[at] ?? 0;
      const nearest = levels.reduce((least, level) => Math.min(least, Math.abs(level - sample)), 65536);
      const off = Math.abs((back[at] ?? 0) - sample);
      // Decision values lie in the middle of two levels, but for where one step is twice the next (a 64th of the level).
      expect(off, `${sample}`).toBeLessThanOrEqual(nearest + 8 + Math.abs(sample) / 64);
    }
  });

  it('compresses a level back to its octet', () => {
    const again = compress(law, expand(law, octets));
    // mu-law has two octets for zero.
    for (const [octet, value] of again.entries()) expect(value).toBe(law === 'pcmu' && octet === 0x7f ? 0xff : octet);
  });

  it('keeps its silence', () => {
    expect(Math.abs(expand(law, Uint8Array.of(silentOctet[law]))[0] ?? 99)).toBeLessThanOrEqual(8);
  });
});

it.each([
  ['pcmu', 0, 0xff],
  ['pcmu', 32767, 0x80],
  ['pcmu', -32768, 0x00],
  ['pcma', 0, 0xd5],
  ['pcma', 32767, 0xaa],
  ['pcma', -32768, 0x2a],
] as const)('%s of %i is %i (G.711 tables 1 and 2)', (law, sample, octet) => {
  expect([...compress(law, Int16Array.of(sample))]).toEqual([octet]);
});

it('converts between the laws as through linear samples, and leaves the same law as it is', () => {
  expect(convert(octets, 'pcmu', 'pcma')).toEqual(compress('pcma', expand('pcmu', octets)));
  expect(convert(octets, 'pcma', 'pcmu')).toEqual(compress('pcmu', expand('pcma', octets)));
  expect(convert(octets, 'pcma', 'pcma')).toBe(octets);
});
