/** Pieces of 20 ms, as RTP carries them. */
export const FRAME_MS = 20;

/** Notes of the melody by bar, as MIDI number and length in beats. */
const MELODY: readonly (readonly (readonly [note: number, beats: number])[])[] = [
  [
    [76, 1],
    [79, 1],
    [84, 1],
    [79, 1],
  ],
  [
    [81, 1],
    [79, 1],
    [76, 2],
  ],
  [
    [77, 1],
    [81, 1],
    [79, 1],
    [77, 1],
  ],
  [
    [74, 1],
    [79, 1],
    [71, 2],
  ],
  [
    [76, 1],
    [79, 1],
    [84, 1],
    [88, 1],
  ],
  [
    [86, 1],
    [84, 1],
    [81, 2],
  ],
  [
    [81, 1],
    [77, 1],
    [79, 1],
    [71, 1],
  ],
  [[72, 3]],
];
const C = [48, 55, 52, 55];
const F = [41, 48, 45, 48];
const G = [43, 50, 47, 50];
const A_MINOR = [45, 52, 48, 52];
/** One chord for every two beats, broken into eighths. */
const CHORDS = [C, C, A_MINOR, A_MINOR, F, F, G, G, C, C, A_MINOR, A_MINOR, F, G, C, C];

const BEAT_S = 0.5;
const BEATS_PER_BAR = 4;
/** Longest that a plucked note rings. */
const RING_S = 1.2;
const DECAY_S = 0.35;
const ATTACK_S = 0.004;
const RELEASE_S = 0.02;
/** Fundamental and overtones: a soft pluck, all below 4 kHz, so that it sounds the same at every rate. */
const PARTIALS = [1, 0.4, 0.12];
const MELODY_LEVEL = 7_000;
const CHORD_LEVEL = 3_500;

interface Note {
  readonly start: number;
  readonly end: number;
  readonly frequency: number;
  readonly level: number;
}

const NOTES: readonly Note[] = [...melodyNotes(), ...chordNotes()];

/** Frames from the beginning of the tune to where it begins again: 16 s. */
export const TUNE_FRAMES = (MELODY.length * BEATS_PER_BAR * BEAT_S * 1000) / FRAME_MS;

/** The samples of one frame, computed from the notes that sound in it; nothing of the tune is kept in memory. */
export function renderFrame(index: number, sampleRate: number): Int16Array {
  const length = (sampleRate * FRAME_MS) / 1000;
  const begin = (index * FRAME_MS) / 1000;
  const sounding = NOTES.filter((note) => note.start < begin + FRAME_MS / 1000 && note.end > begin);
  const samples = new Int16Array(length);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (const note of sounding) sum += valueAt(note, begin + i / sampleRate);
    samples[i] = Math.round(sum);
  }
  return samples;
}

function valueAt({ start, end, frequency, level }: Note, time: number): number {
  if (time < start || time >= end) return 0;
  const age = time - start;
  const envelope = Math.min(1, age / ATTACK_S, (end - time) / RELEASE_S) * Math.exp(-age / DECAY_S);
  let sum = 0;
  for (const [partial, strength] of PARTIALS.entries())
    sum += strength * Math.sin(2 * Math.PI * frequency * (partial + 1) * age);
  return level * envelope * sum;
}

function melodyNotes(): Note[] {
  const notes: Note[] = [];
  for (const [bar, line] of MELODY.entries()) {
    let beat = bar * BEATS_PER_BAR;
    for (const [midi, beats] of line) {
      notes.push(pluck(beat, midi, MELODY_LEVEL));
      beat += beats;
    }
  }
  return notes;
}

function chordNotes(): Note[] {
  return CHORDS.flatMap((chord, half) => chord.map((midi, eighth) => pluck(half * 2 + eighth / 2, midi, CHORD_LEVEL)));
}

function pluck(beat: number, midi: number, level: number): Note {
  const start = beat * BEAT_S;
  // Nothing rings across the end, so that the beginning is the same each time round.
  const end = Math.min(start + RING_S, MELODY.length * BEATS_PER_BAR * BEAT_S);
  return { start, end, frequency: 440 * 2 ** ((midi - 69) / 12), level };
}
