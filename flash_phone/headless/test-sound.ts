import { sampleRate } from './codec.js';

const syllableMs = 250;
const level = 6000;
/** Hz of the harmonics' fundamental at each syllable: no two parts of the sound are alike, so that an echo has one place only. */
const pitches = [130, 180, 150, 240, 200, 110, 260, 170, 220, 140, 190, 120];

/** What is said when there is no file: a buzz that speech codecs carry, in syllables of changing pitch and length; 5 s. */
export function testSound(): Int16Array {
  const samples = new Int16Array(5 * sampleRate);
  let phase = 0;
  for (let at = 0; at < samples.length; at++) {
    const syllable = Math.floor((at * 1000) / sampleRate / syllableMs);
    const within = ((at * 1000) / sampleRate / syllableMs) % 1;
    const pitch = pitches[syllable % pitches.length] ?? 0;
    phase = (phase + (pitch * (1 + 0.2 * within)) / sampleRate) % 1;
    const length = 0.5 + ((syllable * syllable * 7) % 11) / 22;
    const loud = within < length ? Math.sin((Math.PI * within) / length) : 0;
    samples[at] = Math.round(level * loud * buzz(phase));
  }
  return samples;
}

/** A few harmonics, falling as those of a voice do. */
function buzz(phase: number): number {
  let sum = 0;
  for (let harmonic = 1; harmonic <= 12; harmonic++) sum += Math.sin(2 * Math.PI * harmonic * phase) / harmonic;
  return sum;
}
