/**
 * What Speex costs: microseconds per frame of 20 ms, and how many calls of one encoder and one decoder fill a core.
 * `node --conditions=source --import tsx test/load/speex-bench.ts [seconds of speech]`
 */
import type { EncoderOptions, SpeexRate } from 'speex-wasm';
import { speak } from '../support/speech.js';
import { speexCodec } from '../support/speex.js';

const seconds = Number(process.argv[2] ?? 20);
const codec = await speexCodec();
const speech = await speak();

const cases: readonly EncoderOptions[] = [
  { sampleRate: 8000, quality: 8 },
  ...[1, 2, 3, 4, 6, 8, 10].map((complexity): EncoderOptions => ({ sampleRate: 16000, quality: 8, complexity })),
  { sampleRate: 16000, quality: 6 },
  { sampleRate: 16000, quality: 10 },
  { sampleRate: 16000, quality: 8, vbr: true },
  { sampleRate: 32000, quality: 8 },
];

console.log('Hz     quality complexity  encode us  decode us  conceal us  octets/frame  calls/core');
for (const options of cases) measure(options);

function measure(options: EncoderOptions): void {
  const { sampleRate, quality = 8, complexity = 3, vbr = false } = options;
  const encoder = codec.createEncoder(options);
  const decoder = codec.createDecoder({ sampleRate });
  const frames = framesAt(sampleRate, encoder.frameSize);
  const packets: Uint8Array[] = [];
  const encode = time(frames.length, (index) => {
    const packet = encoder.encode(frames[index] ?? new Int16Array(encoder.frameSize));
    if (packet !== undefined) packets.push(packet);
  });
  const decode = time(packets.length, (index) => decoder.decode(packets[index] ?? new Uint8Array()));
  const conceal = time(500, () => decoder.conceal());
  const size = packets.reduce((sum, packet) => sum + packet.length, 0) / packets.length;
  const row = [
    String(sampleRate).padEnd(6),
    `${quality}${vbr ? ' vbr' : ''}`.padEnd(7),
    String(complexity).padEnd(10),
    ...[encode, decode, conceal].map((value) => value.toFixed(1).padStart(10)),
    size.toFixed(1).padStart(13),
    (20_000 / (encode + decode)).toFixed(0).padStart(11),
  ];
  console.log(row.join(' '));
  encoder.free();
  decoder.free();
}

/** Microseconds of one run, the first tenth not counted. */
function time(rounds: number, run: (index: number) => void): number {
  const warm = Math.floor(rounds / 10);
  for (let index = 0; index < warm; index++) run(index);
  const start = performance.now();
  for (let index = warm; index < rounds; index++) run(index);
  return ((performance.now() - start) * 1000) / (rounds - warm);
}

/** The speech (16 kHz) over and over, every second or each sample twice for the other rates: the cost is the same. */
function framesAt(sampleRate: SpeexRate, frameSize: number): Int16Array[] {
  const step = 16000 / sampleRate;
  return Array.from({ length: seconds * 50 }, (_, frame) =>
    Int16Array.from({ length: frameSize }, (_, index) => {
      return speech[Math.floor((frame * frameSize + index) * step) % speech.length] ?? 0;
    }),
  );
}
