/**
 * WAV files (RIFF, Multimedia Programming Interface and Data Specifications 1.0, and WAVEFORMATEXTENSIBLE): PCM of 8 to 32
 * bits and floating point, mono and stereo.
 */
export interface Sound {
  /** Hz. */
  readonly sampleRate: number;
  /** One channel: of stereo, the mean of both. */
  readonly samples: Int16Array;
}

export type WavErrorCode = 'wav.signature' | 'wav.truncated' | 'wav.format' | 'wav.empty';

/** The file cannot be played; the message says why. */
export class WavError extends Error {
  readonly code: WavErrorCode;

  constructor(code: WavErrorCode, message: string) {
    super(message);
    this.name = 'WavError';
    this.code = code;
  }
}

interface Format {
  readonly encoding: 'integer' | 'float';
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

const pcm = 1;
const float = 3;
/** WAVE_FORMAT_EXTENSIBLE: what the encoding is stands at the beginning of the sub-format's GUID. */
const extensible = 0xfffe;
const minRate = 4000;
const maxRate = 192_000;

/** Any bytes: a sound of one sample or more, or a WavError. */
export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 12 || fourCc(view, 0) !== 'RIFF' || fourCc(view, 8) !== 'WAVE') {
    throw new WavError('wav.signature', 'this is no WAV file: it does not begin with RIFF and WAVE');
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [name, size] = [fourCc(view, at), view.getUint32(at + 4, true)];
    const end = at + 8 + size;
    if (name === 'fmt ') format = readFormat(view, at + 8, end);
    if (name === 'data') {
      if (format === undefined) throw new WavError('wav.format', 'the WAV file has no format before its sound');
      // Programs that write to a pipe do not know the size, and put 0 or something large: the sound goes to the end.
      const known = size > 0 && end <= view.byteLength;
      return readSamples(view, format, at + 8, known ? end : view.byteLength);
    }
    // Chunks begin at even places.
    at = end + (size % 2);
  }
  throw new WavError('wav.empty', 'the WAV file has no sound in it');
}

function readFormat(view: DataView, at: number, end: number): Format {
  if (end > view.byteLength || end - at < 16) throw new WavError('wav.truncated', "the WAV file's format is cut off");
  const tag = view.getUint16(at, true);
  const wide = tag === extensible && end - at >= 40;
  const encoding = encodings[wide ? view.getUint16(at + 24, true) : tag];
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  const refuse = (what: string) => new WavError('wav.format', `${what}; a WAV file of 16 bit PCM will do`);
  if (encoding === undefined) throw refuse(`the WAV file's encoding is number ${tag}, not PCM`);
  if (channels !== 1 && channels !== 2) throw refuse(`the WAV file has ${channels} channels, not 1 or 2`);
  if (sampleRate < minRate || sampleRate > maxRate) {
    throw refuse(`the WAV file has ${sampleRate} Hz, not ${minRate} to ${maxRate}`);
  }
  if (!widths[encoding].includes(bits)) throw refuse(`the WAV file has ${bits} bits a sample (${encoding})`);
  return { encoding, channels, sampleRate, bits };
}

const encodings: Readonly<Record<number, 'integer' | 'float'>> = { [pcm]: 'integer', [float]: 'float' };
const widths = { integer: [8, 16, 24, 32], float: [32, 64] } as const satisfies Record<string, readonly number[]> as {
  readonly integer: readonly number[];
  readonly float: readonly number[];
};

function readSamples(view: DataView, { encoding, channels, sampleRate, bits }: Format, from: number, to: number) {
  const width = bits / 8;
  const sampleAt = encoding === 'float' ? floatReader(view, bits) : integerReader(view, bits);
  const samples = new Int16Array(Math.floor((to - from) / (width * channels)));
  if (samples.length === 0) throw new WavError('wav.empty', 'the WAV file has no sound in it');
  for (let index = 0; index < samples.length; index++) {
    const at = from + index * width * channels;
    const left = sampleAt(at);
    samples[index] = clip(channels === 1 ? left : (left + sampleAt(at + width)) / 2);
  }
  return { sampleRate, samples };
}

/** 8 bits are unsigned, all others are signed. */
function integerReader(view: DataView, bits: number): (at: number) => number {
  if (bits === 8) return (at) => (view.getUint8(at) - 128) * 256;
  if (bits === 16) return (at) => view.getInt16(at, true);
  const most = bits / 8 - 2;
  return (at) => view.getInt16(at + most, true);
}

function floatReader(view: DataView, bits: number): (at: number) => number {
  const read = bits === 32 ? (at: number) => view.getFloat32(at, true) : (at: number) => view.getFloat64(at, true);
  // Not-a-number is silence.
  return (at) => (read(at) || 0) * 32_767;
}

const clip = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value)));

const fourCc = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)));

export const wavHeaderLength = 44;
/** A RIFF file says its size in 32 bits. */
export const maxWavSamples = Math.floor((2 ** 32 - 1 - wavHeaderLength) / 2);

/** The header of a file of 16 bit mono. */
export function wavHeader(sampleRate: number, sampleCount: number): Uint8Array {
  const header = Buffer.alloc(wavHeaderLength);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(wavHeaderLength - 8 + sampleCount * 2, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(pcm, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(sampleCount * 2, 40);
  return header;
}
