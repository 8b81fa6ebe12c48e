import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resample } from '../../../flash_phone/headless/resample.js';
import { readWav, WavError, wavHeader } from '../../../flash_phone/headless/wav.js';
import { compareSpeech } from '../../support/compare-speech.js';
import { runProgram } from '../../support/process.js';
import { sampleRate, speak, writeWav } from '../../support/speech.js';

interface Parts {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  /** Of the format's chunk. */
  readonly size?: number;
  readonly data?: readonly number[] | undefined;
  /** What the data chunk says that its size is. */
  readonly dataSize?: number;
  /** Bytes of a chunk between the two. */
  readonly between?: readonly number[];
}

/** `RIFF` size `WAVE`, `fmt ` size {tag, channels, rate, bytes a second, bytes a sample, bits}, `data` size bytes. */
function wav(parts: Parts = {}): Uint8Array {
  const { tag = 1, channels = 1, rate = 8000, bits = 16, size = 16, data = [1, 0, 2, 0], between } = parts;
  const format = Buffer.alloc(size);
  const fields = Buffer.alloc(16);
  fields.writeUInt16LE(tag, 0);
  fields.writeUInt16LE(channels, 2);
  fields.writeUInt32LE(rate, 4);
  fields.writeUInt16LE(bits, 14);
  fields.copy(format);
  return Buffer.concat([
    ...[Buffer.from('RIFF\0\0\0\0WAVE'), chunk('fmt ', format)],
    ...(between ? [chunk('LIST', Buffer.from(between)), Buffer.alloc(between.length % 2)] : []),
    chunk('data', Buffer.from(data), parts.dataSize),
  ]);
}

function chunk(name: string, content: Buffer, size = content.length): Buffer {
  const head = Buffer.from(`${name}\0\0\0\0`);
  head.writeUInt32LE(size >>> 0, 4);
  return Buffer.concat([head, content]);
}

const cut = (bytes: Uint8Array, length: number) => bytes.subarray(0, length);
const withoutFormat = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), chunk('data', Buffer.of(1, 2))]);

test.each<[string, Uint8Array, string]>([
  ['nothing', new Uint8Array(), 'wav.signature'],
  ['another kind of file', Buffer.from('OggS and so on and on'), 'wav.signature'],
  ['another kind of RIFF file', Buffer.from('RIFF\0\0\0\0AVI LIST'), 'wav.signature'],
  ['a file cut in its signature', cut(wav(), 11), 'wav.signature'],
  ['a file without chunks', cut(wav(), 12), 'wav.empty'],
  ['a file cut in its format', cut(wav(), 24), 'wav.truncated'],
  ['a format of 14 bytes', wav({ size: 14 }), 'wav.truncated'],
  ['sound without a format before it', withoutFormat, 'wav.format'],
  ['ADPCM', wav({ tag: 2 }), 'wav.format'],
  ['mu-law', wav({ tag: 7, bits: 8 }), 'wav.format'],
  ['extensible, but without the extension', wav({ tag: 0xfffe }), 'wav.format'],
  ['no channel', wav({ channels: 0 }), 'wav.format'],
  ['six channels', wav({ channels: 6 }), 'wav.format'],
  ['0 Hz', wav({ rate: 0 }), 'wav.format'],
  ['4 GHz', wav({ rate: 0xffffffff }), 'wav.format'],
  ['0 bits', wav({ bits: 0 }), 'wav.format'],
  ['12 bits', wav({ bits: 12 }), 'wav.format'],
  ['floating point of 16 bits', wav({ tag: 3, bits: 16 }), 'wav.format'],
  ['no sample', wav({ data: [] }), 'wav.empty'],
  ['half a sample', wav({ data: [1] }), 'wav.empty'],
  ['a chunk longer than the file before the sound', cut(wav({ between: [1, 2, 3, 4] }), 46), 'wav.empty'],
])('%s is refused', (_, bytes, code) => {
  expect(() => readWav(bytes)).toThrow(WavError);
  expect(() => readWav(bytes)).toThrow(expect.objectContaining({ code }));
});

test.each<[string, Uint8Array, readonly number[]]>([
  ['16 bits', wav({ data: [0x34, 0x12, 0xff, 0xff] }), [0x1234, -1]],
  ['8 bits, unsigned', wav({ bits: 8, data: [0, 128, 255] }), [-32768, 0, 32512]],
  ['24 bits', wav({ bits: 24, data: [0xff, 0x34, 0x12, 0, 0, 0x80] }), [0x1234, -32768]],
  ['32 bits', wav({ bits: 32, data: [0, 0, 0x34, 0x12] }), [0x1234]],
  [
    'floating point: 1, -2, not a number',
    wav({ tag: 3, bits: 32, data: [0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 192, 127] }),
    [32767, -32768, 0],
  ],
  ['stereo: the mean', wav({ channels: 2, data: [10, 0, 20, 0] }), [15]],
  ['the rest of a cut sample left out', wav({ data: [1, 0, 2] }), [1]],
  ['a size that is not known: 0', wav({ dataSize: 0 }), [1, 2]],
  ['a size that is not known: the greatest', wav({ dataSize: 0xffffffff }), [1, 2]],
  ['a chunk of odd length before the sound', wav({ between: [1, 2, 3] }), [1, 2]],
])('%s is read', (_, bytes, samples) => {
  expect([...readWav(bytes).samples]).toEqual(samples);
});

test('any bytes are a sound or an error of its own kind', () => {
  const flipped = fc.tuple(fc.nat(60), fc.nat(255)).map(([at, value]) => {
    const bytes = Uint8Array.from(wav({ between: [1, 2, 3, 4] }));
    bytes[at % bytes.length] = value;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), flipped), (bytes) => {
      try {
        return readWav(bytes).samples.length > 0;
      } catch (error) {
        return error instanceof WavError;
      }
    }),
  );
});

test('the header that is written is the one that is read', () => {
  const samples = Int16Array.of(1, -2, 3);
  const file = Buffer.concat([wavHeader(16_000, samples.length), new Uint8Array(samples.buffer)]);
  expect(readWav(file)).toEqual({ sampleRate: 16_000, samples });
});

test.each([
  ['8000', 'pcm_u8', '1', 0.9],
  ['11025', 'pcm_s16le', '1', 0.97],
  ['22050', 'pcm_s24le', '2', 0.98],
  ['44100', 'pcm_s16le', '2', 0.98],
  ['48000', 'pcm_s32le', '1', 0.98],
  ['96000', 'pcm_f32le', '2', 0.98],
  ['12345', 'pcm_f64le', '1', 0.97],
] as const)('speech of %s Hz that FFmpeg wrote as %s is the same at 16 kHz', async (rate, codec, channels, least) => {
  const speech = await speak('One, two, three.');
  const options = ['-v', 'error', '-i', '-', '-ar', rate, '-ac', channels, '-c:a', codec, '-f', 'wav', '-'];
  const sound = readWav(await runProgram('ffmpeg', options, { input: await writeWav(speech) }));
  expect(sound.sampleRate).toBe(Number(rate));
  const { correlation, lagMs } = compareSpeech(speech, resample(sound.samples, sound.sampleRate, sampleRate));
  expect(correlation).toBeGreaterThan(least);
  expect(lagMs).toBe(0);
});

test('what the lower rate cannot carry is held down', () => {
  const tone = (hertz: number) =>
    Int16Array.from({ length: 48_000 }, (_, at) => 10_000 * Math.sin((2 * Math.PI * hertz * at) / 48_000));
  const peak = (hertz: number) =>
    Math.max(...resample(tone(hertz), 48_000, 16_000).subarray(200, 15_800).map(Math.abs));
  expect(peak(1000)).toBeGreaterThan(9800);
  expect(peak(1000)).toBeLessThan(10_100);
  expect(peak(9500)).toBeLessThan(100);
});
