import fc from 'fast-check';
import { type EncoderOptions, inspectPacket, joinPackets, SpeexCodec, type SpeexRate } from 'speex-wasm';
import { describe, expect, it } from 'vitest';
import { speexCodec, speexModule } from '../../support/speex.js';

const codec = await speexCodec();
const rates: readonly SpeexRate[] = [8000, 16000, 32000];

/** Something like a voice: a tone with overtones that comes and goes. */
function voice(samples: number, sampleRate: number, from = 0): Int16Array {
  return Int16Array.from({ length: samples }, (_, index) => {
    const t = (from + index) / sampleRate;
    const sound = [1, 2, 3, 4, 5].reduce((sum, n) => sum + Math.sin(2 * Math.PI * 210 * n * t) / n, 0);
    return 6000 * sound * (0.55 + 0.45 * Math.sin(2 * Math.PI * 3 * t));
  });
}

describe.each(rates)('at %i Hz', (sampleRate) => {
  it('a frame is 20 ms, and comes back like it was after the delay of the codec', () => {
    const encoder = codec.createEncoder({ sampleRate, quality: 10 });
    const decoder = codec.createDecoder({ sampleRate, enhance: false });
    expect([encoder.frameSize, decoder.frameSize]).toEqual([sampleRate / 50, sampleRate / 50]);
    const heard: number[] = [];
    const said = voice(50 * encoder.frameSize, sampleRate);
    for (let at = 0; at < said.length; at += encoder.frameSize) {
      const packet = encoder.encode(said.subarray(at, at + encoder.frameSize)) ?? expect.fail('nothing encoded');
      const decoded = decoder.decode(packet);
      heard.push(...(decoded.ok ? decoded.samples : expect.fail(decoded.fault)));
    }
    expect(heard.length).toBe(said.length);
    // A tone suits no speech codec; agreement with the native library, to the step, is tested with speech.
    expect(bestCorrelation([...said], heard, sampleRate / 25)).toBeGreaterThan(0.7);
    encoder.free();
    decoder.free();
  });

  it('decodes all frames of a packet as it decodes them singly', () => {
    const encoder = codec.createEncoder({ sampleRate });
    const packets = [0, 1, 2, 3].map((index) => {
      const frame = voice(encoder.frameSize, sampleRate, index * encoder.frameSize);
      return encoder.encode(frame) ?? expect.fail('nothing encoded');
    });
    const joined = joinPackets(packets);
    const [one, four] = [codec.createDecoder({ sampleRate }), codec.createDecoder({ sampleRate })];
    const singly = packets.flatMap((packet) => {
      const decoded = one.decode(packet);
      return decoded.ok ? [...decoded.samples] : expect.fail(decoded.fault);
    });
    const together = four.decode(joined.ok ? joined.packet : expect.fail(joined.fault));
    expect(together.ok && [...together.samples]).toEqual(singly);
    for (const used of [encoder, one, four]) used.free();
  });
});

it('better quality is larger, and VBR spends less on silence', () => {
  const size = (quality: number): number => {
    const encoder = codec.createEncoder({ sampleRate: 16000, quality });
    const packet = encoder.encode(voice(320, 16000));
    encoder.free();
    return packet?.length ?? 0;
  };
  // The speex manual's rates of wideband: quality 8 is 27.8 kb/s, quality 10 is 42.2 kb/s.
  expect([size(0), size(8), size(10)]).toEqual([10, 70, 106]);
  const encoder = codec.createEncoder({ sampleRate: 16000, vbr: true });
  let silent = 0;
  for (let index = 0; index < 50; index++) silent = encoder.encode(new Int16Array(320))?.length ?? 0;
  expect(silent).toBeLessThan(20);
  encoder.free();
});

it.each([true, false])(
  'with dtx, silence need not be sent; the frames are there again when somebody speaks (VBR %s)',
  (vbr) => {
    const encoder = codec.createEncoder({ sampleRate: 16000, dtx: true, vbr });
    const sent = (samples: (index: number) => Int16Array): boolean[] =>
      Array.from({ length: 100 }, (_, index) => encoder.encode(samples(index)) !== undefined);
    expect(sent((index) => voice(320, 16000, index * 320))).not.toContain(false);
    expect(sent(() => new Int16Array(320)).slice(50)).toContain(false);
    expect(sent((index) => voice(320, 16000, index * 320)).slice(5)).not.toContain(false);
    encoder.free();
  },
);

describe('concealment', () => {
  it('goes on with what was heard, then fades', () => {
    const encoder = codec.createEncoder({ sampleRate: 16000 });
    const decoder = codec.createDecoder({ sampleRate: 16000 });
    for (let index = 0; index < 25; index++) {
      decoder.decode(encoder.encode(voice(320, 16000, index * 320)) ?? expect.fail('nothing encoded'));
    }
    const lost = Array.from({ length: 25 }, () => level(decoder.conceal()));
    expect(lost[0]).toBeGreaterThan(1000);
    expect(lost[24]).toBeLessThan(100);
    encoder.free();
    decoder.free();
  });
});

describe('memory', () => {
  it('is given back: a thousand codecs take what a few do', async () => {
    const own = await speexCodec();
    const use = (): void => {
      const coders = rates.flatMap((sampleRate) => [
        own.createEncoder({ sampleRate }),
        own.createDecoder({ sampleRate }),
      ]);
      for (const coder of coders) coder.free();
    };
    use();
    const before = own.memory;
    for (let round = 0; round < 1000; round++) use();
    expect(own.memory).toBe(before);
  });

  it('grows while codecs are in use, and those go on', async () => {
    const own = await speexCodec();
    const first = own.createEncoder({ sampleRate: 16000 });
    const reference = codec.createEncoder({ sampleRate: 16000 });
    const before = own.memory;
    const others = Array.from({ length: 100 }, () => own.createEncoder({ sampleRate: 32000 }));
    expect(own.memory).toBeGreaterThan(before);
    expect(first.encode(voice(320, 16000))).toEqual(reference.encode(voice(320, 16000)));
    for (const coder of [first, reference, ...others]) coder.free();
  });

  it('of a freed codec is not used again', () => {
    const encoder = codec.createEncoder({ sampleRate: 8000 });
    const decoder = codec.createDecoder({ sampleRate: 8000 });
    for (const coder of [encoder, decoder, encoder, decoder]) coder.free();
    expect(() => encoder.encode(new Int16Array(160))).toThrow('was freed');
    expect(() => decoder.decode(Uint8Array.of(0))).toThrow('was freed');
    expect(() => decoder.conceal()).toThrow('was freed');
  });
});

const badOptions: [EncoderOptions, RegExp][] = [
  [{ sampleRate: 16000, quality: 11 }, /quality .* not 11/],
  [{ sampleRate: 16000, quality: 1.5 }, /quality .* not 1.5/],
  [{ sampleRate: 16000, complexity: 0 }, /complexity .* not 0/],
  [{ sampleRate: 11025 as SpeexRate }, /sampleRate .* not 11025/],
];
it.each(badOptions)('refuses the options %o', (options, message) => {
  expect(() => codec.createEncoder(options)).toThrow(message);
});

it('refuses samples that are no frame', () => {
  const encoder = codec.createEncoder({ sampleRate: 8000 });
  expect(() => encoder.encode(new Int16Array(320))).toThrow('a frame is 160 samples, not 320');
  encoder.free();
});

describe('bad packets', () => {
  it.each([
    ['nothing', new Uint8Array(), 'no-frame'],
    ['a mode that is none', Uint8Array.of(0x50), 'invalid-mode'],
    ['a frame cut short', Uint8Array.of(0x28, 0), 'truncated'],
    ['more than can be', new Uint8Array(8193), 'too-long'],
  ])('%s', (_name, packet, fault) => {
    const decoder = codec.createDecoder({ sampleRate: 16000 });
    expect(decoder.decode(packet)).toEqual({ ok: false, fault });
    decoder.free();
  });

  it('whatever they hold, never trap, and give whole frames', () => {
    const decoders = rates.map((sampleRate) => codec.createDecoder({ sampleRate }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (packet) => {
        const layout = inspectPacket(packet);
        for (const decoder of decoders) {
          const decoded = decoder.decode(packet);
          if (decoded.ok && layout.ok) expect(decoded.samples.length).toBe(layout.ends.length * decoder.frameSize);
        }
      }),
      { numRuns: 3000 },
    );
    for (const decoder of decoders) decoder.free();
  });
});

it('the module imports nothing, so it runs in a browser as it is', async () => {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { Module: { imports(module: object): unknown[] } } };
  const module = await speexModule();
  expect(WebAssembly.Module.imports(module)).toEqual([]);
  expect(() => new SpeexCodec(structuredClone(module))).not.toThrow();
});

function level(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Correlation at the best delay of up to `most` samples. */
function bestCorrelation(a: readonly number[], b: readonly number[], most: number): number {
  const product = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
  let best = 0;
  for (let delay = 0; delay <= most; delay++) {
    const later = b.slice(delay);
    const first = a.slice(0, later.length);
    best = Math.max(best, product(first, later) / Math.sqrt(product(first, first) * product(later, later)));
  }
  return best;
}
